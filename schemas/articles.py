"""The article that comes in, and the whole reading of it that goes out."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from schemas.annotations import Entity, Model, Position, Quote

ArticleId = Annotated[str, Field(min_length=1, max_length=256)]
Language = Annotated[str, Field(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", description="BCP 47 language tag")]
Revision = Annotated[int, Field(ge=0, description="0 for the first version; a correction carries a higher number")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _with_zone(moment: datetime) -> datetime:
    """A time without a zone is taken as UTC: agencies that leave the zone out mean it."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_with_zone)]


class RawArticle(BaseModel):
    """An article as its producer sends it. Only `article_id` and `body` are required.

    Fields that are not named here are kept, and passed through untouched as `extra` of the enriched event.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    article_id: ArticleId
    body: str
    title: str | None = None
    url: str | None = None
    source: str | None = None
    language: Language = "en"
    published_at: Moment | None = None
    authors: list[str] = []
    revision: Revision = 0

    @property
    def text(self) -> str:
        """Return the text that is read and that all offsets count in.

        The body exactly as received; preceded by the title and a blank line when there is a title that the body does
        not begin with.
        """
        if self.title and not self.body.startswith(self.title):
            return f"{self.title}\n\n{self.body}"
        return self.body


def fault(error: ValidationError) -> str:
    """Return the first thing that is wrong with an article, its field before it; never what the field holds."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    field = ".".join(map(str, first["loc"]))
    return f"{field}: {first['msg']}" if field else first["msg"]


class Provenance(Model):
    """How a reading was made, so that its consumer can tell two readings of one article apart."""

    service: str
    version: str
    model: Annotated[str | None, Field(description="name of the spaCy pipeline; null when none read the article")]
    model_version: str | None
    reader: Annotated[
        str | None,
        Field(
            description="first 12 hex digits of the SHA-256 of the learned reader's weights; null when it did not read"
        ),
    ] = None
    extractors: list[str]
    skipped: Annotated[str | None, Field(description="why the article was not read; null when it was")] = None


class Supersedes(Model):
    """What a corrected article retracts: every event of the article that has a lower revision.

    The service keeps no state, so it cannot list the items of an earlier reading; their article_id and revision
    do it (see docs/events.md for a consumer, docs/adr for why).
    """

    article_id: ArticleId
    revisions_below: Annotated[int, Field(ge=1, description="items with a lower revision than this are retracted")]


class EnrichedArticle(Model):
    """The whole reading of one article."""

    article_id: ArticleId
    revision: Revision
    supersedes: Annotated[Supersedes | None, Field(description="null for the first revision")] = None
    title: str | None
    url: str | None
    source: str | None
    language: Language
    published_at: Moment | None
    authors: list[str]
    text: Annotated[str | None, Field(description="what the offsets count in; null when publishing it is switched off")]
    text_sha256: Sha256
    text_simhash: Annotated[
        str, Field(pattern="^[0-9a-f]{16}$", description="64-bit SimHash: near-duplicates differ in few bits")
    ]
    entities: list[Entity]
    quotes: list[Quote]
    positions: list[Position]
    provenance: Provenance
    extra: dict[str, Any] = Field(default_factory=dict)


class ArticleReference(Model):
    """Which article a per-item event belongs to."""

    article_id: ArticleId
    revision: Revision
    title: str | None
    url: str | None
    source: str | None
    language: Language
    published_at: Moment | None
    text_sha256: Sha256

    @classmethod
    def to(cls, article: EnrichedArticle) -> "ArticleReference":
        """Return the reference to `article`."""
        return cls.model_construct(**{name: getattr(article, name) for name in cls.model_fields})


class EntityMentioned(Model):
    """One entity of one article."""

    article: ArticleReference
    entity: Entity


class QuoteExtracted(Model):
    """One quote of one article."""

    article: ArticleReference
    quote: Quote


class PositionStated(Model):
    """One policy position of one article."""

    article: ArticleReference
    position: Position
