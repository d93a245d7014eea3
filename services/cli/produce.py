"""`onrecord produce`: files into the topic of raw articles."""

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from select import select
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from services.cli.console import fail, note, progress

if TYPE_CHECKING:
    import asyncio

    from aiokafka import AIOKafkaProducer
    from aiokafka.structs import RecordMetadata

    from services.cli.articles import Broken, Message

# Enough to keep the producer's batches full; more would only hold more articles in memory.
_UNCONFIRMED = 500
_SOURCE = "urn:onrecord:produce"


def produce(
    files: Annotated[
        list[Path], typer.Argument(help='Text, JSON, JSON lines or saved web pages; "-" is stdin.', metavar="FILE...")
    ],
    raw: Annotated[bool, typer.Option("--raw", help="Send the bytes as they are, whatever they are.")] = False,
    topic: Annotated[str, typer.Option(help="Where to send them.")] = "news.article.raw.v1",
) -> None:
    """Send articles into Kafka, and wait until the brokers have confirmed every one.

    An article's id is the article_id of its JSON; for text and web pages the file's name without its suffix, and on
    stdin the hash of the content. What is no article is reported, the rest is sent, and the exit status is then 1.

    **Examples:**

        onrecord produce article.txt more/*.json
        zcat archive.jsonl.gz | onrecord produce -
        head -c 100 article.json | onrecord produce --raw -
    """
    from services.cli import kafka
    from services.cli.articles import messages

    found = chain.from_iterable(messages(file, raw=raw) for file in files)
    with progress("sending") as advance:
        confirmed, failed = kafka.run(_produce(found, topic, advance, describe=not raw))
    note(f"{confirmed} sent to {topic} and confirmed" + (f", {failed} not sent" if failed else ""))
    if failed:
        raise typer.Exit(1)


async def _produce(
    found: "Iterable[Message | Broken]", topic: str, advance: Callable[[int], None], *, describe: bool
) -> tuple[int, int]:
    """Return how many messages the brokers confirmed, and how many things were not sent."""
    from services.cli import kafka

    await kafka.partitions_of(topic)
    async with kafka.producer() as client:
        return await send(client, found, topic, advance, describe=describe)


async def send(
    client: "AIOKafkaProducer",
    found: "Iterable[Message | Broken]",
    topic: str,
    advance: Callable[[int], None],
    *,
    describe: bool = True,
) -> tuple[int, int]:
    """Send messages keyed by the article's id, and report what is broken or refused.

    With `describe` a message carries CloudEvents headers. Returns how many messages the brokers confirmed, and how
    many things were not sent. Raises KafkaError when the brokers refuse more than a single message.
    """
    from services.cli.articles import Broken

    waiting: deque[tuple[str, asyncio.Future[RecordMetadata]]] = deque()
    outcomes: Counter[bool] = Counter()
    for item in found:
        if isinstance(item, Broken):
            fail(f"{item.origin}: {item.reason}")
            outcomes[False] += 1
            continue
        headers = _headers(item.key, topic) if describe else []
        future = await client.send(topic, item.value, key=item.key.encode(), headers=headers)
        waiting.append((item.origin, future))
        # The next line of a live stdin may be long in coming: what was sent must not wait for it.
        if item.origin.startswith("stdin") and not select([sys.stdin], [], [], 0)[0]:
            await client.flush()
        if len(waiting) >= _UNCONFIRMED:
            outcomes[await _confirmed(*waiting.popleft())] += 1
            advance(1)
    while waiting:
        outcomes[await _confirmed(*waiting.popleft())] += 1
        advance(1)
    return outcomes[True], outcomes[False]


async def _confirmed(origin: str, future: "asyncio.Future[RecordMetadata]") -> bool:
    """Return whether the brokers took a message; the one that is too large for its topic is reported."""
    from aiokafka.errors import MessageSizeTooLargeError

    try:
        await future
    except MessageSizeTooLargeError:
        fail(f"{origin}: larger than the topic's max.message.bytes")
        return False
    return True


def _headers(article_id: str, topic: str) -> list[tuple[str, bytes]]:
    """Return the CloudEvents headers of a raw article that is sent by hand; each sending is an event of its own."""
    from schemas import cloudevents

    return cloudevents.headers(
        event_id=str(uuid4()), event_type=topic, subject=article_id, time=datetime.now(UTC), source=_SOURCE
    )
