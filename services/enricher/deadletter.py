"""Dead letters: what could not be read, as it came, with the reason beside it; and when there are too many of them."""

from collections import deque
from datetime import datetime
from importlib.metadata import version

from schemas import DeadLetterHeaders
from schemas.deadletter import original_headers
from schemas.topics import DEAD_LETTERS
from services.enricher.consumer import Raw
from services.enricher.messages import Failure, Outgoing
from services.enricher.settings import Settings

SHARE_COUNTED_OVER = 1000
"""Messages of a partition over which the share of dead letters is counted."""

SHARE_COUNTED_FROM = 100
"""Messages below which a share means nothing yet."""


class TooManyDeadLettersError(Exception):
    """A partition gives so many dead letters that its producer, or this worker, must be broken."""


def dead_letter(raw: Raw, failure: Failure, now: datetime) -> Outgoing:
    """Return the dead letter of a raw message: its key, value, timestamp and headers untouched, the reason's added.

    The headers of an earlier death are replaced, so that a replayed message tells of its last one.
    """
    reason = DeadLetterHeaders(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        reason=failure.reason,
        message=failure.message,
        attempts=failure.attempts,
        service_version=version("onrecord"),
        time=now,
    )
    headers = original_headers(raw.headers) + reason.to_kafka()
    return Outgoing(DEAD_LETTERS.name, raw.key, raw.value, headers, raw.timestamp_ms)


class DeadLetterLimit:
    """Counts the dead letters of one partition; a broken upstream must stop the worker, not drain into the DLQ.

    Two limits, as Sentry's arroyo has them: the share among the latest messages, and how many in a row.
    """

    def __init__(self, settings: Settings) -> None:
        self._most_in_a_row = settings.dead_letter_consecutive
        self._most_share = settings.dead_letter_share
        self._latest: deque[bool] = deque(maxlen=SHARE_COUNTED_OVER)
        self._in_a_row = 0

    def count(self, *, dead: bool) -> None:
        """Count one message; raises TooManyDeadLettersError at the limit, and then none of its batch may be kept."""
        self._latest.append(dead)
        self._in_a_row = self._in_a_row + 1 if dead else 0
        if self._most_in_a_row and self._in_a_row >= self._most_in_a_row:
            raise TooManyDeadLettersError(f"{self._in_a_row} dead letters in a row (ONRECORD_DEAD_LETTER_CONSECUTIVE)")
        share = sum(self._latest) / len(self._latest)
        if len(self._latest) >= SHARE_COUNTED_FROM and share > self._most_share:
            raise TooManyDeadLettersError(
                f"{share:.0%} of the last {len(self._latest)} messages are dead letters (ONRECORD_DEAD_LETTER_SHARE)"
            )
