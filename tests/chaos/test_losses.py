"""The five ways in which plain Faust loses data, each a test that fails on the plain pattern and passes on ours.

A message is lost when the group has acknowledged it and neither an event nor a dead letter came of it. The plain
patterns are in plain.py; ours is the worker as it is, in both delivery modes.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from schemas import topics
from services.broker import Cluster
from tests.chaos.harness import Arena, article, articles, noise

pytestmark = pytest.mark.kafka

MakeArena = Callable[..., Awaitable[Arena]]


class LostError(Exception):
    """Something was acknowledged, and nothing came of it."""


plain_and_ours = pytest.mark.parametrize(
    "pattern",
    [pytest.param("plain", marks=pytest.mark.xfail(raises=LostError)), "exactly_once", "at_least_once"],
)


@pytest.fixture
async def arena_of(kafka: Cluster, tmp_path: Path) -> AsyncIterator[MakeArena]:
    """Return a maker of arenas whose workers follow `plain`, a pattern of plain.py, or ours in a delivery mode."""
    arenas: list[Arena] = []

    async def make(pattern: str, plain: str, **settings: str) -> Arena:
        if pattern == "plain":
            settings |= {"PLAIN_PATTERN": plain, "PLAIN_DATA": str(tmp_path)}
            arena = Arena(kafka.bootstrap, tmp_path, settings, module="tests.chaos.plain")
        else:
            arena = Arena(kafka.bootstrap, tmp_path, {"ONRECORD_DELIVERY": pattern, **settings})
        arenas.append(arena)
        await arena.make_topics(partitions=1)
        return arena

    yield make
    for arena in arenas:
        await arena.stop_workers()


async def check(arena: Arena) -> None:
    """Wait until everything is acknowledged; raises LostError if something was lost."""
    await arena.until_done(60)
    count = await arena.count()
    assert not count.foreign
    if count.lost:
        raise LostError(str(count.lost))


@plain_and_ours
async def test_loss_1_an_exception_in_the_agent_acknowledges_the_event(arena_of: MakeArena, pattern: str) -> None:
    arena = await arena_of(pattern, plain="one by one")
    await arena.send([article("a-1"), article("poison", "raise"), article("a-2")])
    await arena.start_worker()
    await check(arena)


@plain_and_ours
async def test_loss_2_an_exception_in_take_acknowledges_the_whole_batch(arena_of: MakeArena, pattern: str) -> None:
    arena = await arena_of(pattern, plain="batches")
    await arena.send([article("a-1"), article("poison", "raise"), article("a-2"), article("a-3")])
    await arena.start_worker()
    await check(arena)


@plain_and_ours
async def test_loss_3_acks_out_of_order_run_past_work_in_flight(arena_of: MakeArena, pattern: str) -> None:
    arena = await arena_of(pattern, plain="concurrent", ONRECORD_CHILDREN="2", ONRECORD_BATCH_ARTICLES="1")
    await arena.send([article("slow", "slow"), *articles("a", 8)])
    worker = await arena.start_worker()
    if pattern == "plain":
        await arena.until_done(60)
    else:
        await worker.until_metrics(
            "onrecord_articles_in_flight 9.0", "onrecord_queue_articles 0.0", "onrecord_children_busy 1.0"
        )
    worker.send(signal.SIGKILL)
    await check(arena)


@plain_and_ours
async def test_loss_4_a_payload_that_cannot_be_decoded_is_acknowledged_unseen(
    arena_of: MakeArena, pattern: str
) -> None:
    arena = await arena_of(pattern, plain="json")
    await arena.send([article("a-1"), ("poison", b"{not JSON"), article("a-2")])
    await arena.start_worker()
    await check(arena)


@plain_and_ours
async def test_loss_5_a_failed_delivery_is_swallowed_and_the_offset_committed(
    arena_of: MakeArena, pattern: str
) -> None:
    arena = await arena_of(pattern, plain="one by one")
    for topic in (topics.ENRICHED, topics.QUOTES):
        await arena.configure(topic.name, {"max.message.bytes": "2000"})
    await arena.send([article("a-1"), article("poison", noise(3000)), article("a-2")])
    await arena.start_worker()
    await check(arena)
