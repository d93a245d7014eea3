"""Rebuttals: "rejected *criticism that …*", a stand on what others say and not on what is done.

They are kept as positions of kind "meta" (docs/positions.md). The pattern is certain, and too rare to be learned: 50 in
the annotated articles.
"""

from collections.abc import Iterator

from spacy.tokens import Doc

from schemas import Modality
from services.extraction import syntax
from services.extraction.stands import Stand

REBUTTING = frozenset({"reject", "dismiss", "refute", "rebut"})
"""Verbs of turning down. "Deny" is none: who denies an accusation disputes a fact."""

SAYINGS = frozenset(
    {"claim", "criticism", "accusation", "allegation", "notion", "idea", "suggestion", "charge", "report", "rumor"}
)
"""Nouns for what others say or think."""

CONFIDENCE = 0.9
"""Of the pattern: it says by its words what it is."""


def rebuttals(doc: Doc) -> Iterator[Stand]:
    """Yield the rebuttals of a parsed text, in order."""
    for verb in doc:
        if verb.pos_ != "VERB" or verb.lemma_.lower() not in REBUTTING or syntax.is_negated(verb):
            continue
        saying, holder = syntax.child(verb, "dobj"), syntax.subject(verb)
        if saying is None or holder is None or saying.lemma_.lower() not in SAYINGS:
            continue
        target = syntax.edges((saying.left_edge, saying.right_edge))
        yield Stand(syntax.edges((verb,)), syntax.noun_phrase(holder), target, Modality.REJECT, CONFIDENCE, evidence=())
