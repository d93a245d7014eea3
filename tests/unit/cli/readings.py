"""A reading made by hand, so that tests of what shows it need no model."""

from schemas import (
    EnrichedArticle,
    Entity,
    EntityType,
    Mention,
    Modality,
    Position,
    Provenance,
    Quote,
    QuoteKind,
    Span,
    Stance,
    Via,
)

TEXT = (
    "Bridge vote\r\n\n“We will build it,” Ann <Lee> said, “by May & June.” [b]She[/b] rejected the toll\x1b[31m plan.\n"
)


def span(words: str) -> Span:
    return Span.of(TEXT, TEXT.index(words), TEXT.index(words) + len(words))


def reading() -> EnrichedArticle:
    """Return a reading in which highlights overlap, and texts hold what HTML, terminals and rich take for orders."""
    first, second = span("“We will build it,”"), span("“by May & June.”")
    whole = Span.of(TEXT, first.start, second.end)
    name = span("Ann <Lee>")
    she = span("She")
    return EnrichedArticle(
        article_id="a <1>",
        revision=1,
        supersedes=None,
        title=None,
        url=None,
        source="The Gazette",
        language="en",
        published_at=None,
        authors=[],
        text=TEXT,
        text_sha256="0" * 64,
        text_simhash="0" * 16,
        entities=[
            Entity(
                id="e1",
                name="Ann <Lee>",
                type=EntityType.PERSON,
                titles=["mayor"],
                salience=0.9,
                mentions=[Mention(**name.model_dump()), Mention(**she.model_dump())],
            )
        ],
        quotes=[
            Quote(
                **whole.model_dump(),
                id="q1",
                fragments=[(first.start, first.end), (second.start, second.end)],
                kind=QuoteKind.DIRECT,
                speaker=name,
                speaker_name="Ann <Lee>",
                speaker_id="e1",
                cue=span("said"),
                confidence=0.9,
                fingerprint="f",
            )
        ],
        positions=[
            Position(
                id="p1",
                holder=name,
                holder_name="Ann <Lee>",
                holder_id="e1",
                target=span("build it"),
                target_name="the bridge",
                stance=Stance.SUPPORT,
                modality=Modality.COMMIT,
                via=Via.DIRECT_QUOTE,
                quote_id="q1",
                conditional=True,
                cue=span("will"),
                evidence=whole,
                confidence=0.8,
            ),
            Position(
                id="p2",
                holder=she,
                holder_name="Ann <Lee>",
                holder_id="e1",
                target=span("the toll\x1b[31m plan"),
                target_name=None,
                stance=Stance.OPPOSE,
                modality=Modality.REJECT,
                via=Via.NARRATION,
                quote_id=None,
                cue=span("rejected"),
                evidence=span("She[/b] rejected the toll\x1b[31m plan."),
                confidence=0.8,
            ),
        ],
        provenance=Provenance(service="onrecord", version="0", model="m", model_version="1", extractors=["quotes"]),
    )
