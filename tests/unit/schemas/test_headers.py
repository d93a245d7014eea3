from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from schemas import DeadLetterHeaders, Reason, cloudevents
from schemas.deadletter import original_headers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LETTER = DeadLetterHeaders(
    topic="news.article.raw.v1",
    partition=3,
    offset=41,
    reason=Reason.NOT_JSON,
    message="line 1: expected a value",
    attempts=1,
    service_version="0.1.0",
    time=NOON,
)


def test_cloudevents_attributes_are_prefixed_headers() -> None:
    made = dict(cloudevents.headers(event_id="id-1", event_type="news.quote.extracted.v1", subject="a1", time=NOON))
    assert made == {
        "ce_specversion": b"1.0",
        "ce_id": b"id-1",
        "ce_source": b"urn:onrecord:enricher",
        "ce_type": b"news.quote.extracted.v1",
        "ce_time": b"2026-03-01T12:00:00+00:00",
        "ce_subject": b"a1",
        "ce_dataschema": b"urn:onrecord:schema:news.quote.extracted.v1",
        "content-type": b"application/json",
    }


def test_traceparent_is_carried_when_there_is_one() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    made = cloudevents.headers(event_id="i", event_type="t", subject="s", time=NOON, traceparent=trace)
    assert ("traceparent", trace.encode()) in made


def test_dead_letter_headers_survive_kafka() -> None:
    assert DeadLetterHeaders.from_kafka([("other", b"\xff"), *LETTER.to_kafka()]) == LETTER


def test_the_original_headers_come_back() -> None:
    own = [("traceparent", b"00-1"), ("x", b"\xff\x00"), ("x", b"twice")]
    assert original_headers([*own, *LETTER.to_kafka()]) == own


def test_headers_of_an_ordinary_message_are_refused() -> None:
    with pytest.raises(ValidationError, match="reason"):
        DeadLetterHeaders.from_kafka([("ce_id", b"1")])
