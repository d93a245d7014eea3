"""Whose position it is: from the words that the reader takes for the holder to everybody who holds it."""

from collections.abc import Iterator
from dataclasses import dataclass

from spacy.tokens import Doc, Span, Token

from schemas import Entity
from services.extraction import syntax
from services.extraction.coreference import Coreference
from services.extraction.document import Offsets
from services.extraction.quotes import Found
from services.extraction.stands import Stand
from services.extraction.wordlists import group

FIRST_PERSON = frozenset({"i", "we", "me", "us", "let"})
NOMINAL = ("NOUN", "PROPN", "PRON")


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a position."""

    offsets: Offsets
    entity: Entity | None
    name: str | None
    """By what name to call the holder; see `quotes.Found.name`."""


def holders(doc: Doc, coreference: Coreference, stand: Stand, cue: Span, quote: Found | None) -> Iterator[Holder]:
    """Yield whose stand it is. A stand that the text gives to nobody is no position: nothing is yielded.

    - "*opponents of the bill* rallied": the noun itself is cue and holder
    - in a quote "I" and "we" are its speaker, and so is whoever holds what nobody is named for
    - "*Graham, Scott and Sasse* called for a halt": a position of each
    """
    own = _named_by_cue(cue)
    holder = own or (syntax.without_clause(doc, *stand.holder) if stand.holder is not None else None)
    if quote is not None and (holder is None or is_first_person(doc, holder)):
        offsets = holder or quote.speaker
        if offsets is not None:
            yield Holder(offsets, quote.entity, quote.name)
    elif holder is not None:
        for each in [holder] if own else _coordinated(doc, _without_possessive(doc, holder)):
            yield Holder(each, coreference.resolve(*each), coreference.name(*each))


def _named_by_cue(cue: Span) -> Offsets | None:
    """Return the phrase of a noun that says who its bearers are for or against: "the law's *critics*".

    None where it is said of somebody ("Adler is *a supporter* of …", "Adler, *an opponent* of …"): they hold it.
    """
    noun = next((each for each in cue if each.lemma_.lower() in group("stance_nouns.tsv", "holder")), None)
    if noun is None or noun.pos_ not in NOMINAL or noun.dep_ in ("attr", "appos", "oprd", "acomp", "compound"):
        return None
    if noun.head.lower_ == "as":
        return None
    return syntax.single_phrase(noun)


def _coordinated(doc: Doc, holder: Offsets) -> Iterator[Offsets]:
    """Yield a holder and whoever it is coordinated with, in the order of the text.

    Of a coordination the reader often marks one member alone; what one does, all do.
    """
    span = syntax.span_at(doc, *holder)
    root = span.root if span is not None else None
    while root is not None and root.dep_ == "appos":
        root = root.head
    members = [each for each in (root, *root.conjuncts) if each.pos_ in NOMINAL] if root is not None else []
    if len(members) < 2 or span is None or not _is_enumeration(members):
        yield holder
        return
    for each in sorted(members, key=lambda member: member.i):
        start, end = _without_both(each, *syntax.single_phrase(each))
        inside = span.start <= each.i < span.end
        yield (max(start, holder[0]), min(end, holder[1])) if inside else (start, end)


def _without_possessive(doc: Doc, holder: Offsets) -> Offsets:
    """Return the offsets of a holder without the ending that joins it to its call: "*Kyiv*'s call"."""
    start, end = holder
    return start, end - 2 if doc.text[start:end].endswith(("'s", "’s")) else end


def _without_both(member: Token, start: int, end: int) -> Offsets:
    """Return the offsets of a member without what opens the coordination: "*both* Democrats and Republicans"."""
    first = member.left_edge
    return (first.nbor().idx if first.lower_ in ("both", "either") and first.idx == start else start), end


def _is_enumeration(members: list[Token]) -> bool:
    """Return whether "and", "or" or commas join the members: the stroke of "SPLM/A" does not."""
    return all(
        mark.lower_ in ("and", "or", "&", ",", ";", "nor", "but")
        for member in members
        for mark in member.children
        if mark.dep_ == "cc"
    )


def is_first_person(doc: Doc, holder: Offsets) -> bool:
    """Return whether a mention is the speaker: "I", "we"."""
    span = syntax.span_at(doc, *holder)
    return span is not None and span.root.lower_ in FIRST_PERSON
