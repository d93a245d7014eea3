"""Dead letters as the commands see them: read, selected, and put into words."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic import ValidationError
from rich.text import Text

from schemas import DeadLetterHeaders, Reason
from schemas.deadletter import REPLAYS_HEADER, original_headers
from schemas.topics import DEAD_LETTERS
from services.cli import kafka
from services.cli.console import UserError, fail, one_line
from services.cli.kafka import Record
from services.cli.moments import moment


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the message as it was, what its headers say, and how often it has been replayed."""

    record: Record
    headers: DeadLetterHeaders
    replays: int

    @property
    def place(self) -> str:
        """Where it lies in the dead-letter topic, as `show` takes it."""
        return f"{self.record.partition}:{self.record.offset}"

    @property
    def content(self) -> bytes:
        """A digest that the letter shares with those that its message left when it was replayed and died again."""
        key, value = self.record.key, self.record.value
        return sha256(repr((self.headers.topic, key, value)).encode()).digest()

    @property
    def death(self) -> tuple[int, datetime, str]:
        """What tells one death of a message from its others, in their order."""
        return self.replays, self.headers.time, self.place

    @property
    def replay_headers(self) -> list[tuple[str, bytes]]:
        """The headers that the message had, with this replay counted."""
        own = [(name, value) for name, value in original_headers(list(self.record.headers)) if name != REPLAYS_HEADER]
        return [*own, (REPLAYS_HEADER, str(self.replays + 1).encode())]

    def refusal(self, max_replays: int) -> str | None:
        """Return why the message must not be replayed; None when it may be."""
        if self.replays >= max_replays:
            return f"it was replayed {self.replays} times already"
        if self.record.key is None and self.record.value is None:
            return "it has neither key nor value"
        return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters a command is about."""

    reason: Reason | None
    since: datetime | None

    def __contains__(self, letter: Letter) -> bool:
        if self.reason is not None and letter.headers.reason is not self.reason:
            return False
        return self.since is None or letter.headers.time >= self.since


def wanted(reason: str | None, since: str | None, now: datetime) -> Wanted:
    """Return which letters `--reason` and `--since` ask for; raises UserError when they make no sense."""
    if reason is not None and reason not in set(Reason):
        raise UserError(f"there is no reason {reason}; the reasons are {', '.join(Reason)}")
    return Wanted(Reason(reason) if reason else None, moment(since, now) if since else None)


async def letters() -> AsyncIterator[Letter]:
    """Yield all dead letters that lie in the topic now; report what is none."""
    async with kafka.consumer(*await kafka.partitions_of(DEAD_LETTERS.name)) as client:
        await client.seek_to_beginning()
        async for record in kafka.up_to_now(client):
            if (letter := letter_of(record)) is not None:
                yield letter
            else:
                fail(f"{record.partition}:{record.offset} is no dead letter of onrecord's")


async def last_deaths() -> dict[bytes, tuple[int, datetime, str]]:
    """Return for the content of each letter its last death.

    A message that died again after a replay lies in the topic several times; to replay them all would multiply it.
    """
    last: dict[bytes, tuple[int, datetime, str]] = {}
    async for letter in letters():
        last[letter.content] = max(letter.death, last.get(letter.content, letter.death))
    return last


def letter_of(record: Record) -> Letter | None:
    """Return what a message of the dead-letter topic is; None when its headers are not those of a dead letter."""
    try:
        headers = DeadLetterHeaders.from_kafka(list(record.headers))
    except (ValidationError, UnicodeDecodeError):
        return None
    counts = [content for name, content in record.headers if name == REPLAYS_HEADER]
    return Letter(record, headers, int(counts[-1]) if counts and counts[-1].isdigit() else 0)


def describe(record: Record) -> Text:
    """Return a dead letter as one line of words."""
    letter = letter_of(record)
    if letter is None:
        return Text(f"{record.partition}:{record.offset} is no dead letter of onrecord's")
    said = letter.headers
    origin = f"({said.topic} partition {said.partition} offset {said.offset}, {len(record.value or b'')} bytes)"
    return Text.assemble(
        (f"[{key(record)}] ", "dim"), (said.reason, "bold red"), f": {one_line(said.message)} ", (origin, "dim")
    )


def as_json(record: Record) -> str:
    """Return a dead letter as one line of JSON; a value or header that is not UTF-8 is given in base64."""
    value = record.value
    return json.dumps(
        {
            "partition": record.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp,
            "key": None if record.key is None else _text_or_base64(record.key),
            "headers": {name: _text_or_base64(content) for name, content in record.headers},
            "value": None if value is None else _text_or_base64(value),
        },
        ensure_ascii=False,
    )


def key(record: Record) -> str:
    """Return a message's key in printable form."""
    return "-" if record.key is None else one_line(record.key.decode(errors="replace"))


def readable(value: bytes) -> str:
    """Return bytes as text without control characters but line breaks; what is not UTF-8 as \\x escapes."""
    return "\n".join(one_line(line) for line in value.decode(errors="backslashreplace").split("\n"))


def _text_or_base64(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
