"""From which confidence on a quote and a position are published."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least confidence of each; docs/quality.md shows what it does to precision and recall."""

    quote: float = 0.5
    position: float = 0.3


DEFAULT = Thresholds()
"""The highest that cost at most one point of F1 on the articles held out from training."""
