"""A Docker engine for the tests of containers: the one that runs already, or one of our own while it is needed."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "dist" / "tools"
START_SECONDS = 60
STOP_SECONDS = 60
# Ranges for an engine of our own that one which is started later is unlikely to take.
_BRIDGE = "172.30.255.1/24"
_NETWORKS = "base=172.31.0.0/16,size=24"


class Engine:
    """Runs docker and docker compose against one engine."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def docker(self, *arguments: str | Path, stdin: bytes | None = None, seconds: float = 900) -> str:
        """Return what docker prints; fails the test when it fails."""
        return self._run(["docker", *map(str, arguments)], stdin, seconds)

    def compose(self, *arguments: str | Path, stdin: bytes | None = None, seconds: float = 900) -> str:
        """Return what docker compose prints; fails the test when it fails."""
        return self._run([*compose_command(), *map(str, arguments)], stdin, seconds)

    def _run(self, command: list[str], stdin: bytes | None, seconds: float) -> str:
        done = subprocess.run(
            command, input=stdin, capture_output=True, env=self.environment, timeout=seconds, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done.stdout.decode()


def compose_command() -> list[str]:
    """Return how docker compose is called here: the plugin, or what `make docker-compose` builds; skip without."""
    plugin = shutil.which("docker") and subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    )
    if plugin and plugin.returncode == 0:
        return ["docker", "compose"]
    if alone := shutil.which("docker-compose", path=str(TOOLS)):
        return [alone]
    pytest.skip("docker compose is not on this machine; `make docker-compose` builds it where Go is")


@contextmanager
def running_engine() -> Iterator[Engine]:
    """Yield an engine; skip the test where none runs and none can be started."""
    if shutil.which("docker") is None:
        pytest.skip("docker is not on this machine")
    compose_command()
    here = Engine(dict(os.environ))
    if _answers(here):
        yield here
        return
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("no Docker engine runs on this machine, and only root with dockerd installed can start one")
    # Not under pytest's folders: the path of a socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="onrecord-docker-"))
    try:
        with _our_own(folder) as engine:
            yield engine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(engine: Engine) -> bool:
    asked = subprocess.run(["docker", "version"], capture_output=True, env=engine.environment, check=False)
    return asked.returncode == 0


@contextmanager
def _our_own(folder: Path) -> Iterator[Engine]:
    engine = Engine(os.environ | {"DOCKER_HOST": f"unix://{folder}/socket"})
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "pid",
             "--host", f"unix://{folder}/socket", "--bip", _BRIDGE, "--default-address-pool", _NETWORKS],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(engine):
            if process.poll() is not None or time.monotonic() > deadline:
                last = (folder / "log").read_text("utf-8", "replace").splitlines()[-1:]
                pytest.skip(f"dockerd does not start on this machine: {' '.join(last)}")
            time.sleep(0.5)
        yield engine
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
