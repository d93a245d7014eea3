"""Exactly once: outputs, dead letters and the source offset in one Kafka transaction of the partition's own producer.

The transactional id is the partition's, so whoever opens it fences its former owner and ends that owner's transaction
(KIP-98). The committed offset is read after that: before, the former owner might still have moved it. What lies below
it is skipped. Hence no output is visible twice to a consumer that reads committed, whoever wrongly believes to own the
partition: a worker that slept past its session and comes back is fenced, or has missed nothing.
"""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError
from aiokafka.structs import OffsetAndMetadata

from services.enricher.consumer import Consumer
from services.enricher.messages import Outgoing
from services.enricher.publish import discard, new_producer, send
from services.enricher.settings import Settings


def transactional_id(settings: Settings, name: str) -> str:
    """Return the transactional id of a partition, or of anything else that this group names."""
    return f"{settings.group_id}-{name}"


class TransactionEndedError(KafkaError):
    """The broker has ended the transaction, or fenced the producer, while it was still being filled."""


class ExactlyOnce:
    """Delivery by transactions."""

    def __init__(self, partition: TopicPartition, settings: Settings, consumer: Consumer, note: str = "") -> None:
        self._partition = partition
        self._settings = settings
        self._consumer = consumer
        self._note = note
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> int:
        """Fence the former owner, and only then return the committed offset."""
        name = f"{self._partition.topic}-{self._partition.partition}"
        self._producer = new_producer(self._settings, transactional_id(self._settings, name))
        await self._producer.start()
        return await self._consumer.starting_offset(self._partition)

    async def deliver(self, outputs: Sequence[Outgoing], offset: int) -> None:
        """Send everything in one transaction. One that fails is left to the next open() to abort."""
        assert self._producer is not None, "open() comes first"
        progress = {self._partition: OffsetAndMetadata(offset, self._note)}
        try:
            await self._producer.begin_transaction()
            await send(self._producer, outputs)
            await self._producer.send_offsets_to_transaction(progress, self._settings.group_id)
            await self._producer.commit_transaction()
        except (IllegalOperation, AssertionError) as error:
            # aiokafka's sender ends a transaction in the background when a broker refuses it, as a fenced owner's.
            # Which call of ours comes next decides how we hear of it: most raise the refusal, these do not.
            raise TransactionEndedError(str(error)) from error

    async def close(self) -> None:
        """Drop the producer."""
        if self._producer is not None:
            await discard(self._producer)
            self._producer = None
