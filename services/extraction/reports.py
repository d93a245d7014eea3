"""Attributions as the learned reader sees them: a cue with its source and content, as character offsets.

It knows nothing of quotation marks beyond what it has learned of them: `quotes` mends the borders.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.extraction.document import Offsets
from services.extraction.reader import spans
from services.extraction.reader.confidence import Confidence, odds
from services.extraction.reader.network import Predicate


@dataclass(frozen=True, slots=True)
class Report:
    """Somebody is reported to say or think something."""

    cue: Offsets
    source: Offsets | None
    """Who says it, as it stands in the text; None when the window names nobody."""
    content: tuple[Offsets, ...]
    """What is said; several pieces where the cue or the source stands inside of it."""
    confidence: float
    evidence: tuple[float, ...]
    """What the confidence is made of: odds of the cue, of the source's edges, of the content's words; and whether
    there is a source."""


def report(predicate: Predicate, confidence: Confidence) -> Report:
    """Return the attribution that a predicate is."""
    window = predicate.window
    runs = spans.contents(predicate)
    source, edges = spans.argument(predicate, spans.SOURCE)
    evidence = (
        odds(predicate.probability),
        odds(edges),
        odds(spans.certainty(predicate, runs)),
        float(source is not None),
    )
    return Report(
        window.offsets(*spans.cue(predicate)),
        window.offsets(*source) if source is not None else None,
        tuple(window.offsets(*run) for run in runs),
        confidence(evidence),
        evidence,
    )


def likely(reports: Iterable[Report], least: float = 0.0) -> list[Report]:
    """Return the attributions with at least a confidence of `least`, in the order of their cues.

    A word is said once: of two attributions that claim it, the surer one has it.
    """
    taken: list[Offsets] = []
    found = []
    for each in sorted((each for each in reports if each.confidence >= least), key=lambda each: -each.confidence):
        content = tuple(piece for piece in each.content if not _mostly_in(taken, piece))
        if content:
            found.append(replace(each, content=content))
            for piece in content:
                insort(taken, piece)
    return sorted(found, key=lambda each: (each.cue, each.content))


def _mostly_in(taken: list[Offsets], piece: Offsets) -> bool:
    """Return whether half of `piece` or more is in others already. `taken` holds these in order, hardly overlapping."""
    start, end = piece
    shared = 0
    for index in range(max(0, bisect_left(taken, piece) - 1), len(taken)):
        if taken[index][0] >= end:
            break
        shared += max(0, min(end, taken[index][1]) - max(start, taken[index][0]))
    return shared * 2 >= end - start
