"""What is done to workers and brokers while articles flow, each as a short script.

Every scenario runs in both delivery modes and ends when the group has committed everything that was produced. Articles
flow at a steady rate before, during and after the fault.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import NewTopic

from schemas import topics
from services.broker import Cluster
from tests.chaos.harness import STUB, Arena, Messages, administering, article, articles

REAL = "services.enricher.reading:Reader"
IMPATIENT = {"ONRECORD_RETRY_DEADLINE_SECONDS": "5", "ONRECORD_KAFKA_REQUEST_TIMEOUT_SECONDS": "5"}


@dataclass
class Stage:
    """What a script works on."""

    arena: Arena
    cluster: Cluster
    random: random.Random

    async def kill_one(self) -> None:
        """End one worker at once, wherever it is."""
        self.random.choice(self.arena.workers).send(signal.SIGKILL)


Script = Callable[[Stage], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Scenario:
    """One row of the table in docs/reliability.md."""

    name: str
    script: Script
    messages: Callable[[int], Messages] = lambda number: articles("a", number)
    workers: int = 2
    nodes: int = 1
    articles: int = 2000
    rate: float = 100.0
    reader: str = STUB
    settings: Mapping[str, str] = field(default_factory=dict)
    own_cluster: bool = False
    """Whether it harms the brokers."""


async def nothing(stage: Stage) -> None:
    """No fault: what the others are compared with."""


async def kill_workers(stage: Stage) -> None:
    for _ in range(5):
        await asyncio.sleep(stage.random.uniform(1, 3))
        await stage.kill_one()


async def terminate_workers(stage: Stage) -> None:
    for _ in range(4):
        await asyncio.sleep(stage.random.uniform(1, 4))
        stage.random.choice(stage.arena.workers).send(signal.SIGTERM)


async def scale(stage: Stage) -> None:
    await asyncio.sleep(3)
    await stage.arena.start_worker()
    await asyncio.sleep(1)
    await stage.arena.start_worker()
    await asyncio.sleep(8)
    first, second, _ = stage.arena.workers
    await first.stop()
    await asyncio.sleep(2)
    await second.stop()


async def kill_children(stage: Stage) -> None:
    for _ in range(6):
        await asyncio.sleep(1.5)
        for child in stage.random.choice(stage.arena.workers).children():
            _signal(child, signal.SIGKILL)


async def stop_child(stage: Stage) -> None:
    await asyncio.sleep(3)
    children = stage.arena.workers[0].children()
    for child in children:
        _signal(child, signal.SIGSTOP)
    await asyncio.sleep(9)
    for child in children:
        _signal(child, signal.SIGCONT)


async def stop_worker(stage: Stage) -> None:
    worker = stage.random.choice(stage.arena.workers)
    worker.send(signal.SIGSTOP)
    await asyncio.sleep(10)
    worker.send(signal.SIGCONT)


async def restart_broker(stage: Stage) -> None:
    await asyncio.sleep(4)
    await asyncio.to_thread(stage.cluster.stop_node, 1)
    await asyncio.to_thread(stage.cluster.start_node, 1)


async def lose_a_broker(stage: Stage) -> None:
    await asyncio.sleep(4)
    await asyncio.to_thread(stage.cluster.kill_node, 2)
    await asyncio.sleep(10)
    await asyncio.to_thread(stage.cluster.start_node, 2)


async def outage(stage: Stage) -> None:
    await asyncio.sleep(4)
    await asyncio.to_thread(stage.cluster.kill_node, 1)
    await asyncio.sleep(30)
    await asyncio.to_thread(stage.cluster.start_node, 1)


async def lose_dead_letter_topic(stage: Stage) -> None:
    async with administering(stage.arena.bootstrap) as admin:
        # No dead letter is there yet: the poison comes last.
        await admin.delete_topics([topics.DEAD_LETTERS.name])
        await _until_worker_stops(stage)
        await admin.create_topics([NewTopic(topics.DEAD_LETTERS.name, 6, 1)])


async def refuse_dead_letters(stage: Stage) -> None:
    # Room for the markers of transactions, without which the broker cannot end one, and for no dead letter.
    await stage.arena.configure(topics.DEAD_LETTERS.name, {"max.message.bytes": "128"})
    await _until_worker_stops(stage)
    await stage.arena.configure(topics.DEAD_LETTERS.name, {"max.message.bytes": "1000000"})


async def monkey(stage: Stage) -> None:
    """Whatever can be done to workers and their children, at random, for five minutes."""
    deeds: tuple[Callable[[], Awaitable[None]], ...] = (
        stage.kill_one,
        lambda: terminate_one(stage),
        lambda: kill_child_of_one(stage),
        lambda: freeze_one(stage),
    )
    end = asyncio.get_running_loop().time() + 300
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(stage.random.uniform(0.5, 5))
        await stage.random.choice(deeds)()


async def terminate_one(stage: Stage) -> None:
    stage.random.choice(stage.arena.workers).send(signal.SIGTERM)


async def kill_child_of_one(stage: Stage) -> None:
    for child in stage.random.choice(stage.arena.workers).children():
        _signal(child, signal.SIGKILL)


async def freeze_one(stage: Stage) -> None:
    worker = stage.random.choice(stage.arena.workers)
    worker.send(signal.SIGSTOP)
    await asyncio.sleep(stage.random.uniform(0.5, 9))
    worker.send(signal.SIGCONT)


async def _until_worker_stops(stage: Stage) -> None:
    """Wait until a worker has ended by itself with status 1, which it must rather than lose a dead letter."""
    async with asyncio.timeout(90):
        while not any(1 in worker.exits for worker in stage.arena.workers):  # noqa: ASYNC110 (a process sets no event)
            await asyncio.sleep(0.2)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def with_poison(number: int) -> Messages:
    """Return articles of which one in twenty cannot be read, each kind of poison in turn."""
    kinds: tuple[Callable[[str], tuple[str, bytes]], ...] = (
        lambda key: (key, b"this is not JSON"),
        lambda key: (key, b'{"article_id": 7, "body": ["not", "text"]}'),
        lambda key: (key, b'{"article_id": "x", "body": "\xff\xfe"}'),
        lambda key: (key, b'{"article_id": "x", "body": "a\x00b"}'),
        lambda key: (key, b'{"article_id": "x", "body": "' + b"z" * (10 * topics.MEBIBYTE) + b'"}'),
        lambda key: (key, b'{"article_id": "x", "extra": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        lambda key: article(key, "crash"),
        lambda key: article(key, "hang"),
    )
    # The costly kinds (10 MB, a child's life, a deadline) are rarer than the cheap ones.
    turns = [0, 1, 2, 3, 5] * 3 + [4, 6, 7]
    return _mixed(number, lambda index: kinds[turns[index % len(turns)]](f"poison-{index}"))


def _mixed(number: int, poison: Callable[[int], tuple[str, bytes]]) -> Messages:
    for index in range(number):
        yield poison(index // 20) if index % 20 == 19 else article(f"a-{index}")


def ending_in_poison(number: int) -> Messages:
    """Return articles with a little poison, none of it in the first half."""
    for index in range(number):
        yield (f"poison-{index}", b"not JSON") if index > number // 2 and index % 50 == 0 else article(f"a-{index}")


def revisions(number: int) -> Messages:
    """Return articles in three revisions each, out of order and with duplicates: 1, 0, 2, 1."""
    for index in range(number // 4):
        for revision in (1, 0, 2, 1):
            yield article(f"a-{index}", f"As of revision {revision}.", revision=revision)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("no fault", nothing),
    Scenario("SIGKILL of a worker, five times", kill_workers),
    Scenario("the same with the real reader", kill_workers, reader=REAL, rate=20, articles=2000),
    Scenario("SIGTERM of a worker, four times", terminate_workers),
    Scenario("from one worker to three and back", scale, workers=1, rate=60),
    Scenario("SIGKILL of children, six times", kill_children),
    Scenario("SIGSTOP of a child for 9 s", stop_child),
    Scenario("SIGSTOP of a worker for 10 s (session 6 s)", stop_worker, rate=60),
    Scenario("restart of the only broker", restart_broker, own_cluster=True, rate=60),
    Scenario("loss of one of three brokers", lose_a_broker, nodes=3, own_cluster=True, rate=60),
    Scenario("no broker for 30 s", outage, own_cluster=True, rate=40),
    Scenario("5 % poison", nothing, with_poison, rate=50),
    Scenario(
        "dead-letter topic missing", lose_dead_letter_topic, ending_in_poison, workers=1,
        settings=IMPATIENT,
    ),
    Scenario(
        "dead-letter topic refuses", refuse_dead_letters, ending_in_poison, workers=1,
        settings=IMPATIENT,
    ),
    Scenario("duplicate and out-of-order revisions, SIGKILL", kill_workers, revisions),
    Scenario("monkey: anything at random for 5 minutes", monkey, workers=3, rate=40, articles=12_000),
)  # fmt: skip
