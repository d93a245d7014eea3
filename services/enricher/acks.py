"""At least once: every output is confirmed before the offset moves, and the offset moves in order.

A worker that dies between the two leaves its outputs behind; whoever comes next sends them again, with the same ids.
"""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition

from services.enricher.consumer import Consumer
from services.enricher.messages import Outgoing
from services.enricher.publish import discard, new_producer, send
from services.enricher.settings import Settings


class AtLeastOnce:
    """Delivery for brokers without transactions, and for the lowest latency."""

    def __init__(
        self, partition: TopicPartition, generation: int, settings: Settings, consumer: Consumer, note: str = ""
    ) -> None:
        self._partition = partition
        self._generation = generation
        self._settings = settings
        self._consumer = consumer
        self._note = note
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> int:
        """Connect a producer and return the committed offset."""
        self._producer = new_producer(self._settings)
        await self._producer.start()
        return await self._consumer.starting_offset(self._partition)

    async def deliver(self, outputs: Sequence[Outgoing], offset: int) -> None:
        """Send, wait for every confirmation, then commit; the broker refuses the commit of a former generation."""
        assert self._producer is not None, "open() comes first"
        await send(self._producer, outputs)
        await self._consumer.commit_offset(self._partition, offset, self._generation, self._note)

    async def close(self) -> None:
        """Drop the producer."""
        if self._producer is not None:
            await discard(self._producer)
            self._producer = None
