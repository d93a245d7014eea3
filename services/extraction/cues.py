"""What is known of the words that report: whether they may introduce a quotation, and how often they report at all."""

from dataclasses import dataclass
from functools import cache

from schemas import Act
from services.extraction.wordlists import rows

PRIOR_TRIES = 4
"""How many cases of its frame's average a word starts with: a word seen twice says little."""

ANY = "*"
"""Row of the counts that sums up all words of a frame."""


@dataclass(frozen=True)
class Cues:
    """Both lexicons: acts by lemma, and counts by frame and lemma (see training/cue_counts.py)."""

    acts: dict[str, Act]
    quotatives: frozenset[str]
    """Lemmas that may introduce direct speech."""
    counts: dict[tuple[str, str], tuple[int, int]]

    def act(self, lemma: str) -> Act:
        """Return whether `lemma` reports speech or thought; thought when it is not known to report speech."""
        return self.acts.get(lemma, Act.THINK)

    def precision(self, frame: str, lemma: str) -> float:
        """Return the share of right reports among the clauses of this frame with this cue, smoothed to its frame's."""
        frame_hits, frame_tries = self.counts.get((frame, ANY), (0, 1))
        hits, tries = self.counts.get((frame, lemma), (0, 0))
        return (hits + PRIOR_TRIES * frame_hits / frame_tries) / (tries + PRIOR_TRIES)


@cache
def lexicon() -> Cues:
    """Return the lexicons that the project ships."""
    table = list(rows("reporting_verbs.tsv"))
    return Cues(
        acts={row[0]: Act(row[1]) for row in table},
        quotatives=frozenset(row[0] for row in table if row[-1] == "direct"),
        counts={(frame, lemma): (int(hits), int(tries)) for frame, lemma, hits, tries in rows("cue_counts.tsv")},
    )
