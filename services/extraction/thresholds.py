"""From which confidence on a quote and a position are published."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least confidence of each; docs/quality.md shows what it does to precision and recall."""

    quote: float = 0.4
    """Of what is said, in the reading's words or between marks."""
    thought: float = 0.6
    """Of what somebody is reported to think, feel or plan: what counts as that is more a matter of taste."""
    position: float = 0.3


DEFAULT = Thresholds()
"""Chosen on the articles held out from training, by end-to-end F1: what is said at its best, thoughts and positions at
the highest that cost at most one point."""
