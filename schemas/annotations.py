"""What a reading finds in an article: spans, entities, quotes and policy positions."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Offset = Annotated[int, Field(ge=0)]


class Model(BaseModel):
    """Base of every event model: immutable, and open to what a later release adds, so that old consumers read on."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Span(Model):
    """A stretch of the event's own `text`: `text[start:end]` of the event is this span's `text`.

    Offsets count Unicode code points, as Python does (UTF-16 platforms such as Java and JavaScript must convert).
    """

    text: str
    start: Offset
    end: Offset

    @model_validator(mode="after")
    def _as_long_as_its_text(self) -> Self:
        if self.end - self.start != len(self.text):
            raise ValueError("end - start must be the length of text in code points")
        return self

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Self:
        """Return the span of `text` from code point `start` up to `end` (exclusive)."""
        return cls(text=text[start:end], start=start, end=end)


class EntityType(StrEnum):
    """The closed list of entity types: OntoNotes 5 without TIME, ORDINAL, CARDINAL and LANGUAGE."""

    PERSON = "PERSON"
    ORG = "ORG"
    GPE = "GPE"
    LOC = "LOC"
    NORP = "NORP"
    EVENT = "EVENT"
    LAW = "LAW"
    FAC = "FAC"
    PRODUCT = "PRODUCT"
    WORK_OF_ART = "WORK_OF_ART"
    DATE = "DATE"
    MONEY = "MONEY"
    PERCENT = "PERCENT"
    QUANTITY = "QUANTITY"


class MentionKind(StrEnum):
    """How a mention refers: by name ("Mark Rutte"), by description ("the prime minister") or by pronoun ("he")."""

    NAME = "name"
    NOMINAL = "nominal"
    PRONOUN = "pronoun"


class Mention(Span):
    """One place where the text refers to an entity."""

    kind: MentionKind = MentionKind.NAME


class Money(Model):
    """An amount of money read from the text ("$700 billion" is 700000000000 USD)."""

    amount: float
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code")]


class Entity(Model):
    """Everything in one article that refers to one person, organisation, place or other named thing."""

    id: str
    name: Annotated[str, Field(description="canonical name: the fullest form that the article uses")]
    type: EntityType
    mentions: Annotated[list[Mention], Field(min_length=1)]
    titles: Annotated[list[str], Field(description='offices and roles, such as "NATO Secretary General"')] = []
    salience: Annotated[Fraction, Field(description="share of the article's attention; the highest is nearest 1")]
    iso_3166: Annotated[str | None, Field(description="ISO 3166-1 alpha-2 code of a country")] = None
    wikidata_id: Annotated[str | None, Field(pattern="^Q[0-9]+$")] = None
    date: Annotated[str | None, Field(description="ISO 8601 date or interval that a DATE stands for")] = None
    money: Annotated[Money | None, Field(description="what a MONEY stands for")] = None


class QuoteKind(StrEnum):
    """Whether quotation marks enclose all of the content (direct), none of it (indirect) or part of it (mixed)."""

    DIRECT = "direct"
    INDIRECT = "indirect"
    MIXED = "mixed"


class Act(StrEnum):
    """Speech, or a reported belief, hope or finding."""

    SAY = "say"
    THINK = "think"


class Quote(Span):
    """Something that somebody is reported to have said or thought.

    `start` and `end` reach from the first fragment to the last. A quote that its cue splits ('"A," he said, "B"')
    has two fragments; every other quote has one.
    """

    id: str
    fragments: Annotated[list[tuple[Offset, Offset]], Field(min_length=1)]
    kind: QuoteKind
    act: Act = Act.SAY
    speaker: Annotated[Span | None, Field(description="the speaker as mentioned beside the quote; null if unsaid")]
    speaker_name: Annotated[str | None, Field(description="the speaker's name, resolved through coreference")]
    speaker_id: Annotated[str | None, Field(description="id of the speaker among the article's entities")]
    cue: Annotated[Span | None, Field(description='the words that report the speech, such as "said"')]
    confidence: Fraction
    fingerprint: Annotated[str, Field(description="the same for the same words in any article, case aside")]


class Stance(StrEnum):
    """Where a holder stands on a target. Neutral is explicitly undecided; no mention is no record."""

    SUPPORT = "support"
    OPPOSE = "oppose"
    NEUTRAL = "neutral"


class Modality(StrEnum):
    """What kind of act states the position; grounded in PLOVER and CAMEO (see docs/positions.md)."""

    DEMAND = "demand"
    SUPPORT = "support"
    COMMIT = "commit"
    OPPOSE = "oppose"
    REJECT = "reject"
    OPEN = "open"


class Via(StrEnum):
    """Through whom the text states the position."""

    DIRECT_QUOTE = "direct_quote"
    INDIRECT_SPEECH = "indirect_speech"
    NARRATION = "narration"
    THIRD_PARTY = "third_party"


class PositionStatus(StrEnum):
    """Whether the text presents the position as one that its holder has, or as a former one ("*once* opposed")."""

    HELD = "held"
    SUPERSEDED = "superseded"


class PositionKind(StrEnum):
    """A position on a policy, or (meta) on a claim or criticism, which policy counts leave out."""

    POLICY = "policy"
    META = "meta"


class Topic(Model):
    """A major topic of the Comparative Agendas Project."""

    code: Annotated[str, Field(description="CAP major topic code, such as 16 for defense")]
    score: Fraction


class Position(Model):
    """A statement in the text that a political actor is for, against or undecided about a policy."""

    id: str
    holder: Annotated[Span | None, Field(description="whose position it is, as mentioned in or near the evidence")]
    holder_name: str | None
    holder_id: Annotated[str | None, Field(description="id of the holder among the article's entities")]
    target: Annotated[Span, Field(description="the smallest span that names the action, rule or status")]
    target_name: Annotated[str | None, Field(description="what a pronoun target stands for")]
    stance: Stance
    modality: Modality
    via: Via
    quote_id: Annotated[str | None, Field(description="the quote that carries the position")]
    status: PositionStatus = PositionStatus.HELD
    contested: Annotated[bool, Field(description="whether it is a reproach: accused of wanting it")] = False
    conditional: bool = False
    kind: PositionKind = PositionKind.POLICY
    topics: Annotated[list[Topic], Field(max_length=2)] = []
    cue: Span | None
    evidence: Annotated[Span, Field(description="the sentence that states it")]
    confidence: Fraction
