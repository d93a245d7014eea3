"""The consumer that docs/events.md shows, run as it stands there on a real broker."""

import asyncio
import json
import re
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic

from services.broker import Cluster
from tests.chaos.harness import administering

DOC = Path(__file__).parents[2] / "docs" / "events.md"
BLOCK = re.compile(r"```python\n# consumer: [^\n]*\n(?P<code>.*?)```", re.DOTALL)


def enriched(revision: int, *quotes: str) -> bytes:
    items = [{"id": f"{revision}-{text}", "speaker_name": "Ada Marsh", "text": text} for text in quotes]
    return json.dumps({"article_id": "a1", "revision": revision, "quotes": items}).encode()


async def ends_with(bootstrap: str, topic: str, group: str, count: int) -> list[tuple[str]]:
    """Run the documented consumer over the `count` messages of `topic` and return the texts in its database."""
    scope: dict[str, Any] = {}
    match = BLOCK.search(DOC.read_text())
    assert match, "docs/events.md shows no consumer"
    exec(match["code"], scope)
    database = sqlite3.connect(":memory:")
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer:
        following = asyncio.create_task(scope["follow"](consumer, database))
        partition = next(iter(await assigned(consumer, following)))
        while (await consumer.committed(partition) or 0) < count:
            assert not following.done(), following.exception()
            await asyncio.sleep(0.05)
        following.cancel()
    return database.execute("SELECT text FROM quotes ORDER BY text").fetchall()


async def assigned(consumer: AIOKafkaConsumer, following: "asyncio.Task[None]") -> set[Any]:
    while not consumer.assignment():
        assert not following.done(), following.exception()
        await asyncio.sleep(0.05)
    return set(consumer.assignment())


@pytest.mark.kafka
@pytest.mark.parametrize(
    "messages",
    [
        [enriched(0, "old", "kept"), enriched(1, "kept", "new")],
        [enriched(1, "kept", "new"), enriched(0, "old", "kept")],  # out of order
        [enriched(0, "old"), enriched(1, "kept", "new"), enriched(0, "old"), enriched(1, "kept", "new")],  # replayed
    ],
    ids=["correction", "out-of-order", "replayed"],
)
async def test_it_ends_with_the_truth(kafka: Cluster, messages: list[bytes]) -> None:
    topic = f"enriched-{uuid4()}"
    async with administering(kafka.bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for value in messages:
            await producer.send_and_wait(topic, key=b"a1", value=value)
    assert await ends_with(kafka.bootstrap, topic, f"archive-{topic}", len(messages)) == [("kept",), ("new",)]
