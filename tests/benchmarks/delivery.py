"""`python -m tests.benchmarks.delivery [real]`: what the transactions of exactly_once cost against at_least_once.

One worker of each mode in turn reads the same backlog of small articles; seven rounds, medians, and their ratio. The
reader does nothing, so that the delivery is all there is to measure; with `real` it is the real one, as in production.
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

from services.broker import Cluster
from tests.chaos.harness import STUB, Arena, articles
from tests.chaos.scenarios import REAL

ROUNDS = 7
MODES = ("exactly_once", "at_least_once")
BACKLOG = {STUB: 10_000, REAL: 1_000}
"""Articles a run: some seconds of work."""


async def articles_a_second(bootstrap: str, folder: Path, mode: str, reader: str, backlog: int) -> float:
    """Return the rate at which one worker gets through the topic, between its first commit and its last."""
    settings = {"ONRECORD_DELIVERY": mode, "ONRECORD_CHILDREN": "2", "STUB_SECONDS": "0"}
    arena = Arena(bootstrap, Path(tempfile.mkdtemp(dir=folder)), settings, reader=reader)
    began: tuple[float, int] | None = None
    await arena.start_worker()
    try:
        async for committed in arena.progress():
            done = sum(committed.values())
            if began is None and done > 0:
                began = time.monotonic(), done
            if done >= backlog:
                break
    finally:
        await arena.stop_workers()
    assert began is not None
    return (backlog - began[1]) / (time.monotonic() - began[0])


async def main(bootstrap: str, folder: Path, reader: str) -> None:
    """Print a table of the rounds."""
    backlog = BACKLOG[reader]
    arena = Arena(bootstrap, folder, {})
    await arena.make_topics()
    await arena.send(articles("a", backlog))
    sys.stdout.write(f"| round | {' | '.join(MODES)} | ratio |\n|---|---|---|---|\n")
    rounds: list[list[float]] = []
    for number in range(1, ROUNDS + 1):
        order = MODES if number % 2 else MODES[::-1]  # neither mode is always the one on the warmer machine
        rates = {mode: await articles_a_second(bootstrap, folder, mode, reader, backlog) for mode in order}
        rounds.append([rates[mode] for mode in MODES])
        _row(str(number), *rounds[-1])
    _row("median", *(statistics.median(column) for column in zip(*rounds, strict=True)))


def _row(name: str, exactly_once: float, at_least_once: float) -> None:
    sys.stdout.write(f"| {name} | {exactly_once:.0f} | {at_least_once:.0f} | {exactly_once / at_least_once:.2f} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as place, Cluster(Path(place) / "kafka") as cluster:
        asyncio.run(main(cluster.bootstrap, Path(place), REAL if sys.argv[1:] == ["real"] else STUB))
