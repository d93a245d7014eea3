"""Runs a scenario in a delivery mode and says what came of it."""

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path

from aiokafka import TopicPartition

from services.broker import Cluster
from tests.chaos.harness import Arena, Count
from tests.chaos.scenarios import Scenario, Stage

DONE_SECONDS = 180.0
"""How long the workers may take, after the last article and the last fault, to be through with everything."""


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario."""

    count: Count
    standstill_seconds: float
    """The longest time between two commits of a partition: how long it took to recover."""
    went_back: int
    """How often a committed offset was seen to go back, as a zombie's commit would make it."""
    exits: list[int]
    """The exit statuses of all workers at the end: 0 for those that were told to stop and did."""


async def run(scenario: Scenario, delivery: str, cluster: Cluster, folder: Path) -> Outcome:
    """Let articles flow, do what the scenario says, wait until all is done, and count. Raises TimeoutError.

    `folder` takes the workers' logs.
    """
    arena = Arena(cluster.bootstrap, folder, {"ONRECORD_DELIVERY": delivery, **scenario.settings}, scenario.reader)
    await arena.make_topics()
    watch = _Watch(arena)
    watching = asyncio.create_task(watch.look())
    try:
        for _ in range(scenario.workers):
            await arena.start_worker()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(arena.send(scenario.messages(scenario.articles), scenario.rate))
            await arena.until_committed(1)
            tasks.create_task(scenario.script(Stage(arena, cluster, random.Random(4))))
        await arena.until_done(DONE_SECONDS)
    finally:
        watching.cancel()
        await arena.stop_workers()
    return Outcome(
        await arena.count(), watch.standstill_seconds, watch.went_back, [worker.exits[-1] for worker in arena.workers]
    )


class _Watch:
    """Looks at the committed offsets while a scenario runs."""

    def __init__(self, arena: Arena) -> None:
        self.standstill_seconds = 0.0
        self.went_back = 0
        self._arena = arena

    async def look(self) -> None:
        """Look until cancelled. Articles come to all partitions all the time, so each should move all the time."""
        moved_at: dict[TopicPartition, float] = {}
        before: dict[TopicPartition, int] = {}
        async for committed in self._arena.progress():
            now = time.monotonic()
            for partition, offset in committed.items():
                if offset == before.get(partition):
                    continue
                self.went_back += offset < before.get(partition, 0)
                self.standstill_seconds = max(self.standstill_seconds, now - moved_at.get(partition, now))
                moved_at[partition] = now
            before = committed
