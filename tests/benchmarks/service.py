"""`python -m tests.benchmarks.service [ARTICLES [ROUNDS]]`: the whole service on a real Kafka, against others.

Every candidate gets through the same articles, each in its turn in every round, and is judged by the enriched articles
that a read_committed consumer sees. Two figures each: articles a second, from when they are sent to the last event, and
processor time an article, which counts even where the machine does something else besides. Rivals run in
dist/bench/venv (`make bench` makes it) and are left out where that is absent.
"""

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from schemas import topics
from services.broker import Cluster
from tests.benchmarks import processes
from tests.benchmarks.rounds import RESULTS, ROOT, ROUNDS, keep, texts
from tests.chaos.harness import FETCH_BYTES, POLL_SECONDS, Arena, administering

CORES = os.cpu_count() or 1
PATIENCE_SECONDS = 1800.0
"""How long a candidate may take before its first event, or for a run."""
WARM = 12
"""Articles before the clock runs: some for each partition, so that no process of a candidate reads its first later."""
RIVALS = RESULTS / "venv" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to run a reading behind Kafka."""

    module: str
    processes: int = 1
    children: int = CORES
    """Of each worker of ours."""
    rival: bool = True


CANDIDATES = {
    "onrecord": Candidate("tests.chaos.worker", rival=False),
    "Faust, one worker": Candidate("tests.benchmarks.rivals.faust_agent"),
    "Faust, one worker a core": Candidate("tests.benchmarks.rivals.faust_agent", processes=CORES),
    "Quix Streams": Candidate("tests.benchmarks.rivals.quix"),
    "FastStream": Candidate("tests.benchmarks.rivals.faststream_app"),
}
BARE = "our reading without Kafka, on all cores"


@dataclass(frozen=True, slots=True)
class Run:
    """What a candidate did."""

    articles_a_second: float
    cpu_seconds_an_article: float
    memory: tuple[Mapping[str, int], ...] = ()
    """Of each process after the run, in bytes."""


def messages(number: int, name: str = "bench") -> list[tuple[str, bytes]]:
    """Return raw articles with their keys, which begin with `name`."""
    return [
        (f"{name}-{index}", json.dumps({"article_id": f"{name}-{index}", "body": text}).encode())
        for index, text in enumerate(texts(number))
    ]


@contextmanager
def running(candidate: Candidate, bootstrap: str, group: str, log: Path) -> Iterator[list[int]]:
    """Run the processes of a candidate; yields their ids."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BENCH_BOOTSTRAP": bootstrap,
        "BENCH_GROUP": group,
        "ONRECORD_KAFKA_BOOTSTRAP": bootstrap,
        "ONRECORD_GROUP_ID": group,
        "ONRECORD_CHILDREN": str(candidate.children),
        "ONRECORD_METRICS_PORT": "0",
    }
    python = str(RIVALS) if candidate.rival and RIVALS.exists() else sys.executable
    with log.open("ab") as output:
        started = [
            subprocess.Popen([python, "-m", candidate.module], cwd=ROOT, env=environment, stdout=output, stderr=output)
            for _ in range(candidate.processes)
        ]
        try:
            yield [process.pid for process in started]
        finally:
            for process in started:
                process.terminate()
            for process in started:
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:  # it finishes an article first, and may have many
                    process.kill()
                    process.wait()


@asynccontextmanager
async def reading_events(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer of all enriched articles, as read_committed sees them."""
    consumer = AIOKafkaConsumer(
        topics.ENRICHED.name,
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def run(candidate: Candidate, arena: Arena, articles: list[tuple[str, bytes]], log: Path) -> Run:
    """Return how a candidate, warm and idle, gets through articles that come all at once."""
    await arena.make_topics()
    async with reading_events(arena.bootstrap) as consumer:
        group = f"bench-{time.time_ns()}"
        with running(candidate, arena.bootstrap, group, log) as pids:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await _assembled(arena.bootstrap, group, pids)
                await arena.send(messages(WARM, "warm"))
                await _until_seen(consumer, WARM)
                began, cpu_seconds = time.monotonic(), processes.cpu_seconds(pids)
                await arena.send(articles)
                await _until_seen(consumer, len(articles))
                seconds, used = time.monotonic() - began, processes.cpu_seconds(pids) - cpu_seconds
            memory = tuple(processes.memory(pid) for pid in processes.tree(pids))
            return Run(len(articles) / seconds, used / len(articles), memory)


async def _assembled(bootstrap: str, group: str, pids: list[int]) -> None:
    """Return when these processes are the members of a consumer group and have shared its partitions out.

    Raises RuntimeError where one of them has ended.
    """
    async with administering(bootstrap) as admin:
        while True:
            if not all(map(processes.is_running, pids)):
                raise RuntimeError("a candidate ended before it read anything: see its log in dist/bench")
            with suppress(KafkaError):  # before its first group, a broker has no coordinator
                (answer,) = await admin.describe_consumer_groups([group])
                (_, _, state, _, _, present, *_), *_ = answer.groups
                if state == "Stable" and len(present) == len(pids):
                    return
            await asyncio.sleep(POLL_SECONDS)


async def _until_seen(consumer: AIOKafkaConsumer, number: int) -> None:
    """Return when events of so many articles have come."""
    seen: set[bytes] = set()
    while len(seen) < number:
        seen.add((await consumer.getone()).key)


def bare(values: list[bytes], folder: Path) -> Run:
    """Return how our reading alone gets through the articles."""
    (folder / "articles.jsonl").write_bytes(b"\n".join(values))
    command = [sys.executable, "-m", "tests.benchmarks.rivals.bare", str(folder / "articles.jsonl"), str(CORES)]
    took = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    return Run(took["articles"] / took["seconds"], took["cpu_seconds"] / took["articles"])


async def compare(bootstrap: str, folder: Path, number: int, rounds: int) -> dict[str, list[Run]]:
    """Return the runs of every candidate."""
    articles = messages(number)
    arena = Arena(bootstrap, folder, {})
    chosen = {name: each for name, each in CANDIDATES.items() if RIVALS.exists() or "rivals" not in each.module}
    runs: dict[str, list[Run]] = {name: [] for name in [*chosen, BARE]}
    for turn in range(rounds):
        for name in [*chosen, BARE] if turn % 2 == 0 else [BARE, *reversed(chosen)]:
            if name == BARE:
                runs[name].append(await asyncio.to_thread(bare, [value for _, value in articles], folder))
            else:
                runs[name].append(await run(chosen[name], arena, articles, RESULTS / f"{chosen[name].module}.log"))
            sys.stdout.write(f"round {turn + 1}: {name}: {_said(runs[name][-1])}\n")
            sys.stdout.flush()
    return runs


def _said(one: Run) -> str:
    return f"{one.articles_a_second:.2f} articles/s, {one.cpu_seconds_an_article:.3f} CPU s an article"


def main(number: int = 200, rounds: int = ROUNDS) -> None:
    """Compare, print medians and ratios, and keep the raw results."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, Cluster(Path(place) / "kafka") as cluster:
        runs = asyncio.run(compare(cluster.bootstrap, Path(place), number, rounds))
    table = {
        name: {
            "articles_a_second": statistics.median(one.articles_a_second for one in each),
            "cpu_seconds_an_article": statistics.median(one.cpu_seconds_an_article for one in each),
            "memory": [dict(process) for process in each[-1].memory],
            "rounds": [[one.articles_a_second, one.cpu_seconds_an_article] for one in each],
        }
        for name, each in runs.items()
    }
    keep("service", {"articles": number, "candidates": table})
    for name, row in table.items():
        sys.stdout.write(f"| {name} | {row['articles_a_second']:.2f} | {row['cpu_seconds_an_article']:.3f} |\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
