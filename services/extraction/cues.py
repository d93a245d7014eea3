"""What is known of the words that report: whether they report speech or thought, and may introduce a quotation."""

from dataclasses import dataclass
from functools import cache

from schemas import Act
from services.extraction.wordlists import rows, words


@dataclass(frozen=True)
class Cues:
    """The lexicon of reporting words."""

    acts: dict[str, Act]
    """Whether a lemma reports speech or thought; not in it: it is not known to report."""
    quotatives: frozenset[str]
    """Lemmas that may introduce direct speech."""
    mottos: frozenset[str]
    """Nouns for words that are nobody's speech though they stand between quotation marks."""


@cache
def lexicon() -> Cues:
    """Return the lexicon that the project ships."""
    table = list(rows("reporting_verbs.tsv"))
    return Cues(
        acts={row[0]: Act(row[1]) for row in table},
        quotatives=frozenset(row[0] for row in table if row[-1] == "direct"),
        mottos=frozenset(words("mottos.txt")),
    )
