"""Which dead letters are meant, and which may go back."""

from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import ConsumerRecord

from schemas import DeadLetterHeaders, Reason
from schemas.deadletter import REPLAYS_HEADER
from services.cli import deadletters
from services.cli.console import UserError
from services.cli.deadletters import Letter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def letter(
    *own: tuple[str, bytes], reason: Reason = Reason.NOT_JSON, time: datetime = NOW, key: bytes | None = b"k",
    value: bytes | None = b"v",
) -> Letter:  # fmt: skip
    said = DeadLetterHeaders(
        topic="raw", partition=1, offset=2, reason=reason, message="m", attempts=1, service_version="0", time=time
    )
    record = ConsumerRecord("dlq", 0, 5, 0, 0, key, value, None, 1, 1, [*own, *said.to_kafka()])
    found = deadletters.letter_of(record)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("since", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28T10:00:00+02:00", datetime(2026, 2, 28, 8, tzinfo=UTC)),
    ],
)
def test_since_is_an_age_or_a_time(since: str, moment: datetime) -> None:
    wanted = deadletters.wanted(None, since, NOW)
    assert letter(time=moment) in wanted
    assert letter(time=moment - timedelta(seconds=1)) not in wanted


def test_a_reason_selects_and_an_unknown_one_is_refused_with_the_list() -> None:
    wanted = deadletters.wanted("worker_crash", None, NOW)
    assert letter(reason=Reason.WORKER_CRASH) in wanted
    assert letter(reason=Reason.NOT_JSON) not in wanted
    with pytest.raises(UserError, match="worker_crash"):
        deadletters.wanted("bad_luck", None, NOW)


def test_a_replay_keeps_the_messages_own_headers_and_is_counted() -> None:
    own = ("traceparent", b"00-1"), ("h", b"\xff")
    assert letter(*own).replay_headers == [*own, (REPLAYS_HEADER, b"1")]
    assert letter(own[0], (REPLAYS_HEADER, b"2")).replay_headers == [own[0], (REPLAYS_HEADER, b"3")]


def test_what_was_replayed_too_often_is_refused() -> None:
    assert letter((REPLAYS_HEADER, b"2")).refusal(3) is None
    assert letter((REPLAYS_HEADER, b"3")).refusal(3) == "it was replayed 3 times already"
    assert letter(key=None, value=None).refusal(3) is not None


def test_deaths_of_one_message_share_their_content() -> None:
    assert letter().content == letter((REPLAYS_HEADER, b"1"), reason=Reason.DEADLINE).content
    assert letter().content != letter(value=b"other").content
    assert letter(key=None).content != letter(key=b"None").content


def test_what_is_no_dead_letter_is_known() -> None:
    record = ConsumerRecord("dlq", 3, 4, 0, 0, b"k", b"v", None, 1, 1, [("onrecord-dlq-reason", b"\xff")])
    assert deadletters.letter_of(record) is None
    assert "3:4 is no dead letter" in deadletters.describe(record).plain


def test_bytes_that_are_no_text_are_given_in_base64() -> None:
    assert '"value": {"base64": "/w=="}' in deadletters.as_json(letter(value=b"\xff").record)
    assert '"value": "ü"' in deadletters.as_json(letter(value="ü".encode()).record)
    assert deadletters.readable(b"a\xff\x1b[0m\nb") == "a\\xff [0m\nb"
