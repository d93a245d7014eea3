"""`onrecord tail`: what arrives on a topic, a line a message."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from services.cli.console import one_line, show

if TYPE_CHECKING:
    from services.cli.kafka import Record


class What(StrEnum):
    """What can be watched."""

    QUOTES = "quotes"
    POSITIONS = "positions"
    ENTITIES = "entities"
    ENRICHED = "enriched"
    DLQ = "dlq"


def tail(
    what: Annotated[What, typer.Argument(help="What to watch.")] = What.QUOTES,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Show first what is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the events as JSON lines.")] = False,
    count: Annotated[int | None, typer.Option("-n", min=1, help="Stop after so many messages.")] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more at the end.")] = True,
) -> None:
    """Show events as they arrive, until Ctrl-C. Joins no consumer group and sees only what was committed.

    **Examples:**

        onrecord tail positions
        onrecord tail quotes --from-beginning --no-follow --json
    """
    from services.cli import kafka

    kafka.run(_tail(what, from_beginning=from_beginning, as_json=as_json, count=count, follow=follow))


async def _tail(what: What, *, from_beginning: bool, as_json: bool, count: int | None, follow: bool) -> None:
    shown = 0
    async with aclosing(_records(_topic(what), from_beginning=from_beginning, follow=follow)) as records:
        async for record in records:
            show(_as_json(what, record) if as_json else describe(what, record))
            shown += 1
            if shown == count:
                return


async def _records(topic: str, *, from_beginning: bool, follow: bool) -> AsyncGenerator["Record", None]:
    from services.cli import kafka

    async with kafka.consumer(*await kafka.partitions_of(topic)) as client:
        if from_beginning:
            await client.seek_to_beginning()
        async for record in client if follow else kafka.up_to_now(client):
            yield record


def _topic(what: What) -> str:
    from schemas import topics

    named = {
        What.QUOTES: topics.QUOTES,
        What.POSITIONS: topics.POSITIONS,
        What.ENTITIES: topics.ENTITIES,
        What.ENRICHED: topics.ENRICHED,
        What.DLQ: topics.DEAD_LETTERS,
    }
    return named[what].name


def _as_json(what: What, record: "Record") -> str:
    """Return a message as one line of JSON: the event itself, or a dead letter with its headers."""
    from services.cli import deadletters

    if what is What.DLQ:
        return deadletters.as_json(record)
    return one_line((record.value or b"null").decode(errors="replace"))


def describe(what: What, record: "Record") -> Text:
    """Return a message as one line of words."""
    from pydantic import ValidationError

    from schemas import EnrichedArticle, EntityMentioned, PositionStated, QuoteExtracted
    from services.cli import deadletters, report

    if what is What.DLQ:
        return deadletters.describe(record)
    place = Text(f"[{one_line((record.key or b'').decode(errors='replace'))}] ", style="dim")
    value = record.value or b"null"
    try:
        match what:
            case What.QUOTES:
                return place + report.quote(QuoteExtracted.model_validate_json(value).quote)
            case What.POSITIONS:
                return place + report.position(PositionStated.model_validate_json(value).position)
            case What.ENTITIES:
                return place + report.entity(EntityMentioned.model_validate_json(value).entity)
            case _:
                return report.summary(EnrichedArticle.model_validate_json(value))
    except ValidationError:
        return place + Text(f"partition {record.partition} offset {record.offset}: not an event of this version")
