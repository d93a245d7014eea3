"""Producers: how a finished message gets to Kafka and how a producer that cannot be trusted any more is thrown away."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas import topics
from services.enricher.messages import Outgoing
from services.enricher.settings import MEBIBYTE, Settings

Confirmation = asyncio.Future[object]

LARGEST_MESSAGE_BYTES = max(topic.max_message_bytes for topic in topics.CATALOGUE) + MEBIBYTE
"""What a producer lets through; the broker's limit of each topic is the one that counts."""

BATCH_BYTES = MEBIBYTE
"""Messages of one partition that travel together. Events are some 10 kB: aiokafka's default of 16 kB sends each alone,
one round trip after the other. Above the topics' smallest limit the broker would refuse the batch as one message."""

CLOSE_SECONDS = 2.0
"""How long a producer may take to close before it is dropped as it is."""


def new_producer(settings: Settings, transactional_id: str | None = None) -> AIOKafkaProducer:
    """Return a producer, not yet started: idempotent, and satisfied only when all in-sync replicas have a message."""
    return AIOKafkaProducer(
        **settings.kafka.client_options(),
        client_id=f"onrecord-{settings.group_id}",
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        max_request_size=LARGEST_MESSAGE_BYTES,
        max_batch_size=BATCH_BYTES,
        transactional_id=transactional_id,
        transaction_timeout_ms=int(settings.transaction_timeout_seconds * 1000),
    )


async def send(producer: AIOKafkaProducer, messages: Sequence[Outgoing]) -> None:
    """Send messages in their order and wait until the brokers confirmed every one.

    Raises the first failure, KafkaError as a rule; then any subset of the messages may have arrived.
    """
    confirmations: list[Confirmation] = []
    try:
        for message in messages:
            confirmations.append(await _enqueue(producer, message))  # noqa: PERF401 - those sent before a failure count
        await asyncio.gather(*confirmations)
    finally:
        for confirmation in confirmations:
            # A failure is raised once; those of the other messages count as seen.
            if confirmation.done() and not confirmation.cancelled():
                confirmation.exception()


async def _enqueue(producer: AIOKafkaProducer, message: Outgoing) -> Confirmation:
    confirmation: Confirmation
    if message.key is not None or message.value is not None:
        confirmation = await producer.send(
            message.topic,
            key=message.key,
            value=message.value,
            headers=message.headers,
            timestamp_ms=message.timestamp_ms,
        )
        return confirmation
    # A raw message without key and value is a dead letter like any other, but producer.send() refuses such a message.
    partition = min(await producer.partitions_for(message.topic))
    batch = producer.create_batch()
    batch.append(key=None, value=None, timestamp=message.timestamp_ms, headers=message.headers)
    confirmation = await producer.send_batch(batch, message.topic, partition=partition)
    return confirmation


async def discard(producer: AIOKafkaProducer) -> None:
    """Drop a producer with whatever it has not sent.

    Unlike stop() this never flushes: what a failed delivery left in the buffer is sent anew by the next producer, and
    must not arrive a second time, later and out of order.
    """
    producer._closed = True
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await producer.client.close()
    sending: asyncio.Task[None] | None = producer._sender.sender_task
    if sending is None:
        return
    sending.cancel()
    await asyncio.wait({sending}, timeout=CLOSE_SECONDS)
    if not sending.done():
        sending.cancel()  # the first was spent on waiting for requests that nobody answers
    elif not sending.cancelled():
        sending.exception()  # the delivery that it failed has seen it
