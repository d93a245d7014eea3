"""The reading side: Faust's consumer, set up and made safe, and the group it is a member of.

Faust reads and follows rebalances. It never commits: the offsets are ours (acks.py, transactions.py).
"""

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage
from yarl import URL

from schemas.topics import RAW
from services.enricher.messages import traceparent
from services.enricher.settings import MEBIBYTE, Settings

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw message and where it came from."""

    topic: str
    partition: int
    offset: int
    generation: int
    """Of the consumer group when the message was fetched."""
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp_ms: int
    fetched_ns: int = 0
    """When it came from the broker, in nanoseconds of Unix time; 0 where nobody has noted it."""

    @property
    def size_bytes(self) -> int:
        """Bytes of key, value and headers."""
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers

    @property
    def trace_id(self) -> str | None:
        """The trace that the message belongs to, from its W3C traceparent header if it has one that is well formed.

        It goes to the log, where no other text of a message may go.
        """
        context = traceparent(self.headers)
        return context.split("-")[1] if context is not None else None

    @classmethod
    def of(cls, message: ConsumerMessage) -> "Raw":
        """Return what Faust's message carries."""
        return cls(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            generation=-1 if message.generation_id is None else message.generation_id,
            key=message.key,
            value=message.value,
            headers=list(cast(Iterable[tuple[str, bytes]], message.headers or ())),
            timestamp_ms=round(message.timestamp * 1000),
            fetched_ns=round((message.time_in or 0) * 1e9),
        )


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer, so that heartbeats go on whatever the main loop does."""

    logger = logging.getLogger("faust")  # else mode makes one of our name for its own chatter

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        settings = cast(Transport, transport).settings
        options = settings.kafka.client_options()
        # A rebalance answers when the slowest member has joined: a request must be allowed to wait that long.
        rebalance_seconds = settings.rebalance_timeout_seconds
        options["request_timeout_ms"] = int((rebalance_seconds + settings.kafka.request_timeout_seconds) * 1000)
        return AIOKafkaConsumer(
            **options,
            client_id=f"onrecord-{settings.group_id}",
            group_id=settings.group_id,
            group_instance_id=settings.instance_id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            # A new group, or one whose offsets have aged out of the topic, begins with the oldest article there is.
            auto_offset_reset="earliest",
            # Articles of a producer's aborted transaction were never published.
            isolation_level="read_committed",
            # What is fetched and not yet taken waits in memory: no more of it than a few batches.
            max_poll_records=settings.in_flight_articles,
            max_partition_fetch_bytes=RAW.max_message_bytes + MEBIBYTE,
            session_timeout_ms=int(settings.session_timeout_seconds * 1000),
            # Three heartbeats may be lost before the session is.
            heartbeat_interval_ms=int(settings.session_timeout_seconds / 4 * 1000),
            rebalance_timeout_ms=int(rebalance_seconds * 1000),
            # Back-pressure and broker outages keep the consumer from polling: what is stuck is the watchdog's to say.
            max_poll_interval_ms=int(2 * settings.retry_deadline_seconds + rebalance_seconds) * 1000,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to where each assigned partition is to be read on from.

        Faust leaves the position alone where nothing is committed. But it calls this after it has thrown fetched
        records away, and in a new group these would then never be read.
        """
        return cast(Mapping[TP, int], await self.call_thread(self._seek_to_committed))

    async def _seek_to_committed(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        offsets = await self.starting_offsets(consumer.assignment())
        for partition, offset in offsets.items():
            consumer.seek(partition, offset)
        return cast(Mapping[TP, int], offsets)

    async def ask_ends(self, partitions: Collection[TopicPartition]) -> None:
        """Ask the brokers where these partitions end now, for those that are assigned. Runs in this thread.

        aiokafka learns it from fetches alone, and fetches nothing for a partition whose last fetch nobody has taken.
        """
        consumer = self._ensure_consumer()
        ends = await consumer.end_offsets(partitions)
        if (assignment := consumer._subscription.subscription.assignment) is None:
            return
        for partition in assignment.tps & ends.keys():
            state = assignment.state_value(partition)
            state.lso = max(state.lso or 0, ends[partition])

    async def starting_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where each partition is to be read on from: its committed offset, or its beginning.

        The beginning where nothing is committed, and where the topic does not reach as far as what is: then it was
        made anew, and what it holds now was never read. Runs in this thread.
        """
        consumer = self._ensure_consumer()
        committed = await cast(GroupCoordinator, consumer._coordinator).fetch_committed_offsets(list(partitions))
        first = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        return {
            partition: committed[partition].offset
            if partition in committed and 0 <= committed[partition].offset <= end[partition]
            else first[partition]
            for partition in partitions
        }


class Consumer(driver.Consumer):
    """Faust's consumer, and our seat in the consumer group."""

    _thread: ConsumerThread

    logger = logging.getLogger("faust")  # else mode makes one of our name for its own chatter

    _fetched_at = 0.0
    """When the latest messages came from the broker, in seconds of Unix time."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def generation(self) -> int:
        """The generation of the group that Faust works in."""
        return int(self.app.consumer_generation_id)

    async def commit_offset(self, partition: TopicPartition, offset: int, generation: int, note: str = "") -> None:
        """Commit the offset of the next message to read, with a note beside it.

        Raises CommitFailedError when this worker has lost its seat in `generation` of the group, KafkaError otherwise.
        """
        await self._in_thread(self._commit_offset(partition, OffsetAndMetadata(offset, note), generation))

    async def starting_offset(self, partition: TopicPartition) -> int:
        """Return the offset of the first message that is not delivered, as the broker has it committed now."""
        offsets = await self._in_thread(self._thread.starting_offsets([partition]))
        return offsets[partition]

    async def ask_ends(self, partitions: Collection[TopicPartition]) -> None:
        """Have `lag` know what has come by now, also when nothing is fetched. Raises KafkaError."""
        if partitions:
            await self._in_thread(self._thread.ask_ends(partitions))

    def lag(self, partition: TopicPartition, next_offset: int | None, end: int | None = None) -> int:
        """Return how many messages lie ahead of `next_offset`, or of the position of the fetching if that is None.

        They are counted to `end`, or to the end of the partition. A message here may also be a marker of a producer's
        transaction. 0 while the broker has not said yet.
        """
        assignment = self._aiokafka._subscription.subscription.assignment
        state = assignment.state_value(partition) if assignment else None
        if state is None or not state.has_valid_position or state.lso is None:
            return 0
        last = int(state.lso) if end is None else min(int(state.lso), end)
        return max(0, last - int(state.position if next_offset is None else next_offset))

    def pause(self, partition: TopicPartition) -> None:
        """Fetch no more of a partition for as long as it is assigned."""
        self.pause_partitions({TP(*partition)})

    async def is_member(self, generation: int) -> bool:
        """Ask the broker whether this worker still has its seat in `generation` of the group.

        False as well while the broker does not answer and while the group rebalances.
        """
        return await self._in_thread(self._heartbeat(generation))

    async def check(self) -> None:
        """Raise what ails the group membership, such as KafkaError for a lost permission.

        aiokafka keeps such an error, and stops coordinating, until somebody asks; Faust never does. After it there is
        no heartbeat any more, so the group is joined anew.
        """
        await self._in_thread(self._check())

    @property
    def _aiokafka(self) -> AIOKafkaConsumer:
        return self._thread._ensure_consumer()

    @property
    def _coordinator(self) -> GroupCoordinator:
        return cast(GroupCoordinator, self._aiokafka._coordinator)

    async def _commit_offset(self, partition: TopicPartition, offset: OffsetAndMetadata, generation: int) -> None:
        coordinator = self._coordinator
        if coordinator.generation != generation:
            raise CommitFailedError(f"generation {generation} of the group is over")
        # The consumer's own commit() refuses while partitions are being revoked; the broker does not, and what was
        # confirmed in time need not be sent again by the next owner.
        await coordinator.commit_offsets(None, {partition: offset})

    async def _heartbeat(self, generation: int) -> bool:
        coordinator = self._coordinator
        alive = await coordinator._do_heartbeat()
        rejoins = coordinator._rejoin_needed_fut.done()
        return bool(alive and not rejoins and coordinator.generation == generation)

    async def _check(self) -> None:
        try:
            self._coordinator.check_errors()
        except KafkaError:
            self._coordinator.request_rejoin()
            raise

    @property
    def is_started(self) -> bool:
        """Whether there is a consumer yet to ask anything of."""
        return self._thread._consumer is not None and self._thread._consumer._coordinator is not None

    async def _in_thread(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine in the consumer's thread; cancelling here cancels it there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._thread.thread_loop))

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109 - Faust's
        records: RecordMap = await super()._getmany(active_partitions, timeout)
        self._fetched_at = time.time()
        return records

    def _to_message(self, tp: TP, record: ConsumerRecord[bytes, bytes]) -> ConsumerMessage:
        message = super()._to_message(tp, record)
        message.time_in = self._fetched_at  # for Faust's monitor, which does not run
        return message

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        raise AssertionError(f"Faust wants to commit {offsets}; only deliveries commit")


class Transport(driver.Transport):
    """Faust's way to Kafka, with our consumer."""

    Consumer = Consumer

    def __init__(self, settings: Settings, app: AppT) -> None:
        self.settings = settings
        super().__init__([URL(f"kafka://{address}") for address in settings.kafka.bootstrap.split(",")], app)
