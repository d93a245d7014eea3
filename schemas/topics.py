"""The topic catalogue: the one place that names the topics and says what each carries and how it is kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel

from schemas.articles import EnrichedArticle, EntityMentioned, PositionStated, QuoteExtracted, RawArticle

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Topic:
    """A Kafka topic. The key of every message is the article's id, so one article's events keep their order."""

    name: str
    carries: type[BaseModel] | None
    """Model of the value; None where the value is the untouched bytes of another topic's message."""
    summary: str
    partitions: int
    retention: timedelta | None
    """How long messages are kept; None for ever."""
    cleanup: Literal["delete", "compact"]
    max_message_bytes: int

    @property
    def config(self) -> dict[str, str]:
        """Return the broker's settings for the topic."""
        retention_ms = -1 if self.retention is None else int(self.retention.total_seconds() * 1000)
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
        }


RAW = Topic(
    name="news.article.raw.v1",
    carries=RawArticle,
    summary="Articles as their producers send them.",
    partitions=6,
    retention=timedelta(days=30),
    cleanup="delete",
    max_message_bytes=12 * MEBIBYTE,
)
ENRICHED = Topic(
    name="news.article.enriched.v1",
    carries=EnrichedArticle,
    summary="The whole reading of one article; the last one an article stays.",
    partitions=6,
    retention=None,
    cleanup="compact",
    # A reading holds the text and its annotations: several times the largest text that is read.
    max_message_bytes=16 * MEBIBYTE,
)
# Per-item topics are keyed by the article too, so compaction would keep one item an article: they are deleted by age.
ENTITIES = Topic(
    name="news.entity.mentioned.v1",
    carries=EntityMentioned,
    summary="One event an entity an article.",
    partitions=6,
    retention=timedelta(days=90),
    cleanup="delete",
    max_message_bytes=4 * MEBIBYTE,
)
QUOTES = Topic(
    name="news.quote.extracted.v1",
    carries=QuoteExtracted,
    summary="One event a quote.",
    partitions=6,
    retention=timedelta(days=90),
    cleanup="delete",
    max_message_bytes=4 * MEBIBYTE,
)
POSITIONS = Topic(
    name="news.position.stated.v1",
    carries=PositionStated,
    summary="One event a policy position.",
    partitions=6,
    retention=timedelta(days=90),
    cleanup="delete",
    max_message_bytes=4 * MEBIBYTE,
)
DEAD_LETTERS = Topic(
    name="news.article.raw.v1.onrecord.dlq",
    carries=None,
    summary="Messages of the raw topic that could not be read: bytes untouched, the reason in the headers.",
    partitions=6,
    # A dead letter keeps the timestamp of its message, which may be of any age: retention by time would lose it.
    retention=None,
    cleanup="delete",
    # Whatever fits into the raw topic must fit here with the reason's headers.
    max_message_bytes=13 * MEBIBYTE,
)

CATALOGUE: tuple[Topic, ...] = (RAW, ENRICHED, ENTITIES, QUOTES, POSITIONS, DEAD_LETTERS)
OUTPUTS: tuple[Topic, ...] = (ENRICHED, ENTITIES, QUOTES, POSITIONS)
