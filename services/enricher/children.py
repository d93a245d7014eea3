"""The worker's hold on its children: starts the nursery, asks it for children, talks to each, kills them.

Deadlines are set with `asyncio.timeout`, never with `asyncio.wait_for`: up to Python 3.11 the latter swallows a
cancellation that comes in the moment its future is done, and a task of the pool that is not cancelled never ends.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from services.enricher import frames
from services.enricher.messages import Message
from services.enricher.nursery import EXIT_FORK, EXIT_MEMORY, FORK, KILL, ORDER, Born, Died, Loaded, NotLoaded, Reply
from services.enricher.settings import Settings
from services.extraction.threads import ONE_THREAD

BIRTH_SECONDS = 20.0
"""How long a fork may take. It takes milliseconds; a machine that needs more than this is not working."""
REPORT_SECONDS = 15.0
"""How long the nursery may take to report a death that has been seen or ordered."""

STANDARD_ERROR = 2


class StartError(Exception):
    """The children cannot be started. The message is one line."""


class NurseryLostError(Exception):
    """The nursery is gone, and its children with it."""


class ChildDiedError(Exception):
    """A child ended before it answered. The message says how."""

    def __init__(self, status: int | None) -> None:
        super().__init__(explain(status))
        self.out_of_memory = status == EXIT_MEMORY


class Child:
    """One child process. It reads one batch at a time."""

    def __init__(
        self, number: int, gone: asyncio.Future[int | None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number = number
        """What the nursery knows it by."""
        self.gone = gone
        """Gets its exit status at its end; None when it was lost with the nursery."""
        self._reader = reader
        self._writer = writer
        self.pid = 0
        self.articles = 0
        """How many articles it has been given so far."""

    async def born(self) -> None:
        """Wait for its first word; raises ChildDiedError or NurseryLostError."""
        born: Born = await self._receive()
        self.pid = born.pid

    async def read(self, batch: Sequence[Message]) -> Reply:
        """Return what it makes of a batch; raises ChildDiedError or NurseryLostError. Sets no deadline."""
        self.articles += len(batch)
        try:
            self._writer.write(frames.encode(list(batch)))
            await self._writer.drain()
        except ConnectionError:
            raise await self._end() from None
        reply: Reply = await self._receive()
        return reply

    async def _receive(self) -> Any:
        try:
            return await frames.read(self._reader)
        except (EOFError, ConnectionError):
            raise await self._end() from None

    async def _end(self) -> ChildDiedError | NurseryLostError:
        """Return what its end was, once it has hung up."""
        try:
            async with asyncio.timeout(REPORT_SECONDS):
                status = await asyncio.shield(self.gone)
        except TimeoutError:
            return ChildDiedError(None)
        return NurseryLostError() if status is None else ChildDiedError(status)

    def dismiss(self) -> None:
        """Hang up: an idle child ends at once, a busy one after its batch."""
        self._writer.close()


class Children:
    """The nursery and the children that it has forked. Make it with `start`."""

    def __init__(self, nursery: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._nursery = nursery
        self._control = control
        self._living: dict[int, Child] = {}
        self._next_number = 0
        self._listening: asyncio.Task[None] | None = None
        self.identity: dict[str, str] = {}
        """What distinguishes what they read from another reading (see nursery.Reading)."""

    @classmethod
    async def start(cls, settings: Settings, factory: str) -> "Children":
        """Start a nursery and return when it has loaded what `factory` makes; raises StartError."""
        ours, theirs = socket.socketpair()
        environment = os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        program = "from services.enricher.nursery import main; main()"
        with theirs:
            nursery = subprocess.Popen(  # noqa: ASYNC220, S603 (a few milliseconds, once; nothing of it is input)
                # -P: nothing is imported from the current directory that the worker itself would not import.
                [sys.executable, "-P", "-c", program, str(theirs.fileno())],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=STANDARD_ERROR,  # standard output belongs to the command
                pass_fds=[theirs.fileno()],
            )
        children = cls(nursery, ours)
        try:
            async with asyncio.timeout(settings.child_start_seconds):
                await children._load(settings, factory)
        except BaseException as error:
            children.kill()
            if isinstance(error, TimeoutError):
                message = f"the models were not loaded within {settings.child_start_seconds:g} seconds"
                raise StartError(message) from None
            raise
        return children

    async def _load(self, settings: Settings, factory: str) -> None:
        reader, writer = await asyncio.open_connection(sock=self._control)
        try:
            writer.write(frames.encode((factory, settings)))
            await writer.drain()
            answer = await frames.read(reader)
        except (EOFError, ConnectionError):
            status = await asyncio.to_thread(self._nursery.wait)
            raise StartError(f"the process that loads the models {explain(status)}") from None
        if isinstance(answer, NotLoaded):
            raise StartError(answer.message)
        assert isinstance(answer, Loaded)
        self.identity = answer.identity
        self._listening = asyncio.create_task(self._listen(reader, writer), name="deaths")

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on the deaths that the nursery reports, until it is gone itself."""
        try:
            while True:
                died: Died = await frames.read(reader)
                self._living.pop(died.number).gone.set_result(died.status)
        except (EOFError, ConnectionError):
            for child in self._living.values():
                child.gone.set_result(None)
        finally:
            writer.close()

    async def child(self) -> Child:
        """Return a new child that is ready for articles; raises ChildDiedError or NurseryLostError."""
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        number, self._next_number = self._next_number, self._next_number + 1
        child = Child(number, asyncio.get_running_loop().create_future(), reader, writer)
        try:
            with theirs:
                self._order(FORK, number, theirs)
            self._living[number] = child
            async with asyncio.timeout(BIRTH_SECONDS):
                await child.born()
        except TimeoutError:
            child.dismiss()
            self.kill()
            raise NurseryLostError from None
        except (ChildDiedError, NurseryLostError):
            child.dismiss()
            raise
        return child

    async def end(self, child: Child) -> None:
        """Kill a child, stopped or busy, and return when it is gone."""
        child.dismiss()
        if child.gone.done():
            return
        try:
            self._order(KILL, child.number)
            async with asyncio.timeout(REPORT_SECONDS):
                await asyncio.shield(child.gone)
        except NurseryLostError:
            return
        except TimeoutError:
            self.kill()  # a nursery that does not obey; its end is the child's

    def _order(self, what: bytes, number: int, connection: socket.socket | None = None) -> None:
        handed_over = [] if connection is None else [connection.fileno()]
        try:
            socket.send_fds(self._control, [ORDER.pack(what, number)], handed_over)
        except OSError:
            self.kill()  # it is gone, or has not read its orders for so long that the socket is full
            raise NurseryLostError from None

    async def close(self, grace_seconds: float) -> None:
        """Hang up on the nursery and return when it and its children are gone; killed after `grace_seconds`."""
        for child in self._living.values():
            child.dismiss()
        with contextlib.suppress(OSError):  # it has gone first
            self._control.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._nursery.wait, grace_seconds)
        self.kill()
        if self._listening is not None:
            await self._listening

    def kill(self) -> None:
        """Kill the nursery, and with it the children. Safe to call twice."""
        self._nursery.kill()
        self._nursery.wait()
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)


def explain(status: int | None) -> str:
    """Return how a process ended, as the end of a sentence; the status is None when nobody said."""
    if status is None:
        return "ended without a report"
    if status == EXIT_MEMORY:
        return "reached its memory limit"
    if status == EXIT_FORK:
        return "could not be forked for want of memory or processes"
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
