"""Reads a part of the raw topic again, into the same output topics: `onrecord reprocess`.

A backfill is a worker like any other, in a consumer group of its own. Where the group begins is committed before the
worker starts, and where it ends lies beside each offset as Kafka's metadata. So the resume point moves in the same
transaction as the outputs, survives whatever kills the worker, is at hand on any machine, and several workers may share
one backfill. A file could do none of this. The live group has other offsets and transactional ids, and notices nothing.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from schemas.topics import MEBIBYTE, RAW
from services.enricher.app import Task
from services.enricher.retry import Backoff, describe
from services.enricher.scope import Scope
from services.enricher.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the progress is looked up."""

POLL_MS = 300

Offsets = dict[TopicPartition, int]
Point = datetime | Mapping[int, int] | None
"""A time, which stands for the first message of that time or a later one; an offset for each partition that is meant;
or nothing, which is now."""


class BackfillError(Exception):
    """A backfill cannot be begun, or resumed, as asked. The message is one line."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be read again of one partition, and with what. It is committed beside every offset, as JSON."""

    start: int
    until: int
    models: dict[str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill is, over all its workers, in offsets of the raw topic."""

    done: int
    total: int


class Backfill(Task):
    """A part of the raw topic to be read again. Make one with `begin` or `resume`, and run a worker with it."""

    def __init__(
        self, name: str, settings: Settings, parts: Mapping[TopicPartition, Part], rate: float | None, done: int = 0
    ) -> None:
        self.name = name
        self.settings = settings
        """The settings of its workers."""
        self.progress = Progress(done, sum(part.until - part.start for part in parts.values()))
        self.report: Callable[[Progress], None] = lambda _: None
        """Called with every look at the progress."""
        self._parts = parts
        self.scope = Scope({partition: part.until for partition, part in parts.items()}, rate, _notes(parts))

    @property
    def is_done(self) -> bool:
        """Whether everything was read and confirmed when the progress was last looked up."""
        return self.progress.done >= self.progress.total

    async def until_done(self, stop: asyncio.Event) -> None:
        """Look up the progress again and again, and set `stop` when all is read and confirmed."""
        backoff = Backoff(self.settings)
        while not stop.is_set():
            try:
                async with _client(self.settings, list(self._parts)) as client:
                    while not await self._look(client):
                        backoff = Backoff(self.settings)
                        await asyncio.sleep(LOOK_SECONDS)
                stop.set()
            except (KafkaError, OSError) as error:
                log.warning("the progress cannot be looked up: %s", describe(error))
                await backoff.pause(error)

    async def _look(self, client: AIOKafkaConsumer) -> bool:
        committed = await _committed(client, list(self._parts))
        # What retention deletes before it is read will never be.
        first = await client.beginning_offsets(list(self._parts))
        done = 0
        for partition, part in self._parts.items():
            reached = max(committed[partition].offset if partition in committed else 0, first[partition])
            done += max(0, min(reached, part.until) - part.start)
        self.progress = Progress(done, self.progress.total)
        self.report(self.progress)
        return self.is_done


async def begin(settings: Settings, name: str, start: Point, until: Point, rate: float | None = None) -> Backfill:
    """Commit the beginning of a new backfill, and return it; each worker reads `rate` articles a second at most.

    Raises BackfillError when there is one of that name, or the topic has no such partition or offset; KafkaError or
    OSError when the brokers refuse or do not answer.
    """
    own = _own(settings, name, settings.pipelines)
    partitions = await _partitions(settings)
    async with _client(own, partitions) as client:
        if await _committed(client, partitions):
            raise BackfillError(f"there is a backfill {name} already; go on with it by --resume {name}")
        first: Offsets = await client.beginning_offsets(partitions)
        end: Offsets = await client.end_offsets(partitions)
        ends = await _offsets(client, until, end, end)
        # A partition that is not meant begins where it ends.
        starts = await _offsets(client, start, end, ends)
        parts: dict[TopicPartition, Part] = {}
        for partition in partitions:
            begins = max(starts[partition], first[partition])
            bound = await _after_the_last(client, partition, begins, ends[partition])
            parts[partition] = Part(begins, bound, own.pipelines)
        backfill = Backfill(name, own, parts, rate)
        if not backfill.is_done:
            await _commit(client, parts)
    return backfill


async def resume(settings: Settings, name: str, rate: float | None = None) -> Backfill:
    """Return a backfill that was begun before; raises BackfillError when there is none, and what `begin` raises."""
    own = _own(settings, name, settings.pipelines)
    partitions = await _partitions(settings)
    async with _client(own, partitions) as client:
        committed = await _committed(client, partitions)
    try:
        parts = {partition: Part(**json.loads(offset.metadata)) for partition, offset in committed.items()}
    except (TypeError, ValueError):
        raise BackfillError(f"the consumer group {own.group_id} is not that of a backfill") from None
    if not parts:
        raise BackfillError(
            f"there is no backfill {name}, or the brokers have forgotten it (offsets.retention.minutes)"
        )
    done = sum(max(0, committed[partition].offset - part.start) for partition, part in parts.items())
    models = next(iter(parts.values())).models
    return Backfill(name, _own(settings, name, models), parts, rate, done)


def _own(settings: Settings, name: str, models: dict[str, str]) -> Settings:
    """Return the settings of a backfill's workers."""
    chosen = settings.model_fields_set
    return settings.model_copy(
        update={
            # Beneath the live group's name, so that rights on names that begin with it hold here too.
            "group_id": f"{settings.group_id}-reprocess-{name}",
            "instance_id": None,
            "event_source": f"{settings.event_source}:reprocess:{name}",
            "models": models,
            # Beside a live worker on the same machine; and quiet, because somebody looks on.
            "metrics_port": settings.metrics_port if "metrics_port" in chosen else 0,
            "log_level": settings.log_level if "log_level" in chosen else "WARNING",
        }
    )


async def _offsets(client: AIOKafkaConsumer, point: Point, end: Offsets, unmeant: Offsets) -> Offsets:
    """Return the offset that `point` means in each partition, `unmeant` where it means none; raises BackfillError."""
    if point is None:
        return end
    if isinstance(point, datetime):
        found = await client.offsets_for_times(dict.fromkeys(end, int(point.timestamp() * 1000)))
        # Where there is no message so late, it means the end.
        return {partition: min(at.offset, end[partition]) if at else end[partition] for partition, at in found.items()}
    meant = {TopicPartition(RAW.name, number): offset for number, offset in point.items()}
    for partition, offset in meant.items():
        if partition not in end:
            raise BackfillError(f"{RAW.name} has no partition {partition.partition}")
        if offset > end[partition]:
            raise BackfillError(f"partition {partition.partition} ends at offset {end[partition]}, before {offset}")
    return unmeant | meant


async def _after_the_last(client: AIOKafkaConsumer, partition: TopicPartition, first: int, until: int) -> int:
    """Return the offset that follows the last message from `first` on and below `until`; `first` if there is none.

    Up to `until` there may be nothing but the markers of transactions and what aborted ones left: of these no worker
    ever hears, and it could not commit that they are done.
    """
    width = 1
    while first < until:
        start = max(first, until - width)
        client.seek(partition, start)
        last = -1
        while await client.position(partition) < until:
            for record in (await client.getmany(partition, timeout_ms=POLL_MS)).get(partition, ()):
                last = max(last, record.offset if record.offset < until else -1)
        if last >= 0:
            return last + 1
        until, width = start, 2 * width
    return first


async def _commit(client: AIOKafkaConsumer, parts: Mapping[TopicPartition, Part]) -> None:
    """Commit where each partition begins, all of them or none."""
    notes = _notes(parts)
    starts = {partition: OffsetAndMetadata(part.start, notes[partition]) for partition, part in parts.items()}
    try:
        await client.commit(starts)
    except CommitFailedError:
        raise BackfillError("another process has begun the same backfill in this moment; resume it") from None


def _notes(parts: Mapping[TopicPartition, Part]) -> dict[TopicPartition, str]:
    return {partition: json.dumps(asdict(part)) for partition, part in parts.items()}


async def _committed(
    client: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """Return what the group has committed, for those partitions of which it has committed anything."""
    offsets = await cast(GroupCoordinator, client._coordinator).fetch_committed_offsets(list(partitions))
    return {partition: offset for partition, offset in offsets.items() if offset.offset >= 0}


async def _partitions(settings: Settings) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    try:
        await admin.start()
        (topic,) = await admin.describe_topics([RAW.name])
    finally:
        await admin.close()
    return [TopicPartition(RAW.name, number) for number in sorted(each["partition"] for each in topic["partitions"])]


@asynccontextmanager
async def _client(settings: Settings, partitions: Collection[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer that asks in the name of the group and is no member of it."""
    client = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        client_id=f"onrecord-{settings.group_id}",
        group_id=settings.group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=RAW.max_message_bytes + MEBIBYTE,
    )
    try:
        await client.start()
        client.assign(partitions)
        yield client
    finally:
        await client.stop()
