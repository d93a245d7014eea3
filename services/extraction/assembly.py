"""What was found, made into the models of the event: spans, deterministic ids, fingerprints."""

from collections.abc import Sequence
from hashlib import sha256

from schemas import EnrichedArticle, Entity, Position, Provenance, Quote, RawArticle, Span, Supersedes, item_id
from services.extraction import fingerprints
from services.extraction.document import Offsets
from services.extraction.positions import Stated
from services.extraction.quotes import Found


def quote(article: RawArticle, text: str, found: Found) -> Quote:
    """Return a quote as the event carries it."""
    return Quote(
        text=text[found.start : found.end],
        start=found.start,
        end=found.end,
        id=_quote_id(article, found),
        fragments=found.pieces,
        kind=found.kind,
        act=found.act,
        speaker=_span(text, found.speaker),
        speaker_name=found.name,
        speaker_id=found.entity.id if found.entity is not None else None,
        cue=_span(text, found.cue),
        confidence=found.confidence,
        fingerprint=fingerprints.quote_fingerprint(" ".join(text[start:end] for start, end in found.pieces)),
    )


def position(article: RawArticle, text: str, stated: Stated) -> Position:
    """Return a position as the event carries it; its id comes of whose it is, of what, and where it is stated."""
    place = (stated.evidence[0], *stated.cue, *stated.target, *(stated.holder or (None, None)))
    return Position(
        id=item_id(article.article_id, article.revision, "position", *place),
        holder=_span(text, stated.holder),
        holder_name=stated.name,
        holder_id=stated.entity.id if stated.entity is not None else None,
        target=Span.of(text, *stated.target),
        target_name=stated.target_name,
        stance=stated.stance,
        modality=stated.modality,
        via=stated.via,
        quote_id=_quote_id(article, stated.quote) if stated.quote is not None else None,
        status=stated.status,
        contested=stated.contested,
        conditional=stated.conditional,
        kind=stated.kind,
        topics=stated.topics,
        cue=_span(text, stated.cue),
        evidence=Span.of(text, *stated.evidence),
        confidence=stated.confidence,
    )


def enriched(
    article: RawArticle,
    provenance: Provenance,
    *,
    entities: Sequence[Entity] = (),
    quotes: Sequence[Quote] = (),
    positions: Sequence[Position] = (),
    publish_text: bool,
) -> EnrichedArticle:
    """Return the whole reading of an article, with the producer's own fields passed through."""
    text = article.text
    return EnrichedArticle(
        **{name: getattr(article, name) for name in RawArticle.model_fields if name != "body"},
        supersedes=_supersedes(article),
        text=text if publish_text else None,
        text_sha256=sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        text_simhash=fingerprints.simhash(text),
        entities=list(entities),
        quotes=list(quotes),
        positions=list(positions),
        provenance=provenance,
        extra=dict(article.model_extra or {}),
    )


def _quote_id(article: RawArticle, found: Found) -> str:
    """Return the id of a quote; it comes of its place in the text."""
    return item_id(article.article_id, article.revision, "quote", found.start, found.end)


def _supersedes(article: RawArticle) -> Supersedes | None:
    """Return what a correction retracts: every item of an earlier revision."""
    if article.revision == 0:
        return None
    return Supersedes(article_id=article.article_id, revisions_below=article.revision)


def _span(text: str, offsets: Offsets | None) -> Span | None:
    return Span.of(text, *offsets) if offsets is not None else None
