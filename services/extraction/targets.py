"""What a position is on: the smallest words that name the action, the rule or the status."""

from collections.abc import Iterator
from itertools import pairwise

from spacy.tokens import Doc, Span, Token

from services.extraction import syntax
from services.extraction.document import Offsets
from services.extraction.wordlists import group

COMPLEMENTS = ("dobj", "prep", "ccomp", "xcomp", "attr", "acomp", "prt", "dative", "pobj")
"""What a verb has of its own: in "repeal and replace the law" both share one, and are one action."""


def targets(doc: Doc, offsets: Offsets) -> Iterator[Offsets]:
    """Yield the targets in the words that the reader takes for one, without who is to act and without what wraps them.

    Usually it is one; several that "and" joins are one each: "bomb the camps and *deport the refugees*".
    """
    for trimmed in (_without_subject, _unwrapped):
        span = syntax.span_at(doc, *offsets)
        offsets = trimmed(offsets, span) if span is not None else offsets
    span = syntax.span_at(doc, *offsets)
    yield from _coordinated(offsets, span) if span is not None else [offsets]


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


def wrapping(target: Span) -> Token | None:
    """Return the noun of request or offer that a target is wrapped in: "rejected a *call* for a truce"."""
    noun = target.root
    wrappers = group("stance_nouns.tsv", "request") | group("stance_nouns.tsv", "offer")
    return noun if noun.pos_ == "NOUN" and noun.lemma_.lower() in wrappers and _inner(noun) is not None else None


def _inner(noun: Token) -> Token | None:
    """Return the first word of what is requested or offered: "calls *to* lift it", "a call *for* a truce"."""
    clause = syntax.child(noun, "acl")
    to = syntax.child(clause, "aux") if clause is not None else None
    if to is not None:
        return to.nbor() if to.tag_ == "TO" else None
    prep = next((each for each in noun.children if each.dep_ == "prep" and each.lower_ in ("for", "of")), None)
    inner = syntax.child(prep, "pobj", "pcomp") if prep is not None else None
    return inner.left_edge if inner is not None else None


def _unwrapped(offsets: Offsets, target: Span) -> Offsets:
    """Return a target without the noun of request or offer around it: "rejected *calls to* lift the sanctions"."""
    noun = wrapping(target)
    inner = _inner(noun) if noun is not None else None
    return (inner.idx, offsets[1]) if inner is not None and offsets[0] < inner.idx < offsets[1] else offsets


def _coordinated(offsets: Offsets, target: Span) -> Iterator[Offsets]:
    """Yield what "and" joins in a target, if each member names an action of its own.

    "repeal and replace the law" is one action, and so is "bans and limits on guns".
    """
    root = target.root
    members = [root, *(each for each in root.conjuncts if target.start <= each.i < target.end and each.i > root.i)]
    if len(members) < 2 or not all(_is_whole(each) for each in members):
        yield offsets
        return
    starts = [offsets[0], *(_first_word(each) for each in members[1:])]
    joints = [_joint(member, after.i) for member, after in pairwise(members)]
    ends = [
        *(start if joint is None else joint.idx for joint, start in zip(joints, starts[1:], strict=True)),
        offsets[1],
    ]
    for start, end in zip(starts, ends, strict=True):
        words = target.doc.text[start:end]
        yield start, end - len(words) + len(words.rstrip(" ,;\n"))


def _joint(member: Token, before: int) -> Token | None:
    """Return the comma or the "and" after a member of a coordination, at most `before` the next."""
    marks = (each for each in member.children if member.i < each.i < before)
    return next(
        (each for each in marks if each.dep_ == "cc" or (each.dep_ == "punct" and each.text in (",", ";"))), None
    )


def _first_word(member: Token) -> int:
    first = member.left_edge
    while first.i < member.i and (first.tag_ == "TO" or first.dep_ in ("cc", "punct", "advmod")):
        first = first.nbor()
    return first.idx


def _is_whole(member: Token) -> bool:
    """Return whether a member of a coordination says by itself what is done, or to what."""
    if member.pos_ in ("VERB", "AUX"):
        return syntax.child(member, *COMPLEMENTS) is not None
    own = [each for each in member.children if each.dep_ not in ("cc", "conj", "punct")]
    return member.pos_ in ("NOUN", "PROPN") and bool(own)
