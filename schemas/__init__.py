"""The contract of onrecord: every event, topic and header. Imports nothing else of the project."""

from schemas.annotations import (
    Act,
    Entity,
    EntityType,
    Mention,
    MentionKind,
    Modality,
    Money,
    Position,
    PositionKind,
    Quote,
    QuoteKind,
    Span,
    Stance,
    Topic,
    Via,
)
from schemas.articles import (
    ArticleReference,
    EnrichedArticle,
    EntityMentioned,
    PositionStated,
    Provenance,
    QuoteExtracted,
    RawArticle,
)
from schemas.deadletter import DeadLetterHeaders, Reason
from schemas.identity import item_id

__all__ = [
    "Act",
    "ArticleReference",
    "DeadLetterHeaders",
    "EnrichedArticle",
    "Entity",
    "EntityMentioned",
    "EntityType",
    "Mention",
    "MentionKind",
    "Modality",
    "Money",
    "Position",
    "PositionKind",
    "PositionStated",
    "Provenance",
    "Quote",
    "QuoteExtracted",
    "QuoteKind",
    "RawArticle",
    "Reason",
    "Span",
    "Stance",
    "Topic",
    "Via",
    "item_id",
]
