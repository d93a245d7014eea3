"""The worker's hold on one child, without a process: what happens when two things happen in the same moment."""

import asyncio
import socket
from collections.abc import Callable, Coroutine

import pytest

from services.enricher.children import Child, Children

Waiting = Callable[[Child], Coroutine[None, None, None]]


class Obeying(Children):
    """Children whose orders reach nobody."""

    def __init__(self) -> None:
        pass

    def _order(self, what: bytes, number: int, connection: socket.socket | None = None) -> None:
        pass


async def hung_up() -> Child:
    """Return a child whose connection has been closed by the other side, and whose end is not known yet."""
    ours, theirs = socket.socketpair()
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    return Child(0, asyncio.get_running_loop().create_future(), reader, writer)


async def waits_for_the_kill(child: Child) -> None:
    await Obeying().end(child)


async def waits_for_its_end(child: Child) -> None:
    await child.read([])


@pytest.mark.parametrize("waiting", [waits_for_the_kill, waits_for_its_end])
async def test_whoever_is_cancelled_in_the_moment_a_child_ends_stays_cancelled(waiting: Waiting) -> None:
    child = await hung_up()
    slot = asyncio.create_task(waiting(child))
    for _ in range(20):  # turns of the loop, until it has nothing to do but wait for the end
        await asyncio.sleep(0)
    child.gone.set_result(0)
    slot.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slot
