"""What of the raw topic a worker reads, and how fast: all of it as a rule, or a part of it again."""

import asyncio
import time
from collections.abc import Callable, Mapping

from aiokafka import TopicPartition


class Scope:
    """The messages that a worker takes: those below an offset in each partition, and so many a second at most.

    Without `until` and `rate` it is every message, as it comes.
    """

    def __init__(
        self,
        until: Mapping[TopicPartition, int] | None = None,
        rate: float | None = None,
        notes: Mapping[TopicPartition, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._until = until
        self._seconds = 0.0 if rate is None else 1 / rate
        self._notes = notes or {}
        self._clock = clock
        self._due = clock()

    def includes(self, partition: TopicPartition, offset: int) -> bool:
        """Whether a message is to be read."""
        return self._until is None or offset < self._until.get(partition, 0)

    def end(self, partition: TopicPartition) -> int | None:
        """Return the offset below which a partition is to be read; None for all that it will ever hold."""
        return None if self._until is None else self._until.get(partition, 0)

    def note(self, partition: TopicPartition) -> str:
        """Return what is committed beside the partition's offset, as Kafka's metadata of it."""
        return self._notes.get(partition, "")

    async def pace(self) -> None:
        """Wait until the next message may be read. What was not used of the rate is not made up for."""
        if not self._seconds:
            return
        now = self._clock()
        await asyncio.sleep(max(0.0, self._due - now))
        self._due = max(self._due, now) + self._seconds
