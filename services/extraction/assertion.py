"""What syntax tells for certain of a stand: whether it is asserted at all, denied, or made to hang on a condition.

The learned reader goes by likeness; in these few patterns likeness misleads, and the grammar does not.
"""

from collections.abc import Iterable

from spacy.tokens import Token

from schemas import Modality
from services.extraction import syntax

TURNING_DOWN = frozenset(
    {"reject", "oppose", "exclude", "refuse", "condemn", "veto", "dismiss", "rule", "decline", "denounce", "criticize"}
    | {"criticise", "deny", "preclude", "discount", "object"}
)
"""Verbs that are against what they govern. Not to do so is to leave it open, never to be for it (docs/positions.md)."""

CONDITIONS = frozenset({"if", "unless", "until", "provided"})

SUPPOSING = frozenset({"if", "whether", "unless"})

ABOVE = 4
"""Clauses above a cue that are looked at: further up another sentence begins, whatever the parse says."""


def is_asserted(cue: Token) -> bool:
    """Return whether a clause is stated as a fact.

    - not in a question: "Does Merz *support* the bill?"
    - not under "if" or "whether": "did not say whether he *supports* it"
    - not what is denied: "*denied* that the government *plans* to cut pensions"
    """
    if cue.sent.text.rstrip(" \"”’'\n").endswith("?") or cue.lemma_.lower() == "deny":
        return False
    verb = cue
    for _ in range(ABOVE):
        if any(each.dep_ == "mark" and each.lower_ in SUPPOSING for each in verb.lefts):
            return False
        if verb.dep_ not in ("xcomp", "conj", "acl", "ccomp", "relcl"):
            return True
        if verb.dep_ == "ccomp" and verb.head.lemma_ == "deny":
            return False
        verb = verb.head
    return True


def modality(cue: Iterable[Token], read: Modality) -> Modality:
    """Return the modality of a cue whose words the reader takes for `read`.

    "did *not reject* the bill", "has *not ruled out* sanctions": open, whoever takes the verb alone for the stand.
    """
    for word in cue:
        if word.lemma_.lower() in TURNING_DOWN and word.pos_ == "VERB" and syntax.is_negated(word):
            return Modality.OPEN
    return read


def is_conditional(cue: Token) -> bool:
    """Return whether a condition hangs on a cue: "would *back* the plan *if* Washington gave guarantees"."""
    clauses = [each for each in cue.children if each.dep_ == "advcl"]
    if cue.dep_ in ("ccomp", "xcomp", "aux"):
        clauses += [each for each in cue.head.children if each.dep_ == "advcl"]
    return any(mark.dep_ == "mark" and mark.lower_ in CONDITIONS for clause in clauses for mark in clause.children)
