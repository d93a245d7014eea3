"""Policy positions: who is for, against or undecided about what, with the words that say so.

A clause takes a stand (`stances`). It becomes a position when it is asserted, its holder is a political actor, and its
target a policy. Inside a quote the holder is whoever speaks, unless the words name somebody else.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc, Span

from schemas import Entity, Modality, PositionKind, QuoteKind, Stance, Via
from services.extraction import policies, syntax
from services.extraction.coreference import Coreference
from services.extraction.document import Document, Offsets
from services.extraction.quotes import SPOKEN_ZONES, Found
from services.extraction.stances import Claim, claims

STANCES = {
    Modality.DEMAND: Stance.SUPPORT,
    Modality.SUPPORT: Stance.SUPPORT,
    Modality.COMMIT: Stance.SUPPORT,
    Modality.OPPOSE: Stance.OPPOSE,
    Modality.REJECT: Stance.OPPOSE,
    Modality.OPEN: Stance.NEUTRAL,
}

FIRST_PERSON = frozenset({"i", "we", "me", "us", "let"})
SPEAKERS_OWN = frozenset({"should", "is", "there"})
"""Frames whose holder is whoever says the sentence: nobody says them in an article but in a quote."""


NECESSITY = frozenset({"need", "have", "deserve"})
"""Verbs that say what should be done, not what their subject wants."""

NOBODY = frozenset(
    {"this", "that", "there", "you", "what", "nobody", "which", "one", "something", "nothing", "these", "those"}
)


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
    cue: Offsets
    evidence: Offsets
    confidence: float

    @property
    def stance(self) -> Stance:
        """The stance that follows from the modality."""
        return STANCES[self.modality]


def extract(document: Document, doc: Doc, coreference: Coreference, spoken: Sequence[Found]) -> list[Stated]:
    """Return the positions of an article in the order of their cues. `spoken`: its quotes, in order."""
    best: dict[tuple[str | Offsets | None, Offsets, Stance], Stated] = {}
    for stated, _ in candidates(document, doc, coreference, spoken):
        key = stated.entity.id if stated.entity is not None else stated.holder, stated.target, stated.stance
        if stated.confidence >= policies.THRESHOLD and (key not in best or stated.confidence > best[key].confidence):
            best[key] = stated
    return sorted(best.values(), key=lambda position: (position.cue, position.target))


def candidates(
    document: Document, doc: Doc, coreference: Coreference, spoken: Sequence[Found]
) -> Iterator[tuple[Stated, set[str]]]:
    """Yield every stand that somebody takes in an article, policy or not, with the features that tell."""
    for claim in claims(doc):
        sentence = claim.focus.sent
        if document.zone_at(claim.cue[0]) not in SPOKEN_ZONES or _is_question(sentence):
            continue
        quote = _quote_at(spoken, claim.cue[0])
        for span, entity in _holders(coreference, claim, quote):
            features = policies.features(claim, entity, quote)
            yield (
                Stated(
                    holder=span,
                    entity=entity,
                    name=coreference.name(*span),
                    target=claim.target,
                    target_name=_target_name(coreference, claim),
                    modality=claim.modality,
                    via=_via(claim, quote, entity),
                    quote=quote or _reported_by(spoken, claim),
                    conditional=claim.conditional,
                    kind=PositionKind.META if policies.is_meta(claim) else PositionKind.POLICY,
                    cue=claim.cue,
                    evidence=_evidence(document, sentence),
                    confidence=policies.probability(claim, features),
                ),
                features,
            )


def _is_question(sentence: Span) -> bool:
    return sentence.text.rstrip(" \"”’'\n").endswith("?")


def _quote_at(spoken: Sequence[Found], offset: int) -> Found | None:
    """Return the quote that the character at `offset` is part of."""
    index = bisect_right(spoken, offset, key=lambda quote: quote.start) - 1
    if index >= 0 and any(start <= offset < end for start, end in spoken[index].pieces):
        return spoken[index]
    return None


def _reported_by(spoken: Sequence[Found], claim: Claim) -> Found | None:
    """Return the quote that the claim's own cue introduces: "Merz *urged* Congress to act" is a report and a demand."""
    first = bisect_right(spoken, claim.cue[0], key=lambda quote: quote.start) - 1
    for quote in spoken[max(0, first - 1) : first + 3]:
        if quote.cue is not None and quote.cue[0] <= claim.cue[0] < quote.cue[1]:
            return quote
    return None


def _holders(coreference: Coreference, claim: Claim, quote: Found | None) -> Iterator[tuple[Offsets, Entity | None]]:
    """Yield whose stand it is: where they are mentioned, and who they are. Nobody when the text names nobody.

    Several are joined by "and": "Graham, Scott and Sasse *called for* a halt" is a position of each.
    """
    own = syntax.antecedent(claim.holder) if claim.holder is not None else None
    if quote is not None and (own is None or own.lower_ in FIRST_PERSON or _is_speakers_own(claim)):
        if quote.speaker is not None:
            yield quote.speaker, quote.entity
        return
    if own is None or own.lower_ in FIRST_PERSON | NOBODY or own.pos_ not in ("NOUN", "PROPN", "PRON", "ADJ"):
        return
    if quote is not None and own.tag_ == "PRP" and coreference.resolve(own.idx, own.idx + len(own)) is None:
        if quote.speaker is not None and quote.entity is None:
            yield quote.speaker, None  # "officials said *they* would …"
        return
    for each in (own, *own.conjuncts):
        if each.i == own.i or (each.i > own.i and each.pos_ in ("NOUN", "PROPN")):
            span = syntax.single_phrase(each) if own.conjuncts else syntax.noun_phrase(each)
            yield span, coreference.resolve(*span)


def _is_speakers_own(claim: Claim) -> bool:
    """Return whether a clause states what its speaker holds, whoever its subject is: "*Congress* must act"."""
    return claim.frame in SPEAKERS_OWN or (claim.modality is not Modality.COMMIT and claim.lemma in NECESSITY)


def _via(claim: Claim, quote: Found | None, entity: Entity | None) -> Via:
    """Return through whom the text states it."""
    if quote is None:
        return Via.NARRATION
    if claim.holder is not None and not _is_speakers_own(claim) and claim.holder.lower_ not in FIRST_PERSON:
        same = entity is not None and quote.entity is not None and entity.id == quote.entity.id
        if not same and claim.holder.tag_ != "PRP":
            return Via.THIRD_PARTY
    return Via.DIRECT_QUOTE if quote.kind is QuoteKind.DIRECT else Via.INDIRECT_SPEECH


def _target_name(coreference: Coreference, claim: Claim) -> str | None:
    """Return what a pronoun target stands for."""
    if claim.focus.pos_ != "PRON":
        return None
    entity = coreference.resolve(*claim.target)
    return entity.name if entity is not None else None


def _evidence(document: Document, sentence: Span) -> Offsets:
    """Return the sentence without the white space around it."""
    text = document.text[sentence.start_char : sentence.end_char]
    return sentence.start_char + len(text) - len(text.lstrip()), sentence.end_char - len(text) + len(text.rstrip())
