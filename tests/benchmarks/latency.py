"""`python -m tests.benchmarks.latency [ARTICLES]`: from the raw event's timestamp to its committed outputs, by load.

One worker with its default settings and two children, exactly once, on a real Kafka on this machine. First a backlog
tells its capacity; then ARTICLES come at random (exponential gaps, the same in every run) at shares of that. The
latency of an article runs from the moment that the broker appended its raw event (LogAppendTime) to the moment that a
read_committed consumer here has its enriched event, on the clock of the same host. Articles are sent when they are due,
whatever the worker does. Beside it: an article read alone, and the way through Kafka with a reader that does nothing.
"""

import asyncio
import itertools
import logging
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from services.extraction.threads import ONE_THREAD

if __name__ == "__main__":
    os.environ |= ONE_THREAD

from aiokafka import AIOKafkaConsumer

from schemas import topics
from services.broker import Cluster
from services.enricher.messages import Message
from services.enricher.reading import Reader
from services.enricher.settings import load_settings
from tests.benchmarks.rounds import keep
from tests.benchmarks.service import messages, reading_events
from tests.chaos.harness import STUB, Arena
from tests.chaos.scenarios import REAL

LOADS = (0.25, 0.5, 0.75, 0.95)
NO_READING = "50 %, nothing read"
TARGET_MS = 150
"""What the median at half load may take beyond the reading of one article."""
PATIENCE_SECONDS = 1800.0
WARM = 24
SEED = 9
SETTINGS = {
    "ONRECORD_CHILDREN": "2",
    "ONRECORD_ARTICLE_DEADLINE_SECONDS": "10",  # the arena's own is for small articles
    "STUB_SECONDS": "0",
}
Articles = Sequence[tuple[str, bytes]]


def due(number: int, rate: float) -> list[float]:
    """Return when so many articles are sent that come independently of each other, `rate` a second on average."""
    numbers = random.Random(SEED)
    return list(itertools.accumulate(numbers.expovariate(rate) for _ in range(number)))


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return the 50th, 90th and 99th percentile."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"p{percent}": cuts[percent - 1] for percent in (50, 90, 99)}


def alone_ms(articles: Articles) -> list[float]:
    """Return how long each article takes when it is read alone and without Kafka."""
    reader = Reader(load_settings())
    reader.read([Message(value, ()) for _, value in articles[:8]])
    taken = []
    for _, value in articles:
        started = time.perf_counter()
        reader.read([Message(value, ())])
        taken.append(1e3 * (time.perf_counter() - started))
    return taken


async def arrivals(consumer: AIOKafkaConsumer, number: int) -> dict[bytes, float]:
    """Return when the first event of each of the next `number` articles came, in milliseconds of Unix time."""
    seen: dict[bytes, float] = {}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(seen) < number:
            record = await consumer.getone()
            seen.setdefault(record.key, 1e3 * time.time())
    return seen


async def send(arena: Arena, articles: Articles, moments: Sequence[float]) -> None:
    """Send each article at its moment, in seconds from now."""
    async with arena.producer() as producer:
        began = time.monotonic()
        for (key, value), moment in zip(articles, moments, strict=True):
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            await producer.send(topics.RAW.name, key=key.encode(), value=value)


@asynccontextmanager
async def service(bootstrap: str, folder: Path, reader: str) -> AsyncIterator[tuple[Arena, AIOKafkaConsumer]]:
    """Run one warm worker on fresh topics, and a consumer of what it makes."""
    arena = Arena(bootstrap, folder, SETTINGS, reader=reader)
    await arena.make_topics()
    size = {"max.message.bytes": str(topics.RAW.max_message_bytes)}
    await arena.configure(topics.RAW.name, size | {"message.timestamp.type": "LogAppendTime"})
    await arena.start_worker()
    try:
        async with reading_events(bootstrap) as consumer:
            await asyncio.gather(arena.send(messages(WARM, "warm")), arrivals(consumer, WARM))
            yield arena, consumer
    finally:
        await arena.stop_workers()


async def capacity(arena: Arena, consumer: AIOKafkaConsumer, number: int) -> float:
    """Return how many articles a second a backlog is read at."""
    began = time.monotonic()
    await asyncio.gather(arena.send(messages(number, "backlog")), arrivals(consumer, number))
    return number / (time.monotonic() - began)


async def latencies_ms(arena: Arena, consumer: AIOKafkaConsumer, number: int, rate: float) -> list[float]:
    """Return the latency of each article when they come at `rate` a second."""
    articles = messages(number, f"{rate}")
    _, seen = await asyncio.gather(send(arena, articles, due(number, rate)), arrivals(consumer, number))
    appended = {record.key: record.timestamp for record in await arena.read(topics.RAW.name)}
    return [moment - appended[key] for key, moment in seen.items()]


async def measure(bootstrap: str, folder: Path, number: int) -> tuple[float, dict[str, list[float]]]:
    """Return the capacity in articles a second, and the latencies at each load."""
    async with service(bootstrap, folder, REAL) as running:
        most = await capacity(*running, number)
        loads = {f"{100 * load:.0f} %": await latencies_ms(*running, number, load * most) for load in LOADS}
    async with service(bootstrap, folder, STUB) as running:
        loads[NO_READING] = await latencies_ms(*running, number, 0.5 * most)
    return most, loads


def main(number: int = 300) -> None:
    """Measure, print percentiles, and keep every latency."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    alone = alone_ms(messages(min(number, 60)))
    with tempfile.TemporaryDirectory() as place, Cluster(Path(place) / "kafka") as cluster:
        most, loads = asyncio.run(measure(cluster.bootstrap, Path(place), number))
    excess = statistics.median(loads["50 %"]) - statistics.median(alone)
    results = {"capacity_articles_a_second": most, "alone_ms": alone, "latencies_ms": loads}
    keep("latency", {"articles": number, "median_beyond_reading_at_half_load_ms": excess, **results})
    rows = {"read alone, no Kafka": alone, **loads}
    lines = [
        f"capacity {most:.2f} articles a second",
        "| load | p50, ms | p90, ms | p99, ms |\n|---|---|---|---|",
        *(
            f"| {name} | {' | '.join(f'{each:.0f}' for each in percentiles(row).values())} |"
            for name, row in rows.items()
        ),
        f"half load, median beyond the reading of one article: {excess:.0f} ms (target {TARGET_MS})",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
