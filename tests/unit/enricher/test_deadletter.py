from datetime import UTC, datetime

import pytest

from schemas import DeadLetterHeaders, Reason
from schemas.topics import DEAD_LETTERS
from services.enricher.consumer import Raw
from services.enricher.deadletter import DeadLetterLimit, TooManyDeadLettersError, dead_letter
from services.enricher.messages import Failure
from services.enricher.settings import Settings

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def raw(**changes: object) -> Raw:
    fields: dict[str, object] = {
        "topic": "raw", "partition": 3, "offset": 7, "generation": 1, "key": b"\xff", "value": b"\x00broken",
        "headers": [("own", b"\xfe"), ("own", b"2")], "timestamp_ms": 1_600_000_000_000,
    }  # fmt: skip
    return Raw(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_dead_letter_is_the_message_as_it_was_with_the_reason_beside_it() -> None:
    letter = dead_letter(raw(), Failure(Reason.NOT_JSON, "line 1", attempts=2), NOW)
    assert (letter.topic, letter.key, letter.value, letter.timestamp_ms) == (
        DEAD_LETTERS.name, b"\xff", b"\x00broken", 1_600_000_000_000,
    )  # fmt: skip
    assert letter.headers[:2] == [("own", b"\xfe"), ("own", b"2")]
    about = DeadLetterHeaders.from_kafka(letter.headers)
    assert (about.topic, about.partition, about.offset, about.reason) == ("raw", 3, 7, Reason.NOT_JSON)
    assert (about.message, about.attempts, about.time) == ("line 1", 2, NOW)


def test_a_replayed_message_that_dies_again_tells_of_its_last_death_alone() -> None:
    first = dead_letter(raw(), Failure(Reason.DEADLINE, "slow", attempts=1), NOW)
    second = dead_letter(raw(headers=first.headers), Failure(Reason.NOT_JSON, "line 1", attempts=1), NOW)
    assert len(second.headers) == len(first.headers)
    assert DeadLetterHeaders.from_kafka(second.headers).reason is Reason.NOT_JSON


def test_too_many_in_a_row_are_too_many() -> None:
    limit = DeadLetterLimit(Settings(dead_letter_consecutive=3))
    for dead in (True, True, False, True, True):
        limit.count(dead=dead)
    with pytest.raises(TooManyDeadLettersError, match="ONRECORD_DEAD_LETTER_CONSECUTIVE"):
        limit.count(dead=True)


def test_too_large_a_share_is_too_many_once_there_are_enough_to_tell() -> None:
    limit = DeadLetterLimit(Settings(dead_letter_consecutive=0, dead_letter_share=0.5))
    for index in range(99):
        limit.count(dead=index % 4 != 0)
    with pytest.raises(TooManyDeadLettersError, match="ONRECORD_DEAD_LETTER_SHARE"):
        limit.count(dead=True)


def test_one_in_twenty_is_not_too_many() -> None:
    limit = DeadLetterLimit(Settings())
    for index in range(5000):
        limit.count(dead=index % 20 == 0)


def test_the_limits_can_be_switched_off() -> None:
    limit = DeadLetterLimit(Settings(dead_letter_consecutive=0, dead_letter_share=1.0))
    for _ in range(2000):
        limit.count(dead=True)
