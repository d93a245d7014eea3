"""How long each step of a reading took: for metrics and traces, and for nothing else.

Times differ from run to run, so they stand beside a reading and never in it: the same article gives the same events.
"""

import time
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """What an article goes through, in this order. The first and the last are the service's, from bytes and to them."""

    VALIDATION = "validation"
    DOCUMENT = "document"
    """Parts of a news article, true case and tokens."""
    SYNTAX = "syntax"
    """The spaCy pipeline: names and grammar."""
    ENTITIES = "entities"
    """Names, and which names, descriptions and pronouns are one entity (coreference)."""
    READER = "reader"
    """The learned network, from the words to likely quotes and positions."""
    QUOTES = "quotes"
    POSITIONS = "positions"
    ASSEMBLY = "assembly"
    """Ids, fingerprints and spans of the event."""
    SERIALISATION = "serialisation"


@dataclass(frozen=True, slots=True)
class Timing:
    """When a step was done for an article, in nanoseconds of a clock that only grows and begins anywhere."""

    step: Step
    began_ns: int
    ended_ns: int
    articles: int = 1
    """For how many articles it was done at once."""

    @property
    def seconds(self) -> float:
        """This article's share of the time."""
        return (self.ended_ns - self.began_ns) / self.articles / 1e9


class Stopwatch:
    """Times steps that follow each other; the first begins when it is made."""

    def __init__(self) -> None:
        self.timings: list[Timing] = []
        self._began_ns = time.perf_counter_ns()

    def lap(self, step: Step, articles: int = 1) -> None:
        """`step` is done, and the next one begins."""
        now_ns = time.perf_counter_ns()
        self.timings.append(Timing(step, self._began_ns, now_ns, articles))
        self._began_ns = now_ns
