"""Whether a stand is on a policy, as far as its words tell: "tariffs" and "vetoed" speak for it, "dinner" does not.

The network judges a stand in its sentence; how sure to be it has learned from sentences that it knew. These weights
were fitted to what a network made of articles new to it (training/reader/gate.py). The confidence weighs both.
"""

import re
from collections.abc import Iterator
from functools import cache
from math import fsum

from services.extraction import wordlists
from services.extraction.document import Offsets

WORD = re.compile(r"\w+")


def words(text: str, cue: Offsets, holder: Offsets | None, target: Offsets) -> Iterator[str]:
    """Yield the words of a stand in `text`, lower-cased, each after the part that it stands in: "target tariffs"."""
    for part, offsets in (("cue", cue), ("holder", holder), ("target", target)):
        if offsets is not None:
            yield from (f"{part} {word}" for word in WORD.findall(text[slice(*offsets)].lower()))


def score(text: str, cue: Offsets, holder: Offsets | None, target: Offsets) -> float:
    """Return how much the words of a stand speak for a policy position, as log odds; 0 where none is known."""
    known = weights()
    return fsum(known.get(word, 0.0) for word in set(words(text, cue, holder, target)))


@cache
def weights() -> dict[str, float]:
    """Return the weight of each word, read once a process."""
    return {word: float(weight) for word, weight in wordlists.rows("gate.tsv")}
