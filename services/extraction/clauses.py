"""Clauses that report: cue, source and content, read from the dependency parse.

This is the part of the reading that a learned encoder can take over: it hands out what an encoder would, a cue with its
source and content as character offsets, and knows nothing of quotation marks.

A frame is a syntactic pattern, named by what follows the cue. Which words report in which frame, and how often, is
data (`cue_counts.tsv`): "expect" rarely reports with an object, nearly always with a clause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc, Token

from services.extraction import syntax
from services.extraction.document import Offsets

LIGHT_VERBS = frozenset(
    {"make", "have", "give", "issue", "express", "voice", "take", "release", "offer", "show", "repeat"}
)
"""Verbs that lend a noun their subject: "he made the claim that", "she has doubts about"."""


LABEL_WORDS = 6
"""Most words of a name that stands before a colon at the start of a line."""

LABELLED_WORDS = 3
"""Least words after it: "Time: 7 p.m." is no speech."""


@dataclass(frozen=True, slots=True)
class Report:
    """A cue with its arguments: somebody is reported to say or think something."""

    frame: str
    lemma: str
    cue: Offsets
    source: Token | None
    """Head of the noun phrase that names who says it."""
    content: tuple[Offsets, ...]
    """What is said; two pieces where the cue stands inside of it."""


def candidates(doc: Doc) -> Iterator[Report]:
    """Yield everything in a parsed text that has the form of a report, in order, whatever its words are."""
    yield from _labelled_lines(doc)
    for token in doc:
        if token.tag_.startswith("VB") and token.dep_ not in ("aux", "auxpass"):
            yield from _verb(token)
        elif token.pos_ == "NOUN":
            yield from _noun(token)
        elif token.pos_ == "ADJ" and token.dep_ == "acomp":
            yield from _adjective(token)


def _report(
    frame: str, cue: Token, source: Token | None, content: tuple[Offsets, ...], last: Token | None = None
) -> Report:
    return Report(frame, cue.lemma_.lower(), syntax.edges((cue, last or cue)), source, content)


def _verb(verb: Token) -> Iterator[Report]:
    if verb.lower_ == "according":
        yield from _according(verb)
        return
    if syntax.is_passive(verb):
        yield from _passive(verb)
        return
    source = syntax.subject(verb)
    clause = syntax.child(verb, "ccomp")
    infinitive = syntax.child(verb, "xcomp")
    thing = syntax.child(verb, "dobj")
    if clause is not None:
        yield from _clause(verb, clause, source)
    elif infinitive is not None:
        yield from _infinitive(verb, infinitive, thing, source)
    elif thing is not None:
        yield _report("object", verb, source, (_predicated(verb, thing),))
    yield from _prepositions(verb, source)


def _clause(verb: Token, clause: Token, source: Token | None) -> Iterator[Report]:
    """ "Merz said (that) *the talks failed*"; "*the talks*, Merz said, *failed*"; "they want *talks to begin*"."""
    start, end = syntax.reach(clause)
    own = _own_words(verb, clause)
    first, last = syntax.edges(own)
    if end <= first or start >= last:
        frame = "clause" if start >= verb.idx else "clause before"
        if frame == "clause" and clause.tag_ == "VB" and syntax.child(clause, "aux") is not None:
            frame = "clause to"
        yield _report(frame, verb, source, ((start, end),))
    elif start < first and end > last:
        yield _report("clause around", verb, source, ((start, first), (last, end)))
    else:
        yield _report("clause", verb, source, ((start, end),))


def _own_words(verb: Token, clause: Token) -> list[Token]:
    """Return `verb` and what belongs to it apart from `clause`: subject, auxiliaries, adverbs, addressee."""
    own = [verb]
    for each in verb.children:
        if each.i != clause.i and each.dep_ in ("nsubj", "aux", "advmod", "neg", "dobj", "dative", "npadvmod", "prep"):
            if each.dep_ in ("prep", "dobj") and each.i < verb.i:
                continue
            left, right = each.left_edge, each.right_edge
            if not left.i <= verb.i <= right.i and abs(left.i - verb.i) < 40:
                own += [left, right]
    return own


def _infinitive(verb: Token, infinitive: Token, thing: Token | None, source: Token | None) -> Iterator[Report]:
    """ "Merz promised *to act*"; "Merz urged *Congress to act*"; "Merz considers *it a success*"."""
    start, end = syntax.reach(infinitive)
    if thing is not None and thing.i < infinitive.i:
        start = min(start, syntax.reach(thing)[0])
        yield _report("object to", verb, source, ((start, end),))
    elif start >= verb.idx:
        frame = (
            "to" if infinitive.left_edge.tag_ == "TO" or syntax.child(infinitive, "aux") is not None else "complement"
        )
        yield _report(frame, verb, source, ((start, end),))


def _predicated(verb: Token, thing: Token) -> Offsets:
    """Return the object with what is predicated of it: "called *Mr. Roe a liar*", "criticised *him for his vote*"."""
    start, end = syntax.reach(thing)
    for each in verb.children:
        if each.i > thing.i and (each.dep_ == "oprd" or (each.dep_ == "prep" and each.lower_ in ("as", "for", "of"))):
            end = max(end, syntax.reach(each)[1])
    return start, end


def _prepositions(verb: Token, source: Token | None) -> Iterator[Report]:
    """ "Merz called for *a truce*"; "Merz talked about *raising taxes*"; "Merz warned against *haste*".

    After an object, or what an earlier preposition governs, "as", "for" and "of" add to that and begin nothing new.
    """
    before = syntax.child(verb, "dobj")
    for preposition in verb.children:
        if (
            preposition.dep_ == "prep"
            and preposition.i > verb.i
            and not (before and preposition.lower_ in ("as", "for", "of"))
        ):
            yield from _governed("prep", verb, source, preposition)
            before = syntax.child(preposition, "pobj", "pcomp")


def _passive(verb: Token) -> Iterator[Report]:
    """ "*The bill* was criticised by Democrats"; "Ms. Roe was accused *of lying*"; "Mr. Roe was told *that …*"."""
    source = syntax.agent(verb)
    clause = syntax.child(verb, "ccomp")
    infinitive = syntax.child(verb, "xcomp")
    thing = syntax.child(verb, "nsubjpass") or (verb.head if verb.dep_ == "acl" else None)
    if clause is not None:
        yield _report("passive clause", verb, source, (syntax.reach(clause),))
    elif infinitive is not None:
        start, end = syntax.reach(infinitive)
        if thing is not None and thing.i < verb.i and verb.dep_ != "acl":
            yield _report("passive to", verb, source, (syntax.noun_phrase(thing), (start, end)))
        else:
            yield _report("passive to", verb, source, ((start, end),))
    elif thing is not None:
        yield _report("passive by" if source is not None else "passive", verb, source, (syntax.reach(thing),))


def _according(word: Token) -> Iterator[Report]:
    """ "*The talks failed*, according to officials": the content is the rest of the sentence, or of its clause."""
    to = syntax.child(word, "prep")
    source = syntax.child(to, "pobj") if to is not None else None
    if to is None or source is None:
        return
    start, end = word.left_edge.idx, syntax.noun_phrase(source)[1]
    head = word.head
    head = head if head.i != word.i else word.sent.root
    left, right = syntax.reach(head)
    pieces = tuple(piece for piece in ((left, start), (end, right)) if piece[1] - piece[0] > 12)
    yield Report("according", "according", (word.idx, to.idx + len(to)), source, pieces)


def _labelled_lines(doc: Doc) -> Iterator[Report]:
    """Yield lines that begin with who says them: "Keller: *Bridge to close in May*", "KELLER: *We tested it twice.*".

    Only headlines and transcripts, which write names in capitals, do so: elsewhere a label is "Correction:", "Update:".
    """
    for colon in doc:
        if colon.text != ":":
            continue
        label = _label(colon)
        name = next((each for each in reversed(label) if each.pos_ == "PROPN"), None)
        if name is None or any(each.pos_ in ("VERB", "AUX") for each in label):
            continue
        opens = label[0].i == 0
        if opens or all(each.is_upper and len(each) > 1 for each in label if each.is_alpha):
            end = next((each for each in doc[colon.i + 1 :] if "\n" in each.text), None)
            last = doc[end.i - 1] if end is not None else doc[-1]
            if last.i - colon.i >= LABELLED_WORDS:
                content = (doc[colon.i + 1].idx, last.idx + len(last))
                yield Report("label", ":", syntax.edges((colon,)), name, (content,))


def _label(colon: Token) -> Sequence[Token]:
    """Return the words of the line before `colon`; none when they are too many for a name."""
    words: list[Token] = []
    for index in range(colon.i - 1, max(-1, colon.i - LABEL_WORDS - 2), -1):
        token = colon.doc[index]
        if "\n" in token.text:
            return words[::-1]
        words.append(token)
    return words[::-1] if len(words) == colon.i and len(words) <= LABEL_WORDS else []


def _noun(noun: Token) -> Iterator[Report]:
    """ "Merz's claim *that …*"; "support for *the bill*"; "he has doubts about *it*"; "their decision *to stay*"."""
    owner = syntax.child(noun, "poss")
    if owner is None and noun.dep_ in ("dobj", "pobj", "attr") and noun.head.lemma_ in LIGHT_VERBS | {"be"}:
        owner = syntax.subject(noun.head)
    for each in noun.children:
        if each.i < noun.i:
            continue
        if each.dep_ == "acl" and each.tag_ != "VBN":
            kind = "noun to" if syntax.child(each, "aux") is not None and each.left_edge.tag_ == "TO" else "noun clause"
            if each.tag_ == "VBG":
                continue
            yield _report(kind, noun, owner, (syntax.reach(each),))
        elif each.dep_ == "ccomp":
            yield _report("noun clause", noun, owner, (syntax.reach(each),))
        elif each.dep_ == "prep":
            yield from _governed("noun", noun, owner, each)


def _adjective(adjective: Token) -> Iterator[Report]:
    """ "Merz is critical of *the plan*"; "Merz is sure *that …*"; "Merz is eager *to act*"."""
    source = syntax.subject(adjective.head)
    for each in adjective.children:
        if each.i < adjective.i:
            continue
        if each.dep_ == "ccomp":
            yield _report("adj clause", adjective, source, (syntax.reach(each),))
        elif each.dep_ == "xcomp":
            yield _report("adj to", adjective, source, (syntax.reach(each),))
        elif each.dep_ == "prep":
            yield from _governed("adj", adjective, source, each)


def _governed(kind: str, cue: Token, source: Token | None, preposition: Token) -> Iterator[Report]:
    """Yield the report whose content is what a preposition after the cue governs: "called for *a truce*"."""
    thing = syntax.child(preposition, "pobj", "pcomp")
    if thing is not None:
        yield _report(f"{kind} {preposition.lower_}", cue, source, (syntax.reach(thing),), preposition)
