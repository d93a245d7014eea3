import json
import string
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import EnrichedArticle, Entity, EntityMentioned, RawArticle, Reason, cloudevents, item_id, topics
from schemas.annotations import EntityType, Mention
from schemas.articles import Provenance
from services.enricher import reading
from services.enricher.messages import Headers, Message, Result
from services.enricher.reading import Reader
from services.enricher.settings import Settings
from services.extraction.pipeline import Reading
from services.extraction.steps import Step, Timing

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class OneEntity:
    """A pipeline that finds the first character of a text, and does what the body tells it to."""

    def __init__(self, *configuration: object) -> None:
        self.batches: list[int] = []

    def measured(self, articles: Sequence[RawArticle]) -> list[Reading]:
        self.batches.append(len(articles))
        steps = (Timing(Step.SYNTAX, 10, 20, len(articles)),)
        return [Reading(self._one(article, len(articles)), 2, steps) for article in articles]

    def _one(self, article: RawArticle, company: int) -> EnrichedArticle:
        if article.body == "raise" or (article.body == "raise in company" and company > 1):
            raise ValueError(article.body)
        if article.body == "exhaust":
            raise MemoryError
        mentions = [Mention.of(article.text, 0, 1)] if article.text else []
        own = RawArticle.model_fields.keys() & EnrichedArticle.model_fields.keys()
        return EnrichedArticle(
            **{name: getattr(article, name) for name in own},
            text=article.text,
            text_sha256="0" * 64,
            text_simhash="0" * 16,
            entities=[
                Entity(id="entity-id", name=one.text, type=EntityType.ORG, mentions=[one], salience=1.0)
                for one in mentions
            ],
            quotes=[],
            positions=[],
            provenance=Provenance(service="onrecord", version="0", model=None, model_version=None, extractors=[]),
            extra=article.model_extra or {},
        )


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> OneEntity:
    made = OneEntity()
    monkeypatch.setattr(reading, "Pipeline", lambda *_: made)
    return made


@pytest.fixture
def reader(pipeline: OneEntity) -> Reader:
    return Reader(Settings(max_text_length=10_000, max_message_bytes=100_000))


def article(**fields: object) -> bytes:
    return json.dumps({"article_id": "a1", "body": "Body."} | fields).encode()


def read(reader: Reader, value: bytes | None, headers: Headers | None = None) -> Result:
    (result,) = reader.read([Message(value, headers or [])])
    return result


def test_an_article_becomes_its_events(reader: Reader) -> None:
    enriched, entity = read(reader, article()).outputs
    assert (enriched.topic, entity.topic) == (topics.ENRICHED.name, topics.ENTITIES.name)
    assert enriched.key == entity.key == b"a1"
    whole = EnrichedArticle.model_validate_json(enriched.value or b"")
    item = EntityMentioned.model_validate_json(entity.value or b"")
    assert item.entity == whole.entities[0]
    assert (item.article.article_id, item.article.text_sha256) == ("a1", whole.text_sha256)


def test_events_carry_cloudevents_headers(reader: Reader) -> None:
    enriched, entity = (dict(output.headers) for output in read(reader, article(revision=2)).outputs)
    assert enriched["ce_id"] == item_id("a1", 2, "enriched").encode()
    assert enriched["ce_type"] == topics.ENRICHED.name.encode()
    assert entity["ce_id"] == b"entity-id"
    assert entity["ce_type"] == topics.ENTITIES.name.encode()
    assert entity["ce_subject"] == b"a1"
    assert entity["content-type"] == b"application/json"
    assert cloudevents.TRACEPARENT not in entity


def test_the_same_article_gives_the_same_bytes(reader: Reader) -> None:
    one, other = (read(reader, article()).outputs for _ in range(2))
    assert [output.value for output in one] == [output.value for output in other]


def test_the_trace_is_carried_into_every_event(reader: Reader) -> None:
    for output in read(reader, article(), [("other", b"\xff"), ("traceparent", TRACE)]).outputs:
        assert dict(output.headers)["traceparent"] == TRACE


@pytest.mark.parametrize("trace", [b"", b"\xff", b"00-1", TRACE.upper(), TRACE + b"\n"])
def test_a_malformed_trace_is_left_out(reader: Reader, trace: bytes) -> None:
    for output in read(reader, article(), [("traceparent", trace)]).outputs:
        assert "traceparent" not in dict(output.headers)


@pytest.mark.parametrize(
    ("value", "reason", "message"),
    [
        (None, Reason.EMPTY, "no value"),
        (b"", Reason.EMPTY, "no value"),
        (b" ", Reason.NOT_JSON, "EOF"),
        (b"not json", Reason.NOT_JSON, "line 1 column 2"),
        (b'{"article_id": "a", "body": "b"} trailing', Reason.NOT_JSON, "trailing"),
        (b'{"article_id": "a", "body": "\xff\xfe"}', Reason.NOT_JSON, "unicode"),
        (b'{"article_id": "a", "body": "\x00"}', Reason.NOT_JSON, "control character"),
        (rb'{"article_id": "a", "body": "\ud800"}', Reason.NOT_JSON, "hex escape"),
        (rb'{"article_id": "\udc00", "body": "b"}', Reason.NOT_JSON, "surrogate"),
        (b'{"article_id": "a", "body": "b", "x": NaN}', Reason.NOT_JSON, "line 1"),
        (b'{"article_id": "a", "body": "b", "x": Infinity}', Reason.NOT_JSON, "line 1"),
        (b'{"article_id": "a", "body": "b", "x": [-1e999]}', Reason.NOT_JSON, "out of range"),
        (b'{"article_id": "a", "body": "b", "x": %s}' % (b"9" * 5000), Reason.NOT_JSON, "out of range"),
        (article(body="b").decode().encode("utf-16"), Reason.NOT_JSON, "line 1"),
        (b"[" * 10_000 + b"]" * 10_000, Reason.TOO_DEEP, "levels"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, Reason.TOO_DEEP, "levels"),
        (b"x" * 100_001, Reason.MESSAGE_TOO_LARGE, "100001 bytes"),
        (b"null", Reason.INVALID_ARTICLE, "not a JSON object"),
        (b"[]", Reason.INVALID_ARTICLE, "not a JSON object"),
        (b'"text"', Reason.INVALID_ARTICLE, "not a JSON object"),
        (b"{}", Reason.INVALID_ARTICLE, "article_id: Field required"),
        (b'{"article_id": "a"}', Reason.INVALID_ARTICLE, "body: Field required"),
        (article(article_id=""), Reason.INVALID_ARTICLE, "article_id"),
        (article(article_id=7), Reason.INVALID_ARTICLE, "article_id: Input should be a valid string"),
        (article(article_id="x" * 257), Reason.INVALID_ARTICLE, "article_id"),
        (article(body=None), Reason.INVALID_ARTICLE, "body"),
        (article(body=["secret"]), Reason.INVALID_ARTICLE, "body"),
        (article(language="secret language"), Reason.INVALID_ARTICLE, "language"),
        (article(published_at="secret day"), Reason.INVALID_ARTICLE, "published_at"),
        (article(published_at=1e300), Reason.INVALID_ARTICLE, "published_at"),
        (article(authors=["a", {"secret": 1}]), Reason.INVALID_ARTICLE, "authors.1"),
        (article(revision=-1), Reason.INVALID_ARTICLE, "revision"),
        (article(revision=1.5), Reason.INVALID_ARTICLE, "revision"),
        (article(title="t" * 2_001), Reason.TITLE_TOO_LONG, "title: 2001 characters"),
        (article(body="b" * 10_001), Reason.TEXT_TOO_LONG, "text: 10001 characters"),
        (article(**{f"x{number}": 1 for number in range(101)}), Reason.TOO_MANY_FIELDS, "101 fields"),
    ],
)  # fmt: skip
def test_what_is_no_article_is_a_failure_that_names_the_fault(
    reader: Reader, value: bytes | None, reason: Reason, message: str
) -> None:
    failure = read(reader, value).failure
    assert failure is not None
    assert failure.reason is reason
    assert message in failure.message
    assert failure.attempts == 1
    assert "secret" not in failure.message
    assert len(failure.message) <= reading.MESSAGE_CHARACTERS
    assert failure.message.isprintable()


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (b"\xef\xbb\xbf" + article(), "Body."),
        (b'{"article_id": "a1", "body": "first", "body": "last"}', "last"),
        (rb'{"article_id": "a1", "body": "\u0000\ud83d\ude00"}', "\0\N{GRINNING FACE}"),
        (article(body=""), ""),
        (b"\n" + article() + b"\n", "Body."),
    ],
)
def test_odd_but_valid_json_is_read(reader: Reader, value: bytes, body: str) -> None:
    enriched = json.loads(read(reader, value).outputs[0].value or b"")
    assert enriched["text"] == body


def test_unknown_fields_pass_through_untouched(reader: Reader) -> None:
    extra = {
        "desk": "foreign",
        "number": 10**400,
        "nested": {"list": [1, 2.5, None, True, "\u00fc"]},
        "extra": {"a": 1},
    }
    enriched = json.loads(read(reader, article(**extra)).outputs[0].value or b"")
    assert enriched["extra"] == extra


def test_bad_messages_do_not_disturb_the_good_ones_beside_them(reader: Reader, pipeline: OneEntity) -> None:
    values = [b"x", article(article_id="1"), None, article(article_id="2"), b"{}"]
    results = reader.read([Message(value, []) for value in values])
    assert [result.failure is None for result in results] == [False, True, False, True, False]
    assert [result.outputs[0].key for result in results if result.outputs] == [b"1", b"2"]
    assert pipeline.batches == [2]


def test_an_article_that_cannot_be_read_fails_alone_without_its_text(reader: Reader) -> None:
    values = [article(article_id="1"), article(body="raise"), article(article_id="2")]
    first, broken, second = reader.read([Message(value, []) for value in values])
    assert first.outputs
    assert second.outputs
    assert broken.failure is not None
    assert (broken.failure.reason, broken.failure.attempts) == (Reason.READING_FAILED, 2)
    assert broken.failure.message.startswith("ValueError in test_reading.py, line ")
    assert "raise" not in broken.failure.message


def test_an_article_that_can_be_read_alone_is_no_failure(reader: Reader, pipeline: OneEntity) -> None:
    results = reader.read([Message(article(body="raise in company"), []), Message(article(), [])])
    assert all(result.outputs for result in results)
    assert pipeline.batches == [2, 1, 1]


def test_running_out_of_memory_ends_the_child(reader: Reader) -> None:
    with pytest.raises(MemoryError):
        read(reader, article(body="exhaust"))


def test_an_event_that_kafka_would_refuse_is_a_failure(pipeline: OneEntity) -> None:
    limit = topics.ENRICHED.max_message_bytes
    reader = Reader(Settings(max_text_length=2 * limit, max_message_bytes=2 * limit))
    assert read(reader, article(body="b" * (limit // 2))).failure is None
    failure = read(reader, article(body="b" * limit)).failure
    assert failure is not None
    assert failure.reason is Reason.OUTPUT_TOO_LARGE
    assert topics.ENRICHED.name in failure.message


def test_the_facts_say_what_was_found(reader: Reader) -> None:
    facts = read(reader, article(title="Title")).facts
    assert facts is not None
    assert (facts.characters, facts.tokens, facts.skipped) == (len("Title\n\nBody."), 2, False)
    assert facts.entities == ("ORG",)


def test_the_facts_have_the_steps_of_the_reading_between_those_of_the_service(reader: Reader) -> None:
    results = reader.read([Message(article(article_id=name), []) for name in ("a", "b")] + [Message(b"x", [])])
    first, second = (result.facts.steps for result in results if result.facts is not None)
    assert [timing.step for timing in first] == [Step.VALIDATION, Step.SYNTAX, Step.SERIALISATION]
    assert first[1] == second[1] == Timing(Step.SYNTAX, 10, 20, articles=2)
    assert first[0].ended_ns <= second[0].began_ns <= first[2].began_ns <= first[2].ended_ns <= second[2].began_ns
    assert results[2].facts is None


def test_times_are_no_part_of_the_events(reader: Reader) -> None:
    first, again = (read(reader, article()) for _ in range(2))
    assert first.facts != again.facts
    assert [output.value for output in first.outputs] == [output.value for output in again.outputs]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NEARLY_ARTICLES = st.fixed_dictionaries(
    {"article_id": st.text(min_size=1) | ANYTHING, "body": st.text() | ANYTHING},
    optional={name: ANYTHING for name in RawArticle.model_fields if name not in {"article_id", "body"}}
    | {"text": ANYTHING, "model_config": ANYTHING, "model_extra": ANYTHING, "": ANYTHING},
).map(lambda fields: json.dumps(fields).encode())
BYTES = st.binary() | NEARLY_ARTICLES | st.text(alphabet=string.printable).map(str.encode) | st.none()
HEADERS: st.SearchStrategy[Any] = st.lists(st.tuples(st.sampled_from(["traceparent", "x"]), st.binary()), max_size=3)


@given(st.lists(st.tuples(BYTES, HEADERS), max_size=4))
def test_whatever_comes_has_a_result_that_can_be_sent(messages: list[tuple[bytes | None, Headers]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "Pipeline", OneEntity)
        reader = Reader(Settings())
    results = reader.read([Message(value, headers) for value, headers in messages])
    assert len(results) == len(messages)
    for result in results:
        assert (result.failure is None) == bool(result.outputs)
        assert result.failure is None or result.failure.message.encode().decode().isprintable()
        for output in result.outputs:
            json.loads(output.value or b"")
            assert all(isinstance(value, bytes) for _, value in output.headers)
