"""Reading of the word lists in `data/`: text files whose first lines, beginning with `#`, name source and licence."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


def words(name: str) -> Iterator[str]:
    """Yield the entries of a word list, one a line, without comments and empty lines."""
    for line in (files("services.extraction") / "data" / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def rows(name: str) -> Iterator[list[str]]:
    """Yield the rows of a tab-separated table as lists of cells."""
    for line in words(name):
        yield line.split("\t")


@cache
def group(name: str, kind: str) -> frozenset[str]:
    """Return the words that a table of kinds and words lists for `kind`."""
    return frozenset(word for each, words_of_kind in rows(name) if each == kind for word in words_of_kind.split())
