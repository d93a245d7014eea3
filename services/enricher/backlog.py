"""The articles that wait for a child, and how batches are cut from them."""

import asyncio
import math
from collections import deque
from dataclasses import dataclass

from services.enricher.messages import Message, Result
from services.enricher.settings import Settings

BATCH_BYTES = 256 * 1024
"""A batch is full beyond this, so that long articles, which need no company to be read fast, share no deadline."""


@dataclass(eq=False, slots=True)
class Job:
    """A message that waits for its result."""

    message: Message
    result: asyncio.Future[Result]
    attempts: int = 0
    """How often it was given to a child that then ended."""
    attempts_alone: int = 0


class Backlog:
    """Jobs that wait for a child: first those suspected of killing one, to be read alone, then the others in order."""

    def __init__(self, settings: Settings) -> None:
        self._waiting: deque[Job] = deque()
        self._suspects: deque[Job] = deque()
        self._filled = asyncio.Event()
        self._takers = 0
        self._batch_articles = settings.batch_articles
        self._linger_seconds = settings.batch_linger_seconds

    def __len__(self) -> int:
        return len(self._waiting) + len(self._suspects)

    def add(self, job: Job) -> None:
        """Let a job wait for its turn."""
        self._waiting.append(job)
        self._filled.set()

    def suspect(self, jobs: list[Job]) -> None:
        """Let jobs that had a part in the end of a child be read next, each alone."""
        self._suspects.extend(jobs)
        self._filled.set()

    async def take(self) -> list[Job]:
        """Wait for work and return a batch of it: one suspect alone, or a fair share of what waits.

        When it is cancelled nothing has been taken.
        """
        self._takers += 1
        try:
            while True:
                await self._filled.wait()
                if not self._suspects and len(self._waiting) < self._batch_articles:
                    await asyncio.sleep(self._linger_seconds)
                batch = self._cut()
                if not len(self):
                    self._filled.clear()
                if batch:
                    return batch
        finally:
            self._takers -= 1

    def _cut(self) -> list[Job]:
        while self._suspects:
            if not (job := self._suspects.popleft()).result.done():
                return [job]
        # No more than a fair share, so that a few articles that come together are read by all free children.
        most = min(self._batch_articles, math.ceil(len(self._waiting) / self._takers))
        batch: list[Job] = []
        size_bytes = 0
        while self._waiting and len(batch) < most and size_bytes < BATCH_BYTES:
            job = self._waiting.popleft()
            if not job.result.done():  # its caller has given up otherwise
                batch.append(job)
                size_bytes += len(job.message.value or b"")
        return batch
