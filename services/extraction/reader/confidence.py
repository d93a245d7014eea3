"""How sure it is that what was read is right: the network's own numbers, weighed on articles it has not learned from.

A network is surer of itself than it should be, and differently for a cue than for the edges of an argument. A logistic
model over these makes one number of them that means what it says: of records with confidence 0.8, eight in ten are
right. Its weights are fitted by training/reader/calibrate.py and travel with those of the network.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, log

LEAST = 1e-4
"""Probabilities nearer to 0 and 1 than this say nothing more: float32 cannot tell them."""


def odds(probability: float) -> float:
    """Return a probability as the logarithm of its odds."""
    bounded = min(max(probability, LEAST), 1 - LEAST)
    return log(bounded / (1 - bounded))


@dataclass(frozen=True, slots=True)
class Confidence:
    """A logistic model; one weight a number of evidence, and a bias after them."""

    weights: tuple[float, ...]

    def __call__(self, evidence: Sequence[float]) -> float:
        """Return the confidence that `evidence` gives, from 0 to 1, in hundredths: no finer is known."""
        terms = [weight * number for weight, number in zip(self.weights, (*evidence, 1.0), strict=True)]
        return round(1 / (1 + exp(-max(-60.0, min(60.0, fsum(terms))))), 2)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The models of both kinds of records. The evidence of each is listed where it is made: `reports`, `stands`."""

    quote: Confidence
    position: Confidence

    @classmethod
    def from_json(cls, text: bytes) -> "Calibration":
        """Return what `to_json` wrote."""
        weights = json.loads(text)
        return cls(Confidence(tuple(weights["quote"])), Confidence(tuple(weights["position"])))

    def to_json(self) -> bytes:
        """Return the weights as JSON, for the file of weights."""
        return json.dumps({"quote": self.quote.weights, "position": self.position.weights}).encode()


UNCALIBRATED = Calibration(Confidence((1.0, *[0.0] * 4)), Confidence((1.0, *[0.0] * 6)))
"""The network's word for it: the odds of the cue alone."""
