"""Policy positions: who is for, against or undecided about what, with the words that say so.

The learned reader finds who takes a stand on what (`stands`). Here its holder is led back to whoever is meant: inside a
quote that is the speaker, unless the words name somebody else; and what syntax tells for certain is added.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc, Span, Token

from schemas import Entity, Modality, PositionKind, QuoteKind, Stance, Topic, Via
from services.extraction import assertion, borders, syntax, topics
from services.extraction.coreference import Coreference
from services.extraction.document import SPOKEN_ZONES, Document, Offsets
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

FIRST_PERSON = frozenset({"i", "we", "me", "us", "let"})
NOMINAL = ("NOUN", "PROPN", "PRON")


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
    cues = {stand.cue for stand in rebutted}
    for stand in [*rebutted, *(each for each in stands if each.cue not in cues)]:
        for stated in _stated(document, doc, coreference, spoken, stand):
            key = stated.entity.id if stated.entity is not None else stated.holder, stated.target, stated.stance
            if key not in best or stated.confidence > best[key].confidence:
                best[key] = stated
    return sorted(best.values(), key=lambda position: (position.cue, position.target, position.holder or (0, 0)))


def _stated(
    document: Document, doc: Doc, coreference: Coreference, spoken: Sequence[Found], stand: Stand
) -> Iterator[Stated]:
    """Yield the positions that a stand is, one a holder; none where the text asserts none."""
    cue = doc.char_span(*stand.cue, alignment_mode="expand")
    target = doc.char_span(*stand.target, alignment_mode="expand")
    if cue is None or target is None or document.zone_at(stand.cue[0]) not in SPOKEN_ZONES:
        return
    if not assertion.is_asserted(cue.root):
        return
    wanted, focus = borders.paired(document.text, _without_subject(stand.target, target)), target.root
    quote, evidence = _quote_at(spoken, stand.cue[0]), _evidence(document, cue, target)
    target_name = _target_name(coreference, focus, wanted)
    about = topics.of_position(document.text, target_name, wanted, evidence)
    for holder, entity, name in _holders(doc, coreference, stand, quote):
        yield Stated(
            holder=holder,
            entity=entity,
            name=name,
            target=wanted,
            target_name=target_name,
            modality=assertion.modality(cue, stand.modality),
            via=_via(doc, stand, quote, entity),
            quote=quote or _reported_by(spoken, stand.cue),
            conditional=assertion.is_conditional(cue.root),
            kind=PositionKind.META if focus.lemma_.lower() in SAYINGS else PositionKind.POLICY,
            topics=about,
            cue=stand.cue,
            evidence=evidence,
            confidence=stand.confidence,
        )


def _without_subject(offsets: Offsets, target: Span) -> Offsets:
    """Return a target without who is to do it: "wants *parliament to* raise wages", "agreed *to* send tanks"."""
    for word in target:
        if word.tag_ == "TO" and word.head.tag_ in ("VB", "VBN") and word.head.i > word.i and word.i + 1 < target.end:
            subject = syntax.child(word.head, *syntax.SUBJECTS)
            opens = word.i == target.start
            if opens or (subject is not None and subject.left_edge.i == target.start and subject.i < word.i):
                return target.doc[word.i + 1].idx, offsets[1]
            return offsets
    return offsets


def _head(doc: Doc, offsets: Offsets) -> Token | None:
    span = doc.char_span(*offsets, alignment_mode="expand")
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
        if quote.cue is not None and quote.cue[0] < cue[1] and cue[0] < quote.cue[1]:
            return quote
    return None


def _holders(
    doc: Doc, coreference: Coreference, stand: Stand, quote: Found | None
) -> Iterator[tuple[Offsets | None, Entity | None, str | None]]:
    """Yield whose stand it is: where they are mentioned, who they are, and by what name.

    In a quote "I" and "we" are its speaker, and so is whoever holds what nobody is named for. Several are joined by
    "and": "Graham, Scott and Sasse *called for* a halt" is a position of each.
    """
    holder = syntax.without_clause(doc, *stand.holder) if stand.holder is not None else None
    if quote is not None and (holder is None or _is_first_person(doc, holder)):
        yield holder or quote.speaker, quote.entity, quote.name
    elif holder is None:
        yield None, None, None
    else:
        for each in _joined(doc, holder):
            yield each, coreference.resolve(*each), coreference.name(*each)


def _joined(doc: Doc, holder: Offsets) -> Iterator[Offsets]:
    """Yield the phrases that "and" joins in a holder, or the holder as it is."""
    span = doc.char_span(*holder, alignment_mode="expand")
    conjuncts = [each for each in span.root.conjuncts if each in span and each.pos_ in NOMINAL] if span else []
    if span is None or not conjuncts:
        yield holder
        return
    for each in (span.root, *conjuncts):
        start, end = syntax.single_phrase(each)
        yield max(start, holder[0]), min(end, holder[1])


def _is_first_person(doc: Doc, holder: Offsets) -> bool:
    head = _head(doc, holder)
    return head is not None and head.lower_ in FIRST_PERSON


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
