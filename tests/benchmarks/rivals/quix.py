"""The obvious reading in Quix Streams."""

import os

from quixstreams import Application

from schemas import topics
from tests.benchmarks.obvious import Obvious

reader = Obvious()
app = Application(
    broker_address=os.environ["BENCH_BOOTSTRAP"],
    consumer_group=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    loglevel="WARNING",
)
raw = app.topic(topics.RAW.name, key_deserializer="bytes", value_deserializer="bytes")

if __name__ == "__main__":
    with app.get_producer() as producer:

        def read(value: bytes) -> None:
            """Send the events of one article."""
            for output in reader.read(value):
                producer.produce(output.topic, key=output.key, value=output.value)
            producer.poll(0)

        app.dataframe(raw).update(read)
        app.run()
