"""`python -m tests.chaos.endurance [ARTICLES]`: many articles through one real worker, and the memory that it takes.

The articles are halves of those that the project ships as samples, again and again under new ids: some 150 words each,
which is what agencies send most of.
"""

import asyncio
import itertools
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from schemas.topics import MEBIBYTE
from services.broker import Cluster
from tests.benchmarks.processes import memory, tree
from tests.chaos.harness import ROOT, Arena, Messages, Worker
from tests.chaos.scenarios import REAL

SAMPLES = ROOT / "services" / "cli" / "samples"
MEASUREMENTS = 10
SETTINGS = {"ONRECORD_CHILDREN": "2", "ONRECORD_ARTICLE_DEADLINE_SECONDS": "10"}


def halves() -> Iterator[dict[str, Any]]:
    """Yield the samples, cut in two between paragraphs."""
    for path in sorted(SAMPLES.glob("*.json")):
        if "broken" in path.name:
            continue
        article = orjson.loads(path.read_bytes())
        paragraphs = article["body"].split("\n")
        middle = len(paragraphs) // 2
        for part in (paragraphs[:middle], paragraphs[middle:]):
            yield {**article, "body": "\n".join(part)}


def samples(number: int) -> Messages:
    """Return so many articles."""
    for index, article in enumerate(itertools.islice(itertools.cycle(list(halves())), number)):
        yield f"sample-{index}", orjson.dumps({**article, "article_id": f"sample-{index}"})


async def measure(arena: Arena, worker: Worker, number: int) -> None:
    """Write a row whenever another part of the articles is done."""
    began = time.monotonic()
    sys.stdout.write("| articles | seconds | worker, MiB | nursery, MiB | children, MiB |\n|---|---|---|---|---|\n")
    for part in range(1, MEASUREMENTS + 1):
        await arena.until_committed(number * part // MEASUREMENTS, seconds=3600)
        own, nursery, *children = [memory(pid)["resident"] // MEBIBYTE for pid in tree([worker.pid])]
        row = [number * part // MEASUREMENTS, round(time.monotonic() - began), own, nursery]
        sys.stdout.write(f"| {' | '.join(map(str, row))} | {', '.join(map(str, children))} |\n")
        sys.stdout.flush()


async def endure(bootstrap: str, folder: Path, number: int) -> bool:
    """Return whether every article came out, once."""
    arena = Arena(bootstrap, folder, SETTINGS, reader=REAL)
    await arena.make_topics()
    worker = await arena.start_worker()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(arena.send(samples(number), rate=2000))
            await measure(arena, worker, number)
    finally:
        await arena.stop_workers()
    count = await arena.count()
    sys.stdout.write(f"lost {len(count.lost)}, foreign {len(count.foreign)}, duplicates {count.duplicates}\n")
    return not (count.lost or count.foreign or count.duplicates)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that broker and worker are stopped with us
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as place, Cluster(Path(place) / "kafka") as cluster:
        done = asyncio.run(endure(cluster.bootstrap, Path(place), int(sys.argv[1]) if sys.argv[1:] else 20_000))
    sys.exit(0 if done else 1)
