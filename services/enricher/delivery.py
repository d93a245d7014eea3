"""The one small interface of both delivery modes."""

from collections.abc import Callable, Sequence
from typing import Protocol

from aiokafka import TopicPartition

from services.enricher.messages import Outgoing


class Delivery(Protocol):
    """How the outputs of one partition, and its progress, reach Kafka. It belongs to one lane.

    After any error it is closed and opened anew: only the offset that `open` returns tells what has arrived.
    """

    async def open(self) -> int:
        """Connect, and return where to go on: every message below this offset was delivered, by whomever."""
        ...

    async def deliver(self, outputs: Sequence[Outgoing], offset: int) -> None:
        """Return when every output is confirmed and `offset`, that of the next message to read, is committed.

        Raises KafkaError; what has arrived is then unknown.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection, and of whatever was not sent."""
        ...


MakeDelivery = Callable[[TopicPartition, int], Delivery]
"""Makes the delivery of a partition that this worker was assigned in a generation of its group."""
