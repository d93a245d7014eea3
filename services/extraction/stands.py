"""Stands on policies as the learned reader sees them: a cue with its modality, holder and target, as offsets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import exp

from schemas import Modality
from services.extraction import gate
from services.extraction.document import Offsets
from services.extraction.reader import spans
from services.extraction.reader.confidence import Confidence, odds
from services.extraction.reader.network import Predicate

MODALITIES = (
    Modality.DEMAND,
    Modality.SUPPORT,
    Modality.COMMIT,
    Modality.OPPOSE,
    Modality.REJECT,
    Modality.OPEN,
)
"""In the order of the network's classes."""

FURTHER = 0.3
"""Least probability of both edges of a second holder or target of one cue; two that are alike share one probability."""

NEAR = 1000
"""Characters: a few sentences."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Somebody is for, against or undecided about something."""

    cue: Offsets
    holder: Offsets | None
    """Who holds it, as it stands in the text; None when the window names nobody."""
    target: Offsets
    modality: Modality
    confidence: float
    evidence: tuple[float, ...]
    """What the confidence is made of: odds of the cue (of all cues that say the same), of the target's edges, of the
    holder's, of the modality; whether there is a holder; and what the words say (see `gate`)."""


def stands(predicate: Predicate) -> Iterator[Stand]:
    """Yield the stands of one cue: of several holders ("Graham and Scott *called for*"), on several targets.

    Their confidence is known when all cues are: see `likely`.
    """
    window = predicate.window
    target, target_edges = spans.argument(predicate, spans.CONTENT)
    if target is None:
        return
    holder, holder_edges = spans.argument(predicate, spans.SOURCE)
    targets = [(target, target_edges), *spans.further(predicate, spans.CONTENT, target, FURTHER)]
    holders = [(holder, holder_edges)]
    if holder is not None:
        holders += spans.further(predicate, spans.SOURCE, holder, FURTHER)
    text = window.article.text
    cue, best = window.offsets(*spans.cue(predicate)), int(predicate.classes.argmax())
    for who, who_edges in holders:
        for what, what_edges in targets:
            holder_offsets = window.offsets(*who) if who is not None else None
            target_offsets = window.offsets(*what)
            yield Stand(
                cue,
                holder_offsets,
                target_offsets,
                MODALITIES[best],
                0.0,
                (
                    odds(predicate.probability),
                    odds(what_edges),
                    odds(who_edges),
                    odds(float(predicate.classes[best])),
                    float(who is not None),
                    gate.score(text, cue, holder_offsets, target_offsets),
                ),
            )


def likely(stands: Iterable[Stand], confidence: Confidence, least: float) -> list[Stand]:
    """Return the stands with at least a `confidence` of `least`, in the order of their cues.

    Several cues may say the same ("*rejected* the plan as *unacceptable*"): they are one stand, in the words of the
    likeliest cue, and the odds of each speak for it.
    """
    by_holder: dict[tuple[Offsets | None, int], list[Stand]] = {}
    for stand in sorted(stands, key=lambda each: (-each.evidence[0], each.cue, each.target)):
        # What nobody is named for is only compared with its neighbours: an article may be full of it.
        merged = by_holder.setdefault((stand.holder, 0 if stand.holder else stand.target[0] // NEAR), [])
        same = next((index for index, other in enumerate(merged) if _overlaps(stand.target, other.target)), None)
        if same is None:
            merged.append(stand)
        else:
            merged[same] = _joined(merged[same], stand)
    sure = (replace(each, confidence=confidence(each.evidence)) for merged in by_holder.values() for each in merged)
    return sorted((each for each in sure if each.confidence >= least), key=lambda each: (each.cue, each.target))


def _joined(stand: Stand, other: Stand) -> Stand:
    """Return `stand` with the chance that at least one of both cues is right."""
    chances = [1 / (1 + exp(each.evidence[0])) for each in (stand, other)]
    return replace(stand, evidence=(odds(1 - chances[0] * chances[1]), *stand.evidence[1:]))


def _overlaps(one: Offsets, other: Offsets) -> bool:
    """Return whether two targets share more than half of the shorter."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared * 2 > min(one[1] - one[0], other[1] - other[0])
