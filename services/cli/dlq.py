"""`onrecord dlq`: the dead letters, looked at and sent back."""

import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import UserError, fail, note, one_line, show, table

if TYPE_CHECKING:
    from services.cli.deadletters import Wanted
    from services.cli.kafka import Record

app = typer.Typer(help="Look at the messages that could not be read, and send them back.", no_args_is_help=True)

# Bytes of a value that `show` prints unless told to print all.
_SHOWN_BYTES = 2000

ReasonOption = Annotated[str | None, typer.Option(help="Only those with this reason code.")]
SinceOption = Annotated[
    str | None, typer.Option(help="Only those given up since then: 30m, 12h, 7d, or an ISO 8601 time.")
]


@app.command(name="list")
def list_(reason: ReasonOption = None, since: SinceOption = None) -> None:
    """List the dead letters.

    **Example:**

        onrecord dlq list --reason not_json --since 24h
    """
    from services.cli import deadletters, kafka

    rows = kafka.run(_rows(deadletters.wanted(reason, since, datetime.now(UTC))))
    table(("place", "given up (UTC)", "reason", "replays", "key", "what is wrong"), rows)


@app.command(name="show")
def show_(
    place: Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `onrecord dlq list` gives it.")],
    whole: Annotated[bool, typer.Option("--all", help="Show the whole value, however long.")] = False,
) -> None:
    """Show one dead letter: its headers, and the bytes as they came.

    **Example:**

        onrecord dlq show 3:17
    """
    from services.cli import deadletters, kafka

    match = re.fullmatch(r"(\d{1,9}):(\d{1,18})", place)
    if match is None:
        raise UserError(f"{place} is no place of a dead letter; give PARTITION:OFFSET")
    record = kafka.run(_at(int(match[1]), int(match[2])))
    value = record.value or b""
    for name, content in record.headers:
        show(one_line(f"{name}: {content.decode(errors='replace')}"))
    show(f"key: {deadletters.key(record)}")
    show(f"timestamp: {datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat()}")
    show(f"value ({len(value)} bytes):")
    show(deadletters.readable(value if whole else value[:_SHOWN_BYTES]))
    if len(value) > _SHOWN_BYTES and not whole:
        note(f"{len(value) - _SHOWN_BYTES} bytes more; show them with --all")


@app.command()
def replay(
    reason: ReasonOption = None,
    since: SinceOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Send at most so many.")] = None,
    max_replays: Annotated[int, typer.Option(min=1, help="Refuse those replayed so often already.")] = 3,
) -> None:
    """Send dead letters back to the topic they came from, with their key, value and own headers.

    Each replay is counted in a header, and a message that has come back too often is refused. A message that lies
    here several times, because a replay of it failed, is sent once. What arrives meanwhile is left for the next time.
    The exit status is 1 when some were refused.

    **Examples:**

        onrecord dlq replay --reason worker_crash --since 2h --dry-run
        onrecord dlq replay --reason worker_crash --since 2h
    """
    from services.cli import deadletters, kafka

    selection = deadletters.wanted(reason, since, datetime.now(UTC))
    outcomes = kafka.run(_replay(selection, dry_run=dry_run, limit=limit, max_replays=max_replays))
    note(f"{outcomes['sent']} {'would be ' if dry_run else ''}sent back, {outcomes['refused']} refused")
    if outcomes["refused"]:
        raise typer.Exit(1)


async def _rows(selection: "Wanted") -> list[tuple[object, ...]]:
    from services.cli import deadletters

    return [
        (
            letter.place,
            f"{letter.headers.time:%Y-%m-%d %H:%M:%S}",
            letter.headers.reason,
            letter.replays,
            deadletters.key(letter.record),
            letter.headers.message,
        )
        async for letter in deadletters.letters()
        if letter in selection
    ]


async def _at(partition: int, offset: int) -> "Record":
    """Return the message at a place of the dead-letter topic; raises UserError when there is none."""
    from aiokafka import TopicPartition

    from schemas.topics import DEAD_LETTERS
    from services.cli import kafka

    place = TopicPartition(DEAD_LETTERS.name, partition)
    if place in await kafka.partitions_of(DEAD_LETTERS.name):
        async with kafka.consumer(place) as client:
            client.seek(place, offset)
            async for record in kafka.up_to_now(client):
                if record.offset == offset:
                    return record
                break
    raise UserError(f"there is no dead letter at {partition}:{offset}")


async def _replay(selection: "Wanted", *, dry_run: bool, limit: int | None, max_replays: int) -> Counter[str]:
    """Send back what is wanted. Returns how many were sent and how many refused."""
    from services.cli import deadletters, kafka

    last = await deadletters.last_deaths()
    outcomes: Counter[str] = Counter()
    async with kafka.producer() as client:
        async for letter in deadletters.letters():
            if letter not in selection or last.get(letter.content) != letter.death:
                continue
            if refusal := letter.refusal(max_replays):
                fail(f"{letter.place} is not replayed: {refusal}")
                outcomes["refused"] += 1
                continue
            if not dry_run:
                await client.send_and_wait(
                    letter.headers.topic, letter.record.value, letter.record.key, headers=letter.replay_headers
                )
            show(f"{letter.place} {'to be sent' if dry_run else 'sent'} to {letter.headers.topic}")
            outcomes["sent"] += 1
            if outcomes["sent"] == limit:
                break
    return outcomes
