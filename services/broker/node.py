"""One node: a folder, and the process of Kafka that lives in it."""

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

from services.broker.config import PLAIN, read_properties
from services.broker.errors import BrokerError

_POLL_SECONDS = 0.05
_LOG_TAIL_LINES = 20


class Node:
    """A node of a cluster, running or not.

    Its folder holds server.properties, the topics (data), the log of its runs (server.log), and a pid file. The
    process inherits a lock on the pid file, which the system releases when the process ends in whatever way. So a
    pid file left over from before a crash or a restart of the machine is told from a living one without a doubt, even
    if some other program has been given the same pid since.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_path = folder / "server.properties"
        self.data = folder / "data"
        self.log_path = folder / "server.log"
        self._pid_path = folder / "pid"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None when the node does not run, or is only just being started."""
        if not self.is_running():
            return None
        written = self._pid_path.read_text("ascii")
        return int(written) if written else None

    @property
    def port(self) -> int:
        """The port for clients without security."""
        return int(self.address(PLAIN).rpartition(":")[2])

    def is_prepared(self) -> bool:
        """Return whether Kafka's storage tool has prepared its data folder."""
        return (self.data / "meta.properties").exists()

    def address(self, listener: str) -> str:
        """Return host:port of one of the listeners for clients. KeyError if there is no such listener."""
        advertised = read_properties(self.config_path)["advertised.listeners"].split(",")
        return dict(entry.split("://") for entry in advertised)[listener]

    def is_running(self) -> bool:
        """Return whether its process is there."""
        try:
            file = self._pid_path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            return not _try_lock(file.fileno(), fcntl.LOCK_SH)

    def start(self, command: list[str]) -> None:
        """Start `command`, which stays when this program ends. Raises BrokerError if the node runs already."""
        lock = os.open(self._pid_path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _try_lock(lock, fcntl.LOCK_EX):
                raise BrokerError(f"the broker in {self.folder} is running already, or being started")
            os.ftruncate(lock, 0)
            with self.log_path.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 -- a list, and no shell
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    start_new_session=True,  # so that Ctrl-C in this terminal does not reach it
                    pass_fds=(lock,),
                )
            os.pwrite(lock, str(self._process.pid).encode("ascii"), 0)
        finally:
            os.close(lock)

    def send(self, sign: signal.Signals) -> None:
        """Send a signal to its process, if it runs."""
        if pid := self.pid:
            os.kill(pid, sign)

    def wait_until_ended(self, timeout_seconds: float) -> bool:
        """Return whether its process has ended, at the latest after the given time."""
        deadline = time.monotonic() + timeout_seconds
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        if self._process:
            self._process.wait()
            self._process = None
        return True

    def log_tail(self, lines: int = _LOG_TAIL_LINES) -> str:
        """Return the last lines of its log, or an empty text when there is none."""
        try:
            whole = self.log_path.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(whole[max(0, len(whole) - lines) :])


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
