"""The obvious reading in a Faust agent, as the tutorial has it."""

import os
from collections.abc import AsyncIterator

import faust

from schemas import topics
from tests.benchmarks.obvious import Obvious

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_BOOTSTRAP']}",
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
    topic_allow_declare=False,  # the topics are there
    web_enabled=False,
)
raw = app.topic(topics.RAW.name, value_type=bytes, value_serializer="raw")
outputs = {
    topic.name: app.topic(topic.name, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw")
    for topic in topics.OUTPUTS
}
reader = Obvious()


@app.agent(raw)
async def read(values: AsyncIterator[bytes]) -> None:
    """Send the events of each article."""
    async for value in values:
        for output in reader.read(value):
            await outputs[output.topic].send(key=output.key, value=output.value)


if __name__ == "__main__":
    faust.Worker(app, loglevel="WARN").execute_from_commandline()
