"""Is it a policy, and is its holder a political actor? A logistic model over a clause, with its weights as data.

The weights are made by training/position_weights.py; what they are about is readable in the table: a cue, the head of a
target, the type of a holder.
"""

from functools import cache
from math import exp, fsum

from schemas import Entity
from services.extraction.quotes import Found
from services.extraction.stances import Claim
from services.extraction.wordlists import rows

THRESHOLD = 0.3
"""Least probability of a position: precision leads (docs/quality.md shows the curve)."""

CERTAIN = frozenset({"there"})
"""Frames that deny an act outright ("there will be *no troops deployed*"): too rare to be weighed, and clear."""

BIAS = "bias"

META = frozenset(
    {"claim", "criticism", "accusation", "allegation", "notion", "idea", "suggestion", "charge", "report", "rumor"}
)
"""Targets that are words, not deeds: "rejects *criticism* that …"."""


def features(claim: Claim, entity: Entity | None, quote: Found | None) -> set[str]:
    """Return the names of what is true of a clause, as the table of weights lists them."""
    found = {BIAS, f"frame {claim.frame}", f"cue {claim.frame} {claim.lemma}", f"focus {claim.focus.lemma_.lower()}"}
    found.add(f"focus is {claim.focus.pos_}")
    found.add(f"target words {_content_words(claim)}")
    found.add(f"cue {claim.lemma}")
    found.add(f"tense {claim.tense}")
    if claim.conditional:
        found.add("conditional")
    found.add(f"holder {entity.type}" if entity is not None else "holder unnamed")
    if claim.holder is not None:
        found.add(f"holder is {claim.holder.pos_}")
        if claim.holder.pos_ == "NOUN":
            found.add(f"holder word {claim.holder.lemma_.lower()}")
    found.add(f"in {quote.kind} quote" if quote is not None else "in narration")
    if claim.negated:
        found.add("negated")
    return found


def probability(claim: Claim, found: set[str]) -> float:
    """Return how likely a clause with these features states a policy position."""
    weights = _weights()
    # fsum: the same sum in whatever order a set yields its members
    likely = 1 / (1 + exp(-fsum(weights.get(name, 0.0) for name in found)))
    return max(likely, 0.5) if claim.frame in CERTAIN else likely


def is_meta(claim: Claim) -> bool:
    """Return whether the target is what somebody says rather than what somebody does."""
    return claim.focus.lemma_.lower() in META


def _content_words(claim: Claim) -> int:
    """Return how many words of the target mean something by themselves; 8 stands for all larger numbers."""
    span = claim.focus.doc.char_span(*claim.target, alignment_mode="expand")
    words = span[:40] if span is not None else ()
    return min(8, sum(token.pos_ in ("NOUN", "PROPN", "VERB", "ADJ") for token in words))


@cache
def _weights() -> dict[str, float]:
    return {feature: float(weight) for feature, weight in rows("position_weights.tsv")}
