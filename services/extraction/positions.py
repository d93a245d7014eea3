"""Policy positions: who is for, against or undecided about what, with the words that say so.

The learned reader finds who takes a stand on what (`stands`). Here its holder is led back to whoever is meant: inside a
quote that is the speaker, unless the words name somebody else; and what syntax tells for certain is added.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from spacy.tokens import Doc, Span, Token

from schemas import Entity, Modality, PositionKind, PositionStatus, QuoteKind, Stance, Topic, Via
from services.extraction import assertion, borders, syntax, targets, topics
from services.extraction.coreference import Coreference
from services.extraction.document import SPOKEN_ZONES, Document, Offsets
from services.extraction.holders import FIRST_PERSON, holders
from services.extraction.nested import nested
from services.extraction.quotes import Found
from services.extraction.rebuttals import SAYINGS, rebuttals
from services.extraction.stands import Stand

STANCES = {
    Modality.DEMAND: Stance.SUPPORT,
    Modality.SUPPORT: Stance.SUPPORT,
    Modality.COMMIT: Stance.SUPPORT,
    Modality.OPPOSE: Stance.OPPOSE,
    Modality.REJECT: Stance.OPPOSE,
    Modality.OPEN: Stance.NEUTRAL,
}


@dataclass(slots=True)
class Stated:
    """A position before it becomes an event, in character offsets."""

    holder: Offsets | None
    entity: Entity | None
    name: str | None
    """By what name to call the holder; see `quotes.Found.name`."""
    target: Offsets
    target_name: str | None
    modality: Modality
    via: Via
    quote: Found | None
    status: PositionStatus
    contested: bool
    conditional: bool
    kind: PositionKind
    topics: list[Topic]
    cue: Offsets
    evidence: Offsets
    confidence: float

    @property
    def stance(self) -> Stance:
        """The stance that follows from the modality."""
        return STANCES[self.modality]


def extract(
    document: Document, doc: Doc, coreference: Coreference, spoken: Sequence[Found], stands: Sequence[Stand]
) -> list[Stated]:
    """Return the positions of an article in the order of their cues.

    `spoken`: its quotes, `stands`: what the learned reader takes for positions, both in order.
    """
    best: dict[tuple[str | Offsets | None, Offsets, Stance], Stated] = {}
    rebutted = list(rebuttals(doc))
    taken = [*rebutted, *(each for each in stands if not any(_share(each.cue, other.cue) for other in rebutted))]
    inner = [each for stand in taken for each in nested(doc, stand)]
    for stand in [*taken, *inner]:
        for stated in _stated(document, doc, coreference, spoken, stand):
            key = stated.entity.id if stated.entity is not None else stated.holder, stated.target, stated.stance
            if key not in best or stated.confidence > best[key].confidence:
                best[key] = stated
    return sorted(best.values(), key=lambda position: (position.cue, position.target, position.holder or (0, 0)))


def _stated(
    document: Document, doc: Doc, coreference: Coreference, spoken: Sequence[Found], stand: Stand
) -> Iterator[Stated]:
    """Yield the positions that a stand is, one a holder; none where the text asserts none."""
    cue = syntax.span_at(doc, *stand.cue)
    target = syntax.span_at(doc, *stand.target)
    if cue is None or target is None or document.zone_at(stand.cue[0]) not in SPOKEN_ZONES:
        return
    if not assertion.is_asserted(cue.root):
        return
    modality, named = assertion.modality(cue, stand.modality), stand.target
    left_open = assertion.left_open(modality, target)
    if left_open is not None:
        modality, named = Modality.OPEN, (left_open.left_edge.idx, named[1])
    quote, evidence = _quote_at(spoken, stand.cue[0]), _evidence(document, cue, target)
    accused = assertion.accused(cue.root)
    if accused is not None:
        stand = replace(stand, holder=syntax.noun_phrase(accused))
    held = list(holders(doc, coreference, stand, cue, quote))
    for words in targets.targets(doc, named) if held else ():
        wanted = borders.paired(document.text, words)
        focus = _head(doc, wanted) or target.root
        target_name = _target_name(coreference, focus, wanted)
        about = topics.of_position(document.text, target_name, wanted, evidence)
        for holder in held:
            yield Stated(
                holder=holder.offsets,
                entity=holder.entity,
                name=holder.name,
                target=wanted,
                target_name=target_name,
                modality=modality,
                via=Via.THIRD_PARTY if accused is not None else _via(doc, stand, quote, holder.entity),
                quote=quote or _reported_by(spoken, stand.cue),
                status=PositionStatus.SUPERSEDED if assertion.is_superseded(cue.root) else PositionStatus.HELD,
                contested=accused is not None,
                conditional=assertion.is_conditional(cue.root),
                kind=PositionKind.META if focus.lemma_.lower() in SAYINGS else PositionKind.POLICY,
                topics=about,
                cue=stand.cue,
                evidence=evidence,
                confidence=stand.confidence,
            )


def _share(one: Offsets, other: Offsets) -> bool:
    """Return whether two spans have a character in common."""
    return one[0] < other[1] and other[0] < one[1]


def _head(doc: Doc, offsets: Offsets) -> Token | None:
    span = syntax.span_at(doc, *offsets)
    return span.root if span is not None else None


def _quote_at(spoken: Sequence[Found], offset: int) -> Found | None:
    """Return the quote that the character at `offset` is part of."""
    index = bisect_right(spoken, offset, key=lambda quote: quote.start) - 1
    if index >= 0 and any(start <= offset < end for start, end in spoken[index].pieces):
        return spoken[index]
    return None


def _reported_by(spoken: Sequence[Found], cue: Offsets) -> Found | None:
    """Return the quote that the cue itself introduces: "Merz *urged* Congress to act" is a report and a demand."""
    first = bisect_right(spoken, cue[0], key=lambda quote: quote.start) - 1
    for quote in spoken[max(0, first - 1) : first + 3]:
        if quote.cue is not None and _share(quote.cue, cue):
            return quote
    return None


def _via(doc: Doc, stand: Stand, quote: Found | None, entity: Entity | None) -> Via:
    """Return through whom the text states it."""
    if quote is None:
        return Via.NARRATION
    own = _head(doc, stand.holder) if stand.holder is not None else None
    inside = stand.holder is not None and any(start <= stand.holder[0] < end for start, end in quote.pieces)
    if own is not None and inside and own.lower_ not in FIRST_PERSON and own.tag_ != "PRP":
        same = entity is not None and quote.entity is not None and entity.id == quote.entity.id
        if not same:
            return Via.THIRD_PARTY
    return Via.DIRECT_QUOTE if quote.kind is QuoteKind.DIRECT else Via.INDIRECT_SPEECH


def _target_name(coreference: Coreference, focus: Token, target: Offsets) -> str | None:
    """Return what a pronoun target stands for."""
    if focus.pos_ != "PRON":
        return None
    entity = coreference.resolve(*target)
    return entity.name if entity is not None else None


def _evidence(document: Document, cue: Span, target: Span) -> Offsets:
    """Return the sentence, or the sentences, of cue and target, without the white space around."""
    start = min(cue[0].sent.start_char, target[0].sent.start_char)
    end = max(cue[-1].sent.end_char, target[-1].sent.end_char)
    text = document.text[start:end]
    return start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
