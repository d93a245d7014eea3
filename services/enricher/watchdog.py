"""Tells a worker that is busy or idle from one that is stuck, from a thread that a stuck event loop cannot stop.

`beat` comes from the event loop, `progress` and `lag` from the stream. Three things make a worker unfit to live:
articles wait and nothing is confirmed, the event loop does not turn, or no child is left. The first time, the stacks of
all threads go to the log: after the restart it is too late to see where it hung.
"""

import asyncio
import faulthandler
import logging
import tempfile
import threading
import time
from collections.abc import Callable

from services.enricher.metrics import Metrics

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0


class Watchdog:
    """Watches one worker. Every method may be called from any thread.

    `patience_seconds` is how long nothing may move; `children` returns how many children are alive. Until the first
    call of `lag` no article is known to wait. `clock` returns seconds that only grow.
    """

    def __init__(
        self,
        patience_seconds: float,
        metrics: Metrics,
        children: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_seconds = patience_seconds
        self._metrics = metrics
        self._children = children
        self._clock = clock
        self._lag = 0
        now = clock()
        self._moved_at = now  # when something was confirmed last, or nothing waited
        self._beat_at: float | None = None
        self._children_at = now  # when there was a child last
        self._dumped = False
        self._stop = threading.Event()

    def progress(self) -> None:
        """The brokers have confirmed something."""
        self._moved_at = self._clock()

    def lag(self, messages: int) -> None:
        """So many messages of the assigned partitions are not confirmed."""
        if messages == 0 or self._lag == 0:
            self._moved_at = self._clock()
        self._lag = messages

    def beat(self) -> None:
        """The event loop turns."""
        self._beat_at = self._clock()

    async def heart(self) -> None:
        """Beat from the event loop until cancelled."""
        while True:
            due = self._clock() + HEARTBEAT_SECONDS
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self._metrics.event_loop_delay_seconds.set(max(0.0, self._clock() - due))
            self.beat()

    def problems(self) -> list[str]:
        """Return what makes the worker unfit to live, one line each; dump the stacks the first time."""
        now = self._clock()
        if self._children() > 0:
            self._children_at = now
        found = []
        if self._lag > 0 and (silent := now - self._moved_at) > self._patience_seconds:
            found.append(f"{self._lag} messages wait and nothing was confirmed for {silent:.0f} seconds")
        if self._beat_at is not None and (silent := now - self._beat_at) > self._patience_seconds:
            found.append(f"the event loop has not turned for {silent:.0f} seconds")
        if (silent := now - self._children_at) > self._patience_seconds:
            found.append(f"there has been no child for {silent:.0f} seconds")
        if found and not self._dumped:
            self._dumped = True
            log.critical("the worker is stuck: %s\n%s", "; ".join(found), _stacks())
        return found

    def watch(self) -> None:
        """Look again and again until `stop`, so that the log is written when nobody asks for /livez. Blocks."""
        while not self._stop.wait(self._patience_seconds / 10):
            self.problems()

    def stop(self) -> None:
        """End `watch`."""
        self._stop.set()


def _stacks() -> str:
    """Return the stacks of all threads: file, line and function, no values."""
    with tempfile.TemporaryFile("w+") as file:  # faulthandler writes to file descriptors only
        faulthandler.dump_traceback(file)
        file.seek(0)
        return file.read()
