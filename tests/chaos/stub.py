"""A reader without a model, for runs whose subject is delivery and not the reading: one article in, two events out.

The body may be an order: "crash" kills the child, "raise" raises, "hang" keeps the child for ever, "slow" for a while.
"""

import os
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from pydantic import ValidationError

from schemas import RawArticle, Reason, cloudevents, item_id, topics
from services.enricher.limits import RefusedError, check_article, check_bytes
from services.enricher.messages import Failure, Message, Outgoing, Result
from services.enricher.settings import Settings

SECONDS_AN_ARTICLE = float(os.environ.get("STUB_SECONDS", "0.004"))
SLOW_SECONDS = 2.5
"""Below the deadline of an article, see harness.WORKER_SETTINGS."""


class Reader:
    """Makes an enriched event and a quote, with the ids and headers that the real one would give them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def identity(self) -> dict[str, str]:
        return {"pipelines": "none", "extractors": "", "reader": "", "matrices": ""}

    def read(self, batch: Sequence[Message]) -> list[Result]:
        return [self._one(message) for message in batch]

    def _one(self, message: Message) -> Result:
        try:
            article = RawArticle.model_validate(orjson.loads(check_bytes(message.value, self._settings)))
            check_article(article, self._settings)
        except RefusedError as error:
            return Result(failure=Failure(error.reason, error.message, attempts=1))
        except ValidationError:
            return Result(failure=Failure(Reason.INVALID_ARTICLE, "not an article", attempts=1))
        except orjson.JSONDecodeError:
            return Result(failure=Failure(Reason.NOT_JSON, "not JSON", attempts=1))
        if article.body == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if article.body == "raise":
            raise ValueError(article.article_id)
        while article.body == "hang":
            time.sleep(60)
        time.sleep(SLOW_SECONDS if article.body == "slow" else SECONDS_AN_ARTICLE)
        about = {"article_id": article.article_id, "revision": article.revision}
        quote = {"id": item_id(article.article_id, article.revision, "quote"), "text": article.body}
        reading = {**about, "text": article.body, "entities": [], "quotes": [quote], "positions": []}
        return Result(
            outputs=(
                _event(article, topics.ENRICHED, item_id(article.article_id, article.revision, "enriched"), reading),
                _event(article, topics.QUOTES, quote["id"], {"article": about, "quote": quote}),
            )
        )


def _event(article: RawArticle, topic: topics.Topic, event_id: str, event: dict[str, object]) -> Outgoing:
    headers = cloudevents.headers(
        event_id=event_id, event_type=topic.name, subject=article.article_id, time=datetime.now(UTC)
    )
    return Outgoing(topic.name, article.article_id.encode(), orjson.dumps(event), headers)
