"""What the demo runs on: a broker and a worker of its own, both gone when it ends."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from services.broker import Cluster
from services.broker.ports import LOOPBACK, free_ports
from services.cli import broker
from services.cli.console import UserError, err, note, one_line

BOOTSTRAP = "ONRECORD_KAFKA_BOOTSTRAP"

# Loading the models takes seconds; on a busy machine with a cold disk it has taken a minute.
_READY_SECONDS = 180
# The worker's own drain deadline is 25 seconds; one that does not keep to it is ended.
_STOP_SECONDS = 40
_POLL_SECONDS = 0.2
_LOG_LINES = 5


@contextmanager
def own_broker(folder: Path) -> Iterator[str]:
    """Start a broker on a free port with its data in `folder`, and yield its address; stop it in the end."""
    cluster = Cluster(folder)
    try:
        broker.start(cluster)
        yield cluster.bootstrap
    finally:
        cluster.stop()


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that runs, where it answers, and where it writes its log."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def check(self) -> None:
        """Raise UserError with the end of its log when the worker has ended."""
        status = self.process.poll()
        if status is not None:
            for line in self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]:
                note(one_line(line))
            raise UserError(f"the worker ended by itself with status {status}; the end of its log is above")

    def figures(self) -> dict[str, float]:
        """Return the counters of /metrics by name, summed over their labels."""
        sums: dict[str, float] = {}
        with urlopen(f"{self.url}/metrics") as page:  # noqa: S310 - the worker's own address
            for family in text_string_to_metric_families(page.read().decode()):
                for sample in family.samples:
                    if sample.name.endswith("_total"):
                        sums[sample.name] = sums.get(sample.name, 0) + sample.value
        return sums


@contextmanager
def own_worker(bootstrap: str, folder: Path) -> Iterator[Worker]:
    """Start a worker, and yield it when it is ready; stop it in the end. Raises UserError when it does not start."""
    port = free_ports(1)[0]
    own = {BOOTSTRAP: bootstrap, "ONRECORD_METRICS_HOST": LOOPBACK, "ONRECORD_METRICS_PORT": str(port)}
    log = folder / "worker.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", "worker"],
            env=os.environ | own,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C does not reach it: it is stopped from here, once
        )
    worker = Worker(process, f"http://{LOOPBACK}:{port}", log)
    try:
        with err.status("starting a worker"):
            _wait_until_ready(worker)
        yield worker
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        finally:
            process.kill()


def _wait_until_ready(worker: Worker) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    missing = "it does not answer"
    while time.monotonic() < deadline:
        worker.check()
        try:
            with urlopen(f"{worker.url}/readyz"):  # noqa: S310 - the worker's own address
                return
        except HTTPError as answer:
            missing = answer.read().decode()
        except (URLError, ConnectionError) as error:
            missing = str(error)
        time.sleep(_POLL_SECONDS)
    raise UserError(f"the worker is not ready after {_READY_SECONDS} seconds: {one_line(missing)}")
