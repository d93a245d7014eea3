"""Stand-ins for what a lane works with: a reader, a delivery and a group that do what the test says."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from schemas import Reason
from services.enricher.consumer import Consumer, Raw
from services.enricher.lane import Lane, Workshop
from services.enricher.messages import Failure, Headers, Outgoing, Result
from services.enricher.metrics import Metrics
from services.enricher.scope import Scope
from services.enricher.settings import Settings
from services.enricher.tracing import Tracing
from services.enricher.watchdog import Watchdog
from services.enricher.window import Window

SETTINGS: dict[str, Any] = {
    "transaction_linger_seconds": 0.0,
    "retry_first_seconds": 0.001,
    "retry_most_seconds": 0.002,
    "retry_deadline_seconds": 5.0,
}


class Reader:
    """Reads a message when the test says so, or at once."""

    def __init__(self) -> None:
        self.slow: dict[bytes, asyncio.Future[None]] = {}
        self.reading: set[bytes] = set()

    async def read(self, value: bytes | None, headers: Headers) -> Result:
        assert value is not None
        self.reading.add(value)
        try:
            if value in self.slow:
                await self.slow[value]
        finally:
            self.reading.discard(value)
        if value.startswith(b"poison"):
            return Result(failure=Failure(Reason.NOT_JSON, "not JSON", attempts=1))
        return Result(outputs=(Outgoing("out", b"k", value.upper(), []),))


class Broker:
    """A delivery that remembers what it was given, and fails as often as the test says."""

    def __init__(self) -> None:
        self.committed = 0
        self.batches: list[list[Outgoing]] = []
        self.failures: list[Exception] = []
        self.after_commit: list[Exception] = []
        self.opened = self.closed = 0
        self.too_large: set[bytes | None] = set()
        self.slow: asyncio.Future[None] | None = None
        """What a delivery waits for."""

    async def open(self) -> int:
        self.opened += 1
        return self.committed

    async def deliver(self, outputs: Sequence[Outgoing], offset: int) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.slow is not None:
            await self.slow
        if any(output.value in self.too_large for output in outputs):
            raise MessageSizeTooLargeError
        self.batches.append(list(outputs))
        self.committed = offset
        if self.after_commit:
            raise self.after_commit.pop(0)

    async def close(self) -> None:
        self.closed += 1

    @property
    def values(self) -> list[bytes | None]:
        return [output.value for batch in self.batches for output in batch]


class Seat:
    """The consumer group, as far as lanes and partitions ask for it."""

    def __init__(self) -> None:
        self.answers: list[bool] = []
        self.generation = 1
        self.paused: set[TopicPartition] = set()

    async def is_member(self, generation: int) -> bool:
        return self.answers.pop(0) if self.answers else True

    def pause(self, partition: TopicPartition) -> None:
        self.paused.add(partition)


class Bench:
    """A lane with everything around it."""

    def __init__(
        self, articles: int = 100, tracing: Tracing | None = None, scope: Scope | None = None, **settings: Any
    ) -> None:
        self.settings = Settings(**{**SETTINGS, **settings})
        self.reader, self.broker, self.seat = Reader(), Broker(), Seat()
        self.window = Window(articles, 10_000)
        metrics = Metrics()
        self.workshop = Workshop(
            self.settings, self.reader, cast(Consumer, self.seat), self.window, metrics,
            Watchdog(1.0, metrics, children=lambda: 1), tracing or Tracing(), scope or Scope(),
        )  # fmt: skip
        self.lane = Lane(TopicPartition("raw", 0), 1, self.broker, self.workshop)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.lane.run())

    async def take(self, *values: str, first_offset: int = 0, headers: Headers | None = None) -> None:
        for index, value in enumerate(values):
            raw = Raw("raw", 0, first_offset + index, 1, None, value.encode(), headers or [], 0)
            await self.window.enter(raw.size_bytes)
            self.lane.take(raw)

    async def finish(self) -> None:
        assert self.task is not None
        self.lane.finish()
        await self.task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)
