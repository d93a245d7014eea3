"""Personal names and titles."""

import re
from functools import cache

from services.extraction.phrases import Name
from services.extraction.wordlists import rows

WORD = re.compile(r"\S+")


@cache
def titles() -> frozenset[str]:
    """Return the words that stand before a personal name as title or office: "Secretary", "Dr.", "Former"."""
    return frozenset(word for _, words in rows("titles.tsv") for word in words.split())


def without_title(text: str, name: Name) -> Name:
    """Return `name` without the titles before it; a name of titles alone stays as it is."""
    start = name.start
    for match in WORD.finditer(text, name.start, name.end):
        if match.group().rstrip(",") not in titles():
            return name._replace(start=match.start())
        start = match.end()
    return name if start == name.end else name
