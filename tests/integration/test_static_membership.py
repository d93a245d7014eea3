"""ONRECORD_INSTANCE_ID on a real Kafka: a worker that comes back soon finds its partitions, and others kept theirs."""

import asyncio
import re
from pathlib import Path

import pytest

from services.broker import Cluster, tool
from tests.chaos.harness import Arena, articles

pytestmark = pytest.mark.kafka

PARTITIONS = 4


def members(arena: Arena) -> dict[str, str]:
    """Return the partitions of each static member of the group, by its name, as Kafka's own tool words them."""
    done = tool(
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", arena.bootstrap,
        "--describe", "--members", "--verbose", "--group", arena.group,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = [line.split() for line in done.stdout.splitlines() if line.startswith(("GROUP ", arena.group))]
    if not table:
        return {}  # nobody has joined yet
    [heading, *rows] = table
    name, number = heading.index("GROUP-INSTANCE-ID"), heading.index("#PARTITIONS")
    return {row[name]: " ".join(row[number:]) for row in rows}


def numbers(partitions: str) -> list[int]:
    """Return the numbers of a member's partitions ("2 - news.article.raw.v1:0,2 - -")."""
    return [int(number) for number in re.findall(r"(?<=[:,])\d+", partitions)]


async def until_shared(arena: Arena, names: set[str]) -> dict[str, str]:
    """Return the members once all have partitions."""
    async with asyncio.timeout(120):
        while True:
            found = await asyncio.to_thread(members, arena)
            if found.keys() == names and not any(partitions.startswith("0 ") for partitions in found.values()):
                return found


async def test_a_worker_that_comes_back_under_its_name_moves_no_partition(kafka: Cluster, tmp_path: Path) -> None:
    arena = Arena(kafka.bootstrap, tmp_path, {"ONRECORD_SESSION_TIMEOUT_SECONDS": "120"})
    await arena.make_topics(partitions=PARTITIONS)
    try:
        first = await arena.start_worker(ONRECORD_INSTANCE_ID="news.onrecord-0")
        second = await arena.start_worker(ONRECORD_INSTANCE_ID="news.onrecord-1")
        before = await until_shared(arena, {"news.onrecord-0", "news.onrecord-1"})

        # The broker knows of a new generation before the worker does.
        await first.said(f": partitions {numbers(before['news.onrecord-0'])}")
        generations = first.log.read_text("utf-8").count("generation ")
        assert generations > 0

        assert await second.stop() == 0
        assert await asyncio.to_thread(members, arena) == before

        await arena.start_worker(ONRECORD_INSTANCE_ID="news.onrecord-1")
        await arena.send(articles("plain", 40))
        await arena.until_done(120)
        assert await asyncio.to_thread(members, arena) == before
        # The one that stayed was never asked to stop and to begin again.
        assert first.log.read_text("utf-8").count("generation ") == generations
    finally:
        await arena.stop_workers()
