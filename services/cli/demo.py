"""`onrecord demo`: articles in, quotes, positions and a dead letter out, on a broker and a worker of its own."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.text import Text

from services.cli import topics
from services.cli.console import UserError, note, show
from services.cli.produce import send

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from services.cli.arrivals import Arrivals
    from services.cli.articles import Message
    from services.cli.stage import Worker

SAMPLES = Path(__file__).parent / "samples"

# Reading the samples takes seconds. This is for a machine that has much else to do.
_PATIENCE_SECONDS = 180
_POLL_MS = 300

_FIGURES = {
    "onrecord_articles_enriched_total": "articles enriched",
    "onrecord_articles_failed_total": "failed",
    "onrecord_entities_total": "entities",
    "onrecord_quotes_total": "quotes",
    "onrecord_positions_total": "positions",
}


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up until Ctrl-C, and show what else arrives.")] = False,
) -> None:
    """Send sample articles through a broker and a worker that are started for it, and show what comes out.

    All is stopped and removed in the end. With ONRECORD_KAFKA_BOOTSTRAP set, that broker is used instead, with its
    topics; the worker then shares the work of the group with those that run there.

    **Examples:**

        onrecord demo
        ONRECORD_KAFKA_BOOTSTRAP=kafka:9092 onrecord demo
    """
    from services.cli import kafka
    from services.cli.stage import BOOTSTRAP, own_broker, own_worker

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onrecord-demo-")))
        if not os.environ.get(BOOTSTRAP):
            os.environ[BOOTSTRAP] = stack.enter_context(own_broker(folder / "broker"))
        bootstrap = kafka.settings().bootstrap
        _, differences = kafka.run(topics.make())
        for difference in differences:
            note(difference)
        note(f"broker: {bootstrap}, with its topics")
        worker = stack.enter_context(own_worker(bootstrap, folder))
        note(f"worker: process {worker.process.pid}, ready; its metrics: {worker.url}/metrics")
        kafka.run(_perform(worker, keep=keep))


async def _perform(worker: "Worker", *, keep: bool) -> None:
    """Send the samples and show what comes of them; raises UserError when something does not come."""
    from services.cli import kafka
    from services.cli.arrivals import TOPICS, Arrivals

    samples = list(_samples())
    arrivals = Arrivals()
    async with kafka.consumer(*await kafka.partitions_of(*TOPICS)) as reader:
        async with kafka.producer() as writer:
            await send(writer, samples, "news.article.raw.v1", lambda steps: None)
        note(f"{len(samples)} sample articles sent to news.article.raw.v1")
        await _watch(reader, worker, arrivals, Counter(sample.key for sample in samples))
        _sum_up(worker, arrivals, len(samples))
        if keep:
            await _stay(reader, worker, arrivals)


def _samples() -> Iterator["Message"]:
    """Yield the sample articles in the order of their files; what is no article goes as the bytes that it is."""
    from services.cli.articles import Message, messages

    for path in sorted(SAMPLES.iterdir()):
        for found in messages(path):
            yield from [found] if isinstance(found, Message) else _bytes_of(path)


def _bytes_of(path: Path) -> Iterator["Message"]:
    from services.cli.articles import Message, messages

    return (found for found in messages(path, raw=True) if isinstance(found, Message))


async def _watch(reader: "AIOKafkaConsumer", worker: "Worker", arrivals: "Arrivals", sent: Counter[str]) -> None:
    """Show what arrives until every message is accounted for; raises UserError when some are not in time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while missing := sent - arrivals.accounted():
        if time.monotonic() > deadline:
            raise UserError(f"after {_PATIENCE_SECONDS} seconds nothing has come of {', '.join(missing)}")
        await _take(reader, worker, arrivals)


async def _stay(reader: "AIOKafkaConsumer", worker: "Worker", arrivals: "Arrivals") -> NoReturn:
    """Show what arrives until Ctrl-C."""
    from services.cli import kafka

    note("all stays up until Ctrl-C; send an article of yours from another terminal:")
    note(f"  ONRECORD_KAFKA_BOOTSTRAP={kafka.settings().bootstrap} onrecord produce FILE")
    while True:
        await _take(reader, worker, arrivals)


async def _take(reader: "AIOKafkaConsumer", worker: "Worker", arrivals: "Arrivals") -> None:
    worker.check()
    for records in (await reader.getmany(timeout_ms=_POLL_MS)).values():
        for record in records:
            arrivals.add(record)


def _sum_up(worker: "Worker", arrivals: "Arrivals", sent: int) -> None:
    from services.cli import report

    figures = worker.figures()
    show()
    show(
        Text.assemble(
            (f"{sent} messages in: ", "bold"),
            report.count(len(arrivals.complete), "article enriched, ", "articles enriched, "),
            report.count(len(arrivals.dead), "dead letter", "dead letters"),
            ", none lost",
        )
    )
    show(
        "the worker's own count: " + ", ".join(f"{figures.get(name, 0):.0f} {what}" for name, what in _FIGURES.items())
    )
    show(f"more of it at {worker.url}/metrics, in the format of Prometheus")
