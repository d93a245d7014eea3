"""What goes into the reading of one message and what comes out of it: plain data that crosses process boundaries.

Nothing here imports the reading itself, so that the process that talks to Kafka never loads a model.
"""

import re
from dataclasses import dataclass

from schemas import Reason
from schemas.cloudevents import TRACEPARENT
from services.extraction.steps import Timing

Headers = list[tuple[str, bytes]]

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""Version, trace, parent and flags (W3C Trace Context)."""


def traceparent(headers: Headers) -> str | None:
    """Return the W3C trace context of a message, if it has one that is well formed; the last one counts."""
    found = dict(headers).get(TRACEPARENT)
    return found.decode() if found and _TRACEPARENT.fullmatch(found) else None


@dataclass(frozen=True, slots=True)
class Message:
    """A raw message as Kafka carries it; `value` is None for a tombstone."""

    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One finished Kafka message; without a timestamp the producer's clock gives it one."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message was not read. `message` names the field at fault and never holds text of the article."""

    reason: Reason
    message: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the metrics count of one reading, so that nobody has to parse the events again."""

    characters: int
    """Length of the text in code points."""
    tokens: int
    """Words and marks of the text as spaCy counts them; 0 where it was not read."""
    skipped: bool
    """Whether the article was passed on unread, for want of a model for its language."""
    entities: tuple[str, ...]
    """The type of each entity."""
    quotes: tuple[tuple[str, bool, float], ...]
    """Of each quote: its kind, whether its speaker is known, its confidence."""
    positions: tuple[tuple[str, str, float], ...]
    """Of each position: its stance, its modality, its confidence."""
    steps: tuple[Timing, ...]
    """What the reading took, by step, in the order in which it was done."""


@dataclass(frozen=True, slots=True)
class ReadSpan:
    """When a child read a message, in nanoseconds of Unix time, and how many articles it read at once."""

    began_ns: int
    ended_ns: int
    articles: int
    epoch_ns: int
    """Unix time less the clock that the steps are timed with, at the time that the reading began."""


@dataclass(frozen=True, slots=True)
class Result:
    """The events that come of a message, or the failure that makes it a dead letter."""

    outputs: tuple[Outgoing, ...] = ()
    failure: Failure | None = None
    facts: Facts | None = None
    span: ReadSpan | None = None
    """Where tracing asks for it, and a child has lived to tell."""
