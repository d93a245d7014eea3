"""What runs in a child: raw bytes in, finished Kafka messages out."""

import json
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from schemas import (
    ArticleReference,
    EnrichedArticle,
    EntityMentioned,
    PositionStated,
    QuoteExtracted,
    RawArticle,
    Reason,
    cloudevents,
    item_id,
    topics,
)
from schemas.articles import fault
from services.enricher.limits import RefusedError, check_article, check_bytes
from services.enricher.messages import Facts, Failure, Message, Outgoing, Result, traceparent
from services.enricher.settings import Settings
from services.extraction.pipeline import Pipeline, Reading
from services.extraction.steps import Step, Stopwatch, Timing

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HEADERS_BYTES = 4096
"""Room for key, headers and framing below a topic's largest message."""
_LIMITS = {topic.name: topic.max_message_bytes for topic in topics.OUTPUTS}
MESSAGE_CHARACTERS = 300
"""A failure's message is cut here: it travels in a Kafka header."""


@dataclass(frozen=True, slots=True)
class _Work:
    article: RawArticle
    trace: str | None
    steps: list[Timing]
    """What has been done to it so far."""


class Reader:
    """Reads raw messages with one pipeline. Its models are loaded when it is made; raises what the pipeline raises."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pipeline = Pipeline(settings.pipelines, settings.extractors, settings.publish_text, settings.thresholds)

    @property
    def identity(self) -> dict[str, str]:
        """The pipeline's identity."""
        return self._pipeline.identity

    def read(self, batch: Sequence[Message]) -> list[Result]:
        """Return one result a message, in their order. Whatever the messages are, it raises MemoryError alone."""
        admitted = [self._admit(message) for message in batch]
        work = [one for one in admitted if isinstance(one, _Work)]
        try:
            results = iter(self._finish(work))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (one article's fault must not cost the others theirs)
            results = iter([self._alone(one) for one in work])
        return [Result(failure=one) if isinstance(one, Failure) else next(results) for one in admitted]

    def _admit(self, message: Message) -> _Work | Failure:
        watch = Stopwatch()
        try:
            article = parse(check_bytes(message.value, self._settings))
            check_article(article, self._settings)
        except RefusedError as error:
            return Failure(error.reason, error.message[:MESSAGE_CHARACTERS], attempts=1)
        watch.lap(Step.VALIDATION)
        return _Work(article, traceparent(message.headers), watch.timings)

    def _finish(self, work: Sequence[_Work]) -> list[Result]:
        readings = self._pipeline.measured([one.article for one in work])
        source = self._settings.event_source
        return [_result(one, reading, source) for one, reading in zip(work, readings, strict=True)]

    def _alone(self, one: _Work) -> Result:
        try:
            (result,) = self._finish([one])
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, it is about this article)
            return Result(failure=Failure(Reason.READING_FAILED, _where(error), attempts=2))
        return result


def parse(value: bytes) -> RawArticle:
    """Return the article that a message carries; raises RefusedError.

    JSON is read strictly (RFC 8259: no NaN, no lone surrogates), but for a byte order mark, which the RFC allows to be
    ignored. Of two fields with one name the last counts.
    """
    try:
        data = from_json(value.removeprefix(_BYTE_ORDER_MARK), allow_inf_nan=False)
    except ValueError as error:
        raise RefusedError(Reason.NOT_JSON, str(error)) from None
    if not isinstance(data, dict):
        raise RefusedError(Reason.INVALID_ARTICLE, "not a JSON object")
    try:
        article = RawArticle.model_validate(data)
    except ValidationError as error:
        raise RefusedError(Reason.INVALID_ARTICLE, fault(error)) from None
    try:
        json.dumps(article.model_extra, allow_nan=False)
    except ValueError:  # 1e999: an infinity could not be passed on as it came
        raise RefusedError(Reason.NOT_JSON, "a number is out of range") from None
    return article


def _result(work: _Work, reading: Reading, source: str) -> Result:
    """Return what becomes of an article that was read: its events, or a failure when one is too large for Kafka."""
    watch = Stopwatch()
    outputs = events(reading.article, source, work.trace)
    watch.lap(Step.SERIALISATION)
    for output in outputs:
        size, limit = len(output.value or b"") + HEADERS_BYTES, _LIMITS[output.topic]
        if size > limit:
            message = f"{size} bytes for {output.topic}, which takes {limit}"
            return Result(failure=Failure(Reason.OUTPUT_TOO_LARGE, message, attempts=1))
    return Result(outputs=outputs, facts=_facts(work, reading, watch.timings))


def events(article: EnrichedArticle, source: str, trace: str | None) -> tuple[Outgoing, ...]:
    """Return the events of a reading as Kafka messages: the whole of it first, then one an item."""
    reference = ArticleReference.to(article)
    everything: list[tuple[topics.Topic, str, BaseModel]] = [
        (topics.ENRICHED, item_id(article.article_id, article.revision, "enriched"), article),
        *((topics.ENTITIES, one.id, EntityMentioned(article=reference, entity=one)) for one in article.entities),
        *((topics.QUOTES, one.id, QuoteExtracted(article=reference, quote=one)) for one in article.quotes),
        *((topics.POSITIONS, one.id, PositionStated(article=reference, position=one)) for one in article.positions),
    ]
    now = datetime.now(UTC)
    return tuple(
        Outgoing(
            topic=topic.name,
            key=article.article_id.encode(),
            value=event.model_dump_json().encode(),
            headers=cloudevents.headers(
                event_id=event_id,
                event_type=topic.name,
                subject=article.article_id,
                time=now,
                source=source,
                traceparent=trace,
            ),
        )
        for topic, event_id, event in everything
    )


def _facts(work: _Work, reading: Reading, last: list[Timing]) -> Facts:
    article = reading.article
    return Facts(
        characters=len(work.article.text),
        tokens=reading.tokens,
        skipped=article.provenance.skipped is not None,
        entities=tuple(str(one.type) for one in article.entities),
        quotes=tuple((str(one.kind), one.speaker is not None, one.confidence) for one in article.quotes),
        positions=tuple((str(one.stance), str(one.modality), one.confidence) for one in article.positions),
        steps=(*work.steps, *reading.steps, *last),
    )


def _where(error: Exception) -> str:
    """Return what was raised and where, without the message: that may quote the article."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}, {last.name}"
