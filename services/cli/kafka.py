"""Kafka clients for the commands, and what is said when the brokers do not play along."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.topics import CATALOGUE, MEBIBYTE
from services.cli.console import UserError, explained, one_line
from services.enricher.admission import BrokerError, knock
from services.enricher.retry import describe
from services.enricher.settings import KafkaSettings, SettingsError, load_kafka_settings

Result = TypeVar("Result")
# aiokafka's classes are generic for type checkers alone.
Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

LARGEST_BYTES = max(topic.max_message_bytes for topic in CATALOGUE)
_REQUEST_BYTES = 64 * MEBIBYTE
# A broker that was only just started takes some seconds until it has a coordinator for idempotent producers.
_START_SECONDS = 30.0
_POLL_MS = 300
_FETCH_WAIT_MS = 50


def settings() -> KafkaSettings:
    """Return how to reach the brokers; raises UserError naming the variable that is wrong."""
    with explained(SettingsError):
        return load_kafka_settings()


def _options() -> dict[str, Any]:
    """Return what every client needs to reach the brokers; raises UserError naming the file that cannot be used."""
    with explained(SettingsError):
        return settings().client_options()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work to its end and return its result; what Kafka refuses becomes a UserError."""
    # What aiokafka says beside that is for a service's log, not for who waits at a terminal.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(work)
    except KafkaError as error:
        raise UserError(f"Kafka refused: {one_line(str(error))}") from None
    except TimeoutError:
        raise UserError(f"Kafka at {settings().bootstrap} does not answer in time") from None


@asynccontextmanager
async def admin() -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a connected admin client; raises UserError when no broker answers."""
    client = AIOKafkaAdminClient(**_options())
    await _started(client)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def producer() -> AsyncIterator[AIOKafkaProducer]:
    """Yield a connected producer that waits for all in-sync replicas and writes nothing twice."""
    client = AIOKafkaProducer(
        **_options(),
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        linger_ms=5,
        # The broker decides what is too large: its topic's limit is what counts, and more than this is no article.
        max_request_size=_REQUEST_BYTES,
    )
    await _started(client)
    try:
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def consumer(*partitions: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a connected consumer of these partitions, outside any group, that sees only what was committed.

    It stands at the partitions' end.
    """
    client = AIOKafkaConsumer(
        **_options(),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=LARGEST_BYTES,
        # A question about offsets waits in line behind the fetch that waits for messages.
        fetch_max_wait_ms=_FETCH_WAIT_MS,
    )
    await _started(client)
    try:
        client.assign(partitions)
        await client.seek_to_end()
        yield client
    finally:
        await client.stop()


async def partitions_of(*topics: str) -> list[TopicPartition]:
    """Return the topics' partitions; raises UserError naming the topic that is not there."""
    async with admin() as client:
        found = {topic["topic"]: topic["partitions"] for topic in await client.describe_topics()}
    for topic in topics:
        if topic not in found:
            where = settings().bootstrap
            raise UserError(f"there is no topic {topic} on {where}; make the topics with: onrecord topics create")
    return [TopicPartition(topic, part["partition"]) for topic in topics for part in found[topic]]


async def up_to_now(client: AIOKafkaConsumer) -> AsyncGenerator[Record, None]:
    """Yield what lies ahead of the consumer, up to where its partitions end when the reading begins."""
    ends = await client.end_offsets(client.assignment())
    ahead = set(ends)
    while ahead := {partition for partition in ahead if await client.position(partition) < ends[partition]}:
        for partition, records in (await client.getmany(*ahead, timeout_ms=_POLL_MS)).items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record


async def _started(client: Any) -> None:
    """Start a client, or close it and raise UserError with the reason in one line."""
    try:
        async with asyncio.timeout(_START_SECONDS):
            await knock(settings())
            await client.start()
    except (KafkaConnectionError, OSError) as error:  # a TimeoutError is an OSError
        await _closed(client)
        raise UserError(
            f"no Kafka broker answers at {settings().bootstrap} ({one_line(describe(error))}); "
            "start one with `onrecord broker up`, or set ONRECORD_KAFKA_BOOTSTRAP"
        ) from None
    except (BrokerError, KafkaError) as error:
        await _closed(client)
        raise UserError(one_line(str(error))) from None


async def _closed(client: Any) -> None:
    await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())
