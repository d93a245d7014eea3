"""`python -m tests.benchmarks.growth [ARTICLES [BACKLOG [ROUNDS]]]`: what more articles and more workers change.

First one real worker with two children reads ARTICLES short articles. At a hundredth, a tenth and the end of them: the
processor time an article took since the mark before, and the memory of each process, with the part of the models' pages
that the children still share. Then one worker and two, of one child each, read the same backlog in turns. (Cost by
length and by extractor: reading.py.)
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas.topics import MEBIBYTE
from services.broker import Cluster
from tests.benchmarks import processes
from tests.benchmarks.rounds import RESULTS, ROUNDS, keep
from tests.benchmarks.service import Candidate, Run, messages, run
from tests.chaos.endurance import SETTINGS, samples
from tests.chaos.harness import Arena
from tests.chaos.scenarios import REAL

WORKERS = {
    "one worker": Candidate("tests.chaos.worker", children=1, rival=False),
    "two workers": Candidate("tests.chaos.worker", processes=2, children=1, rival=False),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A worker when it has read so many articles."""

    articles: int
    articles_a_second: float | None
    """Since the mark before; None at the start."""
    cpu_seconds_an_article: float | None
    worker: dict[str, int]
    """Memory in bytes (see processes.memory)."""
    nursery: dict[str, int]
    children: list[dict[str, int]]


def still_shared(start: Mark, now: Mark) -> float:
    """Return which part of the pages that children had of their nursery when they were forked they still share."""
    before, after = (sum(child["inherited"] for child in mark.children) / len(mark.children) for mark in (start, now))
    return after / before


async def along(bootstrap: str, folder: Path, number: int) -> list[Mark]:
    """Return a worker at its start and at each mark."""
    arena = Arena(bootstrap, folder, SETTINGS, reader=REAL)
    await arena.make_topics()
    worker = await arena.start_worker()
    try:
        await worker.said("children are ready")
        marks = [_mark(worker.pid, 0)]
        done, began, spent = 0, time.monotonic(), processes.cpu_seconds([worker.pid])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(arena.send(samples(number), rate=2000))
            for goal in (number // 100, number // 10, number):
                async for committed in arena.progress():
                    if (count := sum(committed.values())) >= goal:
                        break
                if count == done:  # so few articles that one batch had reached this mark, too
                    continue
                now, used = time.monotonic(), processes.cpu_seconds([worker.pid])
                marks.append(_mark(worker.pid, count, (count - done) / (now - began), (used - spent) / (count - done)))
                done, began, spent = count, now, used
        return marks
    finally:
        await arena.stop_workers()


def _mark(pid: int, articles: int, rate: float | None = None, cost: float | None = None) -> Mark:
    worker, nursery, *children = [processes.memory(each) for each in processes.tree([pid])]
    return Mark(articles, rate, cost, worker, nursery, children)


async def by_workers(bootstrap: str, folder: Path, number: int, rounds: int) -> dict[str, list[Run]]:
    """Return what one worker and two do, in turns."""
    arena, articles = Arena(bootstrap, folder, {}), messages(number)
    runs: dict[str, list[Run]] = {name: [] for name in WORKERS}
    for turn in range(rounds):
        for name in list(WORKERS) if turn % 2 == 0 else reversed(WORKERS):
            runs[name].append(await run(WORKERS[name], arena, articles, RESULTS / "growth.log"))
    return runs


def main(number: int = 10_000, backlog: int = 100, rounds: int = ROUNDS) -> None:
    """Measure, print two tables and keep everything."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, Cluster(Path(place) / "kafka") as cluster:
        marks = asyncio.run(along(cluster.bootstrap, Path(place), number))
        runs = asyncio.run(by_workers(cluster.bootstrap, Path(place), backlog, rounds))
    rates = {name: [one.articles_a_second for one in each] for name, each in runs.items()}
    gain = statistics.median(two / one for one, two in zip(*rates.values(), strict=True))
    keep("growth", {"marks": [asdict(mark) for mark in marks], "workers": rates, "gain_of_a_second_worker": gain})
    sys.stdout.write(
        "| articles | a second | CPU s an article | worker, RSS / PSS MiB | nursery | children (own) | shared |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    for mark in marks:
        sys.stdout.write(f"| {' | '.join(_row(marks[0], mark))} |\n")
    for name, each in rates.items():
        sys.stdout.write(f"{name}: {statistics.median(each):.2f} articles a second\n")
    sys.stdout.write(f"two workers read {gain:.2f} times as much as one\n")


def _row(start: Mark, mark: Mark) -> list[str]:
    speed = ["", ""]
    if mark.articles_a_second is not None:
        speed = [f"{mark.articles_a_second:.1f}", f"{mark.cpu_seconds_an_article:.3f}"]
    children = ", ".join(f"{_sizes(child)} ({child['private'] // MEBIBYTE})" for child in mark.children)
    return [str(mark.articles), *speed, _sizes(mark.worker), _sizes(mark.nursery), children,
            f"{still_shared(start, mark):.0%}"]  # fmt: skip


def _sizes(memory: dict[str, int]) -> str:
    return f"{memory['resident'] // MEBIBYTE} / {memory['proportional'] // MEBIBYTE}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
