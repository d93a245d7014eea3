"""`onrecord reprocess` on a real Kafka: what was read is read again, and the live group notices nothing."""

import asyncio
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from schemas import topics
from services.broker import Cluster
from tests.chaos.harness import ROOT, Arena, article, articles
from tests.chaos.scenarios import REAL

pytestmark = pytest.mark.kafka

COMMAND = [sys.executable, "-m", "services.cli.main"]

# The command with the reader of the chaos runs, which needs no model and takes its time.
PROGRAM = """
from functools import partial
from services.enricher import app
app.run_worker = partial(app.run_worker, reader="tests.chaos.stub:Reader")
from services.cli.main import run
run()
"""
STUBBED = [sys.executable, "-c", PROGRAM]

MODES = ("exactly_once", "at_least_once")
MakeArena = Callable[..., Arena]


@pytest.fixture
async def make_arena(kafka: Cluster, tmp_path: Path) -> AsyncIterator[MakeArena]:
    arenas: list[Arena] = []

    def make(delivery: str = "exactly_once", **options: str) -> Arena:
        arenas.append(Arena(kafka.bootstrap, tmp_path, {"ONRECORD_DELIVERY": delivery}, **options))
        return arenas[-1]

    yield make
    for arena in arenas:
        await arena.stop_workers()


async def started(arena: Arena, program: list[str], *arguments: str, **settings: str) -> asyncio.subprocess.Process:
    environment = os.environ | arena._environment | {"PYTHONPATH": str(ROOT)} | settings
    environment.pop("ONRECORD_METRICS_PORT")
    return await asyncio.create_subprocess_exec(
        *program, "reprocess", *arguments, env=environment, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )


async def reprocess(arena: Arena, program: list[str], *arguments: str) -> tuple[int, str]:
    """Run the command to its end; return its status and what it said."""
    process = await started(arena, program, *arguments)
    async with asyncio.timeout(240):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def published(arena: Arena) -> Counter[tuple[str, str]]:
    """Return how often each event was published, by topic and id."""
    return Counter(
        [
            (topic.name, dict(record.headers)["ce_id"].decode())
            for topic in topics.OUTPUTS
            for record in await arena.read(topic.name)
        ]
    )


async def live_offsets(arena: Arena) -> dict[TopicPartition, int]:
    return await anext(arena.progress())


async def test_what_was_read_comes_once_more_with_the_same_ids_and_a_new_source(make_arena: MakeArena) -> None:
    arena = make_arena(reader=REAL)
    await arena.make_topics(partitions=3)
    body = '"We will cut the fuel duty," Finance Minister Anna Berg said on Tuesday in Oslo.\n\nShe opposes the toll.'
    await arena.send([article(f"a-{index}", body) for index in range(4)] + [("poison", b"not JSON")])
    worker = await arena.start_worker()
    await arena.until_done(120)
    first, offsets = await published(arena), await live_offsets(arena)
    assert len(first) > 4
    assert set(first.values()) == {1}

    status, said = await reprocess(arena, COMMAND, "--from-time", "1d", "--name", "again", "--rate", "50")
    assert status == 0, said
    assert said.splitlines()[-1] == "again: 5 of 5 offsets done"
    assert await published(arena) == first + first
    assert len(await arena.read(topics.DEAD_LETTERS.name)) == 2
    sources = Counter(dict(record.headers)["ce_source"].decode() for record in await arena.read(topics.ENRICHED.name))
    assert sources == {"urn:onrecord:enricher": 4, "urn:onrecord:enricher:reprocess:again": 4}

    # The live group is where it was, and is the one that reads what comes.
    assert await live_offsets(arena) == offsets
    await arena.send([article("later", body)])
    await arena.until_done(60)
    assert worker.exits == []
    enriched = Counter(record.key for record in await arena.read(topics.ENRICHED.name))
    assert enriched[b"later"] == 1


@pytest.mark.parametrize("delivery", MODES)
async def test_a_backfill_that_is_killed_is_resumed_where_it_was(make_arena: MakeArena, delivery: str) -> None:
    arena = make_arena(delivery)
    await arena.make_topics(partitions=2)
    await arena.send(articles("a", 300))
    ends = await arena._ends()
    process = await started(arena, STUBBED, "--from-offset", "0:0,1:0", "--name", "cut-off", "--rate", "60")
    await arena.until_events(topics.ENRICHED.name, 20)
    os.kill(process.pid, signal.SIGKILL)
    await process.communicate()
    before = len(await arena.read(topics.ENRICHED.name))
    assert before < 300

    # What comes after the beginning is not part of it, and the models of the beginning are.
    await arena.send(articles("later", 10))
    status, said = await reprocess(arena, STUBBED, "--resume", "cut-off")
    assert status == 0, said
    assert said.splitlines()[-1] == "cut-off: 300 of 300 offsets done"
    counts = Counter(record.key.decode() for record in await arena.read(topics.ENRICHED.name) if record.key)
    assert counts.keys() == {f"a-{index}" for index in range(300)}
    if delivery == "exactly_once":
        assert set(counts.values()) == {1}
    group = f"{arena.group}-reprocess-cut-off"
    arena.group, live = group, arena.group
    assert await live_offsets(arena) == ends
    arena.group = live
    assert await live_offsets(arena) == {}

    status, said = await reprocess(arena, STUBBED, "--resume", "cut-off")
    assert (status, said) == (0, "cut-off: 300 of 300 offsets done\n")
    status, said = await reprocess(arena, STUBBED, "--from-time", "1d", "--name", "cut-off")
    assert status == 1
    assert "--resume cut-off" in said


async def test_several_processes_share_a_backfill(make_arena: MakeArena) -> None:
    arena = make_arena()
    await arena.make_topics(partitions=2)
    await arena.send(articles("a", 400))
    verbose = {"ONRECORD_LOG_LEVEL": "INFO"}
    first = await started(arena, STUBBED, "--from-time", "1d", "--name", "shared", "--rate", "10", **verbose)
    await arena.until_events(topics.ENRICHED.name, 1)
    second = await started(arena, STUBBED, "--resume", "shared", **verbose)
    async with asyncio.timeout(240):
        said = await asyncio.gather(first.communicate(), second.communicate())
    assert (first.returncode, second.returncode) == (0, 0), said
    for _, lines in said:
        assert re.search(r"generation \d+: partitions \[[01]\]", lines.decode())
    counts = Counter(record.key for record in await arena.read(topics.ENRICHED.name))
    assert (len(counts), set(counts.values())) == (400, {1})


async def test_one_that_is_told_to_stop_says_how_to_go_on(make_arena: MakeArena) -> None:
    arena = make_arena()
    await arena.make_topics(partitions=1)
    await arena.send(articles("a", 200))
    process = await started(arena, STUBBED, "--from-time", "1d", "--name", "stopped", "--rate", "10")
    await arena.until_events(topics.ENRICHED.name, 5)
    process.send_signal(signal.SIGTERM)
    _, said = await process.communicate()
    assert process.returncode == 1
    assert (
        said.decode().splitlines()[-1].endswith("of 200 offsets done; go on with: onrecord reprocess --resume stopped")
    )


async def test_a_range_of_offsets_ends_though_transactions_leave_nothing_to_read_there(
    make_arena: MakeArena, kafka: Cluster
) -> None:
    arena = make_arena()
    await arena.make_topics(partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=arena.group) as producer:
        async with producer.transaction():
            for index in range(6):
                key, value = article(f"a-{index}")
                await producer.send(topics.RAW.name, value, key=key.encode(), partition=0)
        for _ in range(5):
            await producer.begin_transaction()
            await producer.send_and_wait(topics.RAW.name, article("aborted")[1], key=b"aborted", partition=0)
            await producer.abort_transaction()
    await arena.send(articles("other", 20))
    end = next(end for partition, end in (await arena._ends()).items() if partition.partition == 0)

    refused = [
        ("--from-offset", f"0:{end + 1}"), ("--from-offset", "7:0"), ("--from-offset", "here"), ("--until-time", "1h"),
        ("--resume", "nothing"), ("--from-time", "1d", "--models", "en"), ("--from-time", "1d", "--name", "a/b"),
    ]  # fmt: skip
    for arguments in refused:
        status, said = await reprocess(arena, STUBBED, *arguments)
        assert (status, said.startswith("onrecord: "), said.count("\n")) == (1, True, 1), said

    # Past the first two articles, to the end of the transactions that came to nothing.
    status, said = await reprocess(arena, STUBBED, "--from-offset", "0:2", "--until-offset", "0:16", "--name", "part")
    assert (status, said.splitlines()[-1]) == (0, "part: 4 of 4 offsets done"), said
    keys = sorted(record.key or b"" for record in await arena.read(topics.ENRICHED.name))
    assert keys == [f"a-{index}".encode() for index in range(2, 6)]
    status, said = await reprocess(arena, STUBBED, "--from-offset", "0:7", "--until-offset", "0:16", "--name", "empty")
    assert (status, said) == (0, "empty: 0 of 0 offsets done\n")


async def test_the_models_of_the_beginning_are_those_of_the_resumption(make_arena: MakeArena) -> None:
    arena = make_arena()
    await arena.make_topics(partitions=1)
    await arena.send(articles("a", 3))
    status, said = await reprocess(
        arena, COMMAND, "--from-time", "1d", "--name", "other", "--models", "en=no_such_model"
    )
    assert status == 1
    assert "no_such_model" in said
    status, said = await reprocess(arena, COMMAND, "--resume", "other")
    assert status == 1
    assert "no_such_model" in said
    assert json.loads(next(line for line in said.splitlines() if line.startswith("{")))["level"]
