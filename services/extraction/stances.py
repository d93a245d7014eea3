"""Clauses that take a stand: cue, holder and target with their modality, read from the dependency parse.

Like `clauses`, this part can be taken over by a learned encoder. It says what a clause claims, by its words; whether
the holder is a political actor and the target a policy is asked later.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from spacy.tokens import Doc, Token

from schemas import Modality
from services.extraction import syntax
from services.extraction.clauses import Report, candidates
from services.extraction.document import Offsets
from services.extraction.wordlists import rows

NEGATED = {
    Modality.DEMAND: Modality.OPPOSE,
    Modality.SUPPORT: Modality.OPPOSE,
    Modality.COMMIT: Modality.REJECT,
    Modality.OPPOSE: Modality.OPEN,
    Modality.REJECT: Modality.OPEN,
    Modality.OPEN: Modality.OPEN,
}
"""What a "not" makes of a modality. It is asymmetric: who does not rule a thing out does not support it."""

WILL = frozenset({"will", "would", "shall", "'ll", "’ll", "wo", "'d"})
SHOULD = frozenset({"should", "must", "ought"})
CANNOT = frozenset({"can", "could", "ca"})
CONDITIONS = frozenset({"if", "unless", "until", "provided"})

COORDINATED = 5
"""Most verbs after the first that one cue governs: lists in news are shorter, and chains in broken text have no end."""

BEFORE_VERB = frozenset({"advmod", "auxpass", "npadvmod"})
"""What stands before a verb and belongs to what is to be done: "*immediately* pass the bill", "*be* asked to pay"."""

CIRCUMSTANCES = frozenset(
    {"amid", "after", "before", "during", "since", "despite", "following", "because", "ahead", "until"}
)
OCCASIONS = frozenset(
    {"wake", "light", "response", "aftermath", "face", "interview", "statement", "speech", "letter"}
    | {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "week", "month", "year"}
)
"""After "in" and "on": occasions of what is done or said, not what is to be done."""

REQUESTS = frozenset(
    {"call", "request", "demand", "proposal", "plan", "effort", "push", "bid", "attempt", "plea", "appeal", "move"}
    | {"measure", "decision", "promise", "pledge", "vow", "need", "suggestion", "recommendation", "motion"}
)
"""Nouns that wrap what is asked for: "rejected calls *to adopt reforms*"."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody takes a stand on something, as one clause words it."""

    frame: str
    lemma: str
    modality: Modality
    cue: Offsets
    holder: Token | None
    """Head of who holds it, where the clause names them; None where it is whoever speaks ("taxes should fall")."""
    target: Offsets
    focus: Token
    """Head of the target."""
    negated: bool = False
    conditional: bool = False
    tense: str = ""
    """Tag of the cue's word: VBD tells, VB is to be."""


def claims(doc: Doc) -> Iterator[Claim]:
    """Yield the stands that a parsed text takes, in the order of their cues."""
    lexicon = _lexicon()
    for report in candidates(doc):
        modality = lexicon.get((report.frame, report.lemma))
        if modality is not None:
            yield from _from_report(doc, report, modality)
    for token in doc:
        if token.tag_ == "MD":
            yield from _modal(token)
        elif token.lemma_ == "be" and token.dep_ not in ("aux", "auxpass"):
            yield from _judgement(token)


@cache
def _lexicon() -> dict[tuple[str, str], Modality]:
    return {
        (frame, lemma): Modality(name) for name, frame, lemmas in rows("position_cues.tsv") for lemma in lemmas.split()
    }


def _from_report(doc: Doc, report: Report, modality: Modality) -> Iterator[Claim]:
    """Yield the stand of a clause whose cue is in the lexicon: "called *for sanctions*", "opponents *of the bill*"."""
    cue = doc.char_span(*report.cue, alignment_mode="expand")
    content = doc.char_span(*report.content[-1], alignment_mode="expand")
    if cue is None or content is None:
        return
    verb = cue[0]
    if _is_supposed(verb):
        return
    asked = syntax.child(verb, "xcomp") if report.frame == "object to" else None
    focus = _focus(asked or content.root)
    negated = _is_negated(verb)
    claim = Claim(
        report.frame,
        report.lemma,
        NEGATED[modality] if negated else modality,
        report.cue,
        report.source,
        target_span(focus),
        focus,
        negated,
        _is_conditional(verb),
        verb.tag_,
    )
    yield claim
    for other in _coordinated(focus):
        yield replace(claim, target=target_span(other), focus=other)


def _focus(root: Token) -> Token:
    """Return the word that a target is about: the noun or verb under the nouns that only wrap it."""
    for _ in range(3):
        inner = None
        if root.lemma_.lower() in REQUESTS and root.pos_ == "NOUN":
            inner = next((each for each in root.children if each.dep_ == "acl" and each.i > root.i), None)
            preposition = next(
                (each for each in root.children if each.lower_ in ("for", "of") and each.i > root.i), None
            )
            if inner is None and preposition is not None:
                inner = syntax.child(preposition, "pobj", "pcomp")
            if inner is None:  # "rejected calls to lift …", parsed as if it was rejected in order to lift
                inner = next(
                    (each for each in root.head.children if each.left_edge.i == root.i + 1 and each.tag_ == "VB"), None
                )
        if inner is None:
            return root
        root = inner
    return root


def _coordinated(focus: Token) -> Iterator[Token]:
    """Yield the verbs that share their subject with the target: "promised to cut taxes and *raise wages*"."""
    for _ in range(COORDINATED):
        if focus.pos_ != "VERB":
            return
        joined = (
            each for each in focus.children if each.dep_ == "conj" and each.pos_ == "VERB" and each.tag_ == focus.tag_
        )
        following = next((each for each in joined if syntax.child(each, *syntax.SUBJECTS) is None), None)
        if following is None:
            return
        yield following
        focus = following


def target_span(focus: Token) -> Offsets:
    """Return the words of a target: a noun phrase, or a verb with its objects.

    Its subject and auxiliaries are left out, and so is what is added about circumstances: "step up their spending *in
    the wake of Trump's request*", "vote on the bill *because* …".
    """
    if focus.pos_ in ("VERB", "AUX"):
        before = [each.left_edge for each in focus.children if each.i < focus.i and each.dep_ in BEFORE_VERB]
        after = list(_complements(focus))
    else:
        before = [focus.left_edge]
        after = list(_attributes(focus))
    first = min([focus, *before], key=lambda token: token.i)
    last = max([focus, *(each.right_edge for each in after)], key=lambda token: token.i)
    return _trimmed(first, last)


def _complements(verb: Token) -> Iterator[Token]:
    """Yield what follows a verb and belongs to what is to be done."""
    for each in verb.children:
        if each.i < verb.i or each.dep_ in ("punct", "mark", "neg", "intj"):
            continue
        is_purpose = each.dep_ == "advcl" and each.left_edge.tag_ == "TO"
        if (each.dep_ in ("advcl", "conj", "parataxis", "cc") and not is_purpose) or _is_circumstance(each):
            return
        if each.dep_ != "npadvmod":
            yield each


def _attributes(noun: Token) -> Iterator[Token]:
    """Yield what follows a noun and belongs to it."""
    for each in noun.children:
        if each.i < noun.i or each.dep_ in ("punct", "cc"):
            continue
        set_off = noun.doc[each.left_edge.i - 1].text in (",", "—", "–", "-")
        if (set_off and each.dep_ in ("relcl", "appos", "acl")) or _is_circumstance(each):
            return
        if each.dep_ != "conj" or each.pos_ == noun.pos_:
            yield each


def _is_circumstance(token: Token) -> bool:
    """Return whether a preposition tells when or why: "*amid* protests", "*in* the wake of the vote"."""
    if token.dep_ != "prep":
        return False
    thing = syntax.child(token, "pobj")
    return token.lower_ in CIRCUMSTANCES or (
        token.lower_ in ("in", "on") and thing is not None and thing.lemma_ in OCCASIONS
    )


def _trimmed(first: Token, last: Token) -> Offsets:
    doc = first.doc
    low, high = first.i, last.i
    while low < high and (doc[low].is_punct or doc[low].is_space or doc[low].lower_ in ("to", "that")):
        low += 1
    while high > low and (doc[high].is_punct or doc[high].is_space):
        high -= 1
    return doc[low].idx, doc[high].idx + len(doc[high])


def _modal(modal: Token) -> Iterator[Claim]:
    """Yield the stand of a modal: "we *will* act" commits, "Congress *must* act" demands, "we *cannot* act" rejects."""
    verb = modal.head
    word = modal.lower_
    if modal.dep_ != "aux" or verb.pos_ not in ("VERB", "AUX") or _is_supposed(verb):
        return
    negated = _is_negated(verb)
    if word in WILL:
        modality, frame = Modality.COMMIT, "will" if word not in ("would", "'d") else "would"
    elif word in SHOULD:
        modality, frame = Modality.DEMAND, "should"
    elif word in CANNOT and negated:
        modality, frame = Modality.COMMIT, "cannot"
    else:
        return
    holder = None if frame == "should" else syntax.subject(verb)
    if verb.lemma_ == "be" or (frame != "should" and syntax.is_passive(verb)):
        return
    claim = Claim(
        frame,
        verb.lemma_.lower(),
        NEGATED[modality] if negated else modality,
        (modal.idx, modal.idx + len(modal)),
        holder,
        target_span(verb),
        verb,
        negated,
        _is_conditional(verb),
    )
    yield claim
    for other in _coordinated(verb):
        yield replace(claim, target=target_span(other), focus=other, lemma=other.lemma_.lower())


def _judgement(be: Token) -> Iterator[Claim]:
    """Yield the stand of a judgement: "membership *is unrealistic*", "there *will not be* US troops deployed"."""
    subject = syntax.child(be, "nsubj")
    if syntax.child(be, "expl") is not None:
        thing = syntax.child(be, "attr")
        if thing is not None and _is_future(be) and (_is_negated(be) or _has_no(thing)):
            start, end = target_span(thing)
            words = thing.doc.char_span(start, end, alignment_mode="expand")
            if words is not None and words[0].lower_ == "no" and len(words) > 1:
                start = words[1].idx
            yield Claim(
                "there", "be", Modality.REJECT, (be.idx, be.idx + len(be)), None, (start, end), thing, negated=True
            )
        return
    word = syntax.child(be, "acomp", "attr")
    if subject is None or word is None:
        return
    verdict = word
    if word.dep_ == "attr":
        verdict = next((each for each in word.children if (("is", each.lemma_.lower()) in _lexicon())), word)
    modality = _lexicon().get(("is", verdict.lemma_.lower()))
    if modality is None or subject.pos_ == "PRON":
        return
    negated = _is_negated(be)
    yield Claim(
        "is",
        verdict.lemma_.lower(),
        NEGATED[modality] if negated else modality,
        syntax.edges((verdict,)),
        None,
        target_span(_focus(subject)),
        subject,
        negated,
        _is_conditional(be),
    )


def _is_future(be: Token) -> bool:
    return any(each.dep_ == "aux" and each.lower_ in WILL for each in be.children)


def _has_no(noun: Token) -> bool:
    return any(each.dep_ == "det" and each.lower_ == "no" for each in noun.children)


def _is_negated(verb: Token) -> bool:
    """Return whether a negation bears on `verb`, its own or that of an auxiliary verb above: "did *not* agree to …"."""
    if syntax.is_negated(verb):
        return True
    subject = syntax.child(verb, "nsubj", "nsubjpass")
    if subject is not None and (subject.lower_ in ("nobody", "none") or _has_no(subject)):
        return True
    return (
        verb.dep_ in ("xcomp", "acomp")
        and verb.head.lemma_ in ("be", "seem", "appear", "plan", "want")
        and syntax.is_negated(verb.head)
    )


def _is_supposed(verb: Token) -> bool:
    """Return whether a clause is not asserted: "not say *whether* he supports it", "*if* he wants", "*denied* that"."""
    for _ in range(4):
        if any(each.dep_ == "mark" and each.lower_ in ("if", "whether", "unless") for each in verb.lefts):
            return True
        if verb.dep_ not in ("xcomp", "conj", "acl", "ccomp", "relcl"):
            return False
        if verb.dep_ == "ccomp" and verb.head.lemma_ == "deny":
            return True
        verb = verb.head
    return False


def _is_conditional(verb: Token) -> bool:
    """Return whether a condition hangs on `verb`: "would back the plan *if* Washington gave guarantees"."""
    clauses = [each for each in verb.children if each.dep_ == "advcl"]
    if verb.dep_ in ("ccomp", "xcomp"):
        clauses += [each for each in verb.head.children if each.dep_ == "advcl"]
    return any(mark.dep_ == "mark" and mark.lower_ in CONDITIONS for clause in clauses for mark in clause.children)
