"""One assigned partition: from raw messages to confirmed outputs, strictly in the order of the offsets."""

import asyncio
import logging
import math
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from schemas import Reason
from services.enricher import logs
from services.enricher.consumer import Consumer, Raw
from services.enricher.deadletter import DeadLetterLimit, dead_letter
from services.enricher.delivery import Delivery
from services.enricher.messages import Failure, Headers, Outgoing, Result
from services.enricher.metrics import Metrics
from services.enricher.retry import Backoff, describe
from services.enricher.scope import Scope
from services.enricher.settings import Settings
from services.enricher.tracing import Trace, Tracing
from services.enricher.watchdog import Watchdog
from services.enricher.window import Window

log = logging.getLogger(__name__)

ATTEMPT_TIMES = 1.5
"""How many request timeouts one try of a delivery may take: aiokafka itself would try for ever."""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
"""What producer and broker say of a message beyond the topic's limit: the one refusal that an article causes."""


class NoSeatError(Exception):
    """This worker is not, or not certainly, a member of the group's current generation."""


class Reader(Protocol):
    """Reads one raw message; the worker pool as a rule."""

    async def read(self, value: bytes | None, headers: Headers) -> Result:
        """Return the events, or the failure that makes it a dead letter; never raises for what an article can cause."""
        ...


@dataclass(frozen=True)
class Workshop:
    """What all lanes of a worker share."""

    settings: Settings
    reader: Reader
    consumer: Consumer
    window: Window
    metrics: Metrics
    watchdog: Watchdog
    tracing: Tracing = field(default_factory=Tracing)
    scope: Scope = field(default_factory=Scope)


@dataclass(slots=True)
class Article:
    """A raw message on its way: being read, then with its outputs."""

    raw: Raw
    reading: asyncio.Task[Result]
    trace: Trace
    outputs: tuple[Outgoing, ...] = ()
    failure: Failure | None = None
    size_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.size_bytes = self.raw.size_bytes

    def settle(self) -> None:
        """Take the result of the reading, a dead letter if it failed; raises what the reader raised."""
        result = self.reading.result()
        self.outputs, self.failure = self.trace.read(result), result.failure
        if result.failure is not None:
            self.bury(result.failure)

    def bury(self, failure: Failure) -> None:
        """Put a dead letter in the place of the outputs."""
        self.failure = failure
        self.outputs = (dead_letter(self.raw, failure, datetime.now(UTC)),)

    @property
    def output_bytes(self) -> int:
        """Bytes of all outputs' values."""
        return sum(len(output.value or b"") for output in self.outputs)


class Lane:
    """The work on one partition in one generation of the group.

    `take` may be called at any time; readings run side by side; `run` delivers their results in order, in batches
    that are limited in articles, bytes and time. A delivery that fails is tried again until it is done, the partition
    is taken away, or the retry deadline is over; then `run` raises, and the worker must end with nothing acknowledged.
    """

    def __init__(self, partition: TopicPartition, generation: int, delivery: Delivery, workshop: Workshop) -> None:
        self.partition = partition
        self.generation = generation
        self.next_offset = 0
        """Below it everything is delivered."""
        self._delivery = delivery
        self._shop = workshop
        self._settings = workshop.settings
        self._limit = DeadLetterLimit(workshop.settings)
        self.connected = False
        """Whether its producer is."""
        self._taken_to = -1
        self._articles: deque[Article] = deque()
        self._changed = asyncio.Event()
        self._delivered_at = -math.inf
        self._last_orders = False
        self._revoked = False

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight."""
        return not self._articles

    def take(self, raw: Raw) -> None:
        """Begin to read a message for which the window has room. One that was taken before is left out.

        After a rebalance Faust may hand over again what it had already fetched.
        """
        if raw.offset <= self._taken_to or self._last_orders:
            self._shop.window.leave(raw.size_bytes)
            return
        self._taken_to = raw.offset
        reading = asyncio.create_task(self._shop.reader.read(raw.value, raw.headers))
        reading.add_done_callback(lambda _: self._changed.set())
        self._articles.append(Article(raw, reading, self._shop.tracing.begin(raw)))
        self._shop.metrics.articles_received.inc()
        self._changed.set()

    def finish(self) -> None:
        """Take no more; `run` returns when everything taken is delivered."""
        self._last_orders = True
        self._changed.set()

    def forget(self) -> None:
        """The partition is taken away: `run` returns after the delivery that is under way, and drops the rest."""
        self._revoked = True
        self.finish()

    async def run(self) -> None:
        """Deliver until told to end. Raises GaveUpError, TooManyDeadLettersError, and what the reader raises."""
        try:
            await self._deliver([])
            while batch := await self._batch():
                await self._deliver(batch)
                self._delivered_at = time.monotonic()
        finally:
            for article in self._articles:
                article.reading.cancel()
                article.trace.dropped("given up: it is read again, here or by the next owner of the partition")
                self._shop.window.leave(article.size_bytes)
            self._articles.clear()
            await self._delivery.close()

    async def _batch(self) -> list[Article]:
        """Return the next articles to deliver, in order; none when it is time to end. They stay in flight."""
        settings = self._settings
        batch: list[Article] = []
        size_bytes = 0
        # Counted from the last delivery: under load batches fill, and what comes after a pause does not wait.
        closes_at = self._delivered_at + settings.transaction_linger_seconds
        while len(batch) < settings.transaction_articles and size_bytes < settings.transaction_bytes:
            if not await self._is_read(len(batch), closes_at):
                break
            article = self._articles[len(batch)]
            article.settle()
            self._limit.count(dead=article.failure is not None)
            batch.append(article)
            size_bytes += article.output_bytes
        return [] if self._revoked else batch

    async def _is_read(self, index: int, closes_at: float) -> bool:
        """Wait for the result of the article in flight at `index`; False if the batch closes or the lane ends."""
        while not (len(self._articles) > index and self._articles[index].reading.done()):
            if self._revoked or (len(self._articles) <= index and self._last_orders):
                return False
            if 0 < index == len(self._articles) and self._shop.window.is_full:
                return False  # to wait for more would be to wait for the linger: nothing comes before something leaves
            self._changed.clear()
            wait_seconds = closes_at - time.monotonic() if index else None  # a batch begins whenever its first comes
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return not self._revoked

    async def _deliver(self, batch: list[Article]) -> None:
        """Deliver a batch through whatever the brokers do; an empty one only connects."""
        backoff = Backoff(self._settings)
        while True:
            try:
                async with asyncio.timeout(ATTEMPT_TIMES * self._settings.kafka.request_timeout_seconds):
                    await self._attempt(batch)
            except TOO_LARGE as error:
                await self._close()
                if len(batch) > 1:
                    for article in batch:
                        await self._deliver([article])
                    return
                _bury_too_large(batch[0], error)
            except (KafkaError, OSError, NoSeatError) as error:  # a TimeoutError is an OSError
                await self._close()
                if self._revoked:
                    return
                self._shop.metrics.publish_errors.inc()
                for article in batch:
                    article.trace.retried(type(error).__name__)
                log.warning("partition %d: delivery failed and is tried again: %s", self._number, describe(error))
                await backoff.pause(error)
            else:
                return

    async def _attempt(self, batch: list[Article]) -> None:
        if not self.connected:
            # A worker that has lost its seat without knowing it must not fence the one that has it now.
            if not await self._shop.consumer.is_member(self.generation):
                raise NoSeatError("the consumer group is rebalancing, or has given this worker up")
            self.next_offset = await self._delivery.open()
            self.connected = True
            log.debug("partition %d: open at offset %d", self._number, self.next_offset)
        ahead_from = self.next_offset
        ahead = [article for article in batch if article.raw.offset >= ahead_from]
        if ahead:
            outputs = [output for article in ahead for output in article.outputs]
            next_offset = ahead[-1].raw.offset + 1
            with self._shop.metrics.publish_seconds.time():
                await self._delivery.deliver(outputs, next_offset)
            self.next_offset = next_offset
        for article in batch:
            self._articles.popleft()
            self._shop.window.leave(article.size_bytes)
            if article.raw.offset >= ahead_from:
                article.trace.delivered(len(ahead), article.failure)
            else:
                article.trace.dropped("it was delivered before")
        self._count(ahead)

    def _count(self, delivered: list[Article]) -> None:
        now = time.time()
        metrics = self._shop.metrics
        for article in delivered:
            if article.failure is None:
                metrics.articles_enriched.inc()
            else:
                metrics.articles_failed.labels(reason=article.failure.reason).inc()
                trace_id = article.raw.trace_id or article.trace.trace_id
                where = logs.place(article.raw.topic, article.raw.partition, article.raw.offset, trace_id)
                log.warning("dead letter (%s): %s", article.failure.reason, article.failure.message, extra=where)
            metrics.end_to_end_seconds.observe(max(0.0, now - article.raw.timestamp_ms / 1000))
        if delivered:
            metrics.last_progress.set(now)
            self._shop.watchdog.progress()

    async def _close(self) -> None:
        self.connected = False
        await self._delivery.close()

    @property
    def _number(self) -> int:
        return int(self.partition.partition)


def _bury_too_large(article: Article, error: KafkaError) -> None:
    """Make an article whose outputs no topic takes a dead letter; raises `error` if it is one already."""
    if article.failure is not None:
        raise error
    largest = max(article.outputs, key=lambda output: len(output.value or b""))
    message = f"an event of {len(largest.value or b'')} bytes is more than {largest.topic} takes"
    article.bury(Failure(Reason.OUTPUT_TOO_LARGE, message, attempts=1))
