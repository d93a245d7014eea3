"""The obvious reading in FastStream."""

import asyncio
import os
from typing import Any

from faststream import FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage

from schemas import topics
from tests.benchmarks.obvious import Obvious

reader = Obvious()
broker = KafkaBroker(os.environ["BENCH_BOOTSTRAP"])
app = FastStream(broker)


async def _undecoded(message: Any) -> bytes:
    return bytes(message.body)


@broker.subscriber(
    topics.RAW.name, group_id=os.environ["BENCH_GROUP"], auto_offset_reset="earliest", decoder=_undecoded
)
async def read(value: bytes, message: KafkaMessage) -> None:
    """Send the events of one article."""
    for output in reader.read(message.body):
        await broker.publish(output.value, output.topic, key=output.key)


if __name__ == "__main__":
    asyncio.run(app.run())
