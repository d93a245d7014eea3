"""A real Prometheus with the project's settings, for as long as a test needs it."""

import asyncio
import json
import math
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.broker.ports import LOOPBACK, free_ports
from tests.unit.deploy.promql import DEPLOY

SETTINGS = DEPLOY / "prometheus/prometheus.yml"
SCRAPE_INTERVAL = "1s"
READY_SECONDS = 60
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus that runs, and where it answers."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of the HTTP API; raises HTTPError for a query that it does not understand."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Return labels and value of each series that a query yields now."""
        return [(one["metric"], float(one["value"][1])) for one in self.get("query", query=query)["result"]]

    async def until(self, query: str, seconds: float = 60.0) -> list[tuple[dict[str, str], float]]:
        """Return what a query yields as soon as that is a number; raises TimeoutError with the query.

        What divides nothing by nothing, the rate of something that has not happened yet, is none.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await asyncio.to_thread(self.ask, query)
                    if any(not math.isnan(value) for _, value in found):
                        return found
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise TimeoutError(f"nothing comes of {query}") from None


@contextmanager
def running(folder: Path, worker: str) -> Iterator[Prometheus]:
    """Start Prometheus on deploy/prometheus/prometheus.yml, made to scrape one worker every second; stop it in the end.

    Skips the test when there is no Prometheus.
    """
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus (Debian package prometheus) is not installed")
    [port] = free_ports(1)
    command = [
        program,
        f"--config.file={_adapted(folder, worker)}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, cwd=folder) as process:
        try:
            _wait_until_ready(f"http://{LOOPBACK}:{port}/-/ready", process, log)
            yield Prometheus(f"http://{LOOPBACK}:{port}")
        finally:
            process.terminate()


def _adapted(folder: Path, worker: str) -> Path:
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    settings["global"] |= {"scrape_interval": SCRAPE_INTERVAL, "evaluation_interval": SCRAPE_INTERVAL}
    settings["rule_files"] = [str(SETTINGS.parent / pattern) for pattern in settings["rule_files"]]
    [job] = settings["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [worker]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:  # which an HTTPError is too
            time.sleep(POLL_SECONDS)
    raise AssertionError(f"prometheus is not ready: {log.read_text(errors='replace')}")
