"""The process that loads the models once and forks the children that read.

Why not fork from the worker itself: it has threads (Kafka consumer, metrics server) and open Kafka connections, and a
lock that another thread holds at the moment of a fork stays locked in the child for ever. Why not start every child
afresh: loading the models takes seconds and a hundred megabytes a child, and a poison article costs three children.
The nursery has one thread (it refuses to fork otherwise) and no connection but those to the worker, so its forks are
safe; a child lives milliseconds after it is asked for and shares the models' pages with its siblings.

The worker starts a fresh interpreter that calls `main`, with a socket as a file descriptor. It sends the factory and
the settings, is told whether the models are there, and then asks for children by number, handing over a socket for
each; the nursery tells it when one has died. End of file on that socket ends the nursery, and the end of the nursery,
however it comes, ends its children (PR_SET_PDEATHSIG on Linux; elsewhere a child ends when it finds its socket closed).
"""

import contextlib
import ctypes
import gc
import importlib
import logging
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from services.enricher import frames, logs
from services.enricher.messages import Message, Result
from services.enricher.settings import Settings

log = logging.getLogger(__name__)

ORDER = struct.Struct("!cI")
"""An order of the worker: what, and the number of the child. An order to fork carries the child's socket."""
FORK = b"f"
KILL = b"k"

EXIT_MEMORY = 77
"""Exit status of a child that reached its memory limit."""
EXIT_FORK = 78
"""Exit status that is reported of a child that could not be forked: no memory, or no more processes allowed."""

_PR_SET_PDEATHSIG = 1


class MemoryLimitError(Exception):
    """The memory limit of a child leaves no room to read."""


class Reading(Protocol):
    """What the factory makes: it turns raw messages into finished ones."""

    @property
    def identity(self) -> dict[str, str]:
        """What distinguishes it from another reading: the labels of `onrecord_model_info` with their values."""

    def read(self, batch: Sequence[Message]) -> list[Result]:
        """Return one result a message, in their order. What it raises costs the child its life."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The nursery can fork from now on."""

    identity: dict[str, str]
    """Of the reading that its children will do."""


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """The nursery could not make the reading; `message` is one line."""

    message: str


@dataclass(frozen=True, slots=True)
class Died:
    """Child `number` has ended with `status`, as `os.waitstatus_to_exitcode` gives it (negative: a signal)."""

    number: int
    status: int


@dataclass(frozen=True, slots=True)
class Born:
    """A child's first word, when it is ready for articles."""

    pid: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a child answers to a batch."""

    results: list[Result]
    began_ns: int
    """When the reading began, in nanoseconds of Unix time."""
    clock_ns: int
    """The same moment on the clock that the steps are timed with (time.perf_counter_ns)."""
    seconds: float
    memory_bytes: int
    """Resident memory of the child after the batch, the pages it shares with its siblings included."""


class Nursery:
    """Forks children on demand and reports their deaths until the worker hangs up."""

    def __init__(self, control: socket.socket, reading: Reading, memory_bytes: int) -> None:
        self._control = control
        self._reading = reading
        self._memory_bytes = memory_bytes
        self._alive: dict[int, int] = {}  # process id by number
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)

    def run(self) -> None:
        """Obey until the worker hangs up; raises ConnectionError when it does so in the middle of a word."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler of Python's nothing is written to the socket
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        try:
            self._loop()
        finally:
            signal.set_wakeup_fd(-1)

    def _loop(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        self._woken.recv(4096)
                        self._reap()
                    elif not self._obey():
                        return

    def _obey(self) -> bool:
        """Carry out one order; return whether there was one, or the worker has hung up."""
        order, sockets, _, _ = socket.recv_fds(self._control, ORDER.size, 1)
        if not order:
            return False
        what, number = ORDER.unpack(order)
        if what == FORK:
            self._fork(number, socket.socket(fileno=sockets[0]))
        elif number in self._alive:  # otherwise it died by itself, and its process id may be another's
            os.kill(self._alive[number], signal.SIGKILL)
        return True

    def _fork(self, number: int, connection: socket.socket) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            connection.close()
            frames.send(self._control, Died(number, EXIT_FORK))
            return
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for inherited in (self._control, self._wake, self._woken):
                inherited.close()
            _live(connection, self._reading, parent, self._memory_bytes)
        connection.close()
        self._alive[number] = pid

    def _reap(self) -> None:
        for number, pid in list(self._alive.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._alive[number]
                frames.send(self._control, Died(number, os.waitstatus_to_exitcode(status)))


def _live(connection: socket.socket, reading: Reading, parent: int, memory_bytes: int) -> NoReturn:
    """Be a child: read batches until the worker hangs up. Never returns into the nursery's code."""
    status = 1
    try:
        _die_with(parent)
        _limit_memory(memory_bytes)
        frames.send(connection, Born(os.getpid()))
        while True:
            batch = frames.receive(connection)
            began_ns, clock_ns = time.time_ns(), time.perf_counter_ns()
            results = reading.read(batch)
            seconds = (time.perf_counter_ns() - clock_ns) / 1e9
            frames.send(connection, Reply(results, began_ns, clock_ns, seconds, _resident_bytes()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        status = 0
    except MemoryError:
        status = EXIT_MEMORY
    except BaseException as error:  # noqa: BLE001 (whatever it is, it must not unwind into the nursery)
        # Where it happened, without the message: that may quote the article.
        stack = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s ended a child\n%s", type(error).__name__, stack)  # noqa: TRY400
    finally:
        os._exit(status)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the nursery ends, however busy it is."""
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the call
        raise EOFError


def _limit_memory(limit_bytes: int) -> None:
    """Let allocations beyond `limit_bytes` of private memory fail with MemoryError; 0 sets no limit.

    RLIMIT_DATA counts what the process may write, the shared pages of the models included (Linux 4.7 and newer);
    RLIMIT_AS would count every mapped library too.
    """
    if limit_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def _check_room(limit_bytes: int) -> None:
    """Raise MemoryLimitError when the models alone take more than a child may hold."""
    statm = Path("/proc/self/statm")
    if limit_bytes and statm.exists():
        taken_bytes = int(statm.read_text().split()[5]) * resource.getpagesize()
        if taken_bytes >= limit_bytes:
            message = f"ONRECORD_CHILD_MEMORY_BYTES is {limit_bytes}, and the models alone take {taken_bytes}"
            raise MemoryLimitError(message)


def _resident_bytes() -> int:
    """Return the memory of this process that is in RAM; the highest it ever was where the kernel does not tell."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _threads() -> int:
    """Return how many threads this process has, those of native libraries included where the kernel tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def _load(factory: str, settings: Settings) -> Reading:
    """Return what the factory at the import path `module:name` makes of the settings."""
    module, _, name = factory.partition(":")
    reading: Reading = getattr(importlib.import_module(module), name)(settings)
    if (threads := _threads()) != 1:
        raise RuntimeError(f"the models keep {threads} threads, and a process with threads cannot fork safely")
    return reading


def _one_line(error: Exception) -> str:
    """Return what is wrong in one line; only Python's own errors need their name to be understood."""
    text = " ".join(str(error).split())
    return text if text and type(error).__module__ != "builtins" else f"{type(error).__name__}: {text}"


def main() -> None:
    """Load the reading, say so, and fork until the worker hangs up."""
    # Ctrl-C reaches every process of a terminal; when to stop is the worker's decision, told by closing the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as control:
        settings: Settings
        factory, settings = frames.receive(control)
        logs.setup(settings.log_level)
        try:
            reading = _load(factory, settings)
            _check_room(settings.child_memory_bytes)
        except Exception as error:  # noqa: BLE001 (whatever a model raises, the worker must be told)
            frames.send(control, NotLoaded(_one_line(error)))
            return
        gc.collect()
        gc.freeze()  # so that no child's collector touches, and thereby copies, the pages of the models
        with contextlib.suppress(ConnectionError):
            frames.send(control, Loaded(reading.identity))
            Nursery(control, reading, settings.child_memory_bytes).run()
