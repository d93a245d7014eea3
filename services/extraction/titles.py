"""Titles and offices that stand beside a personal name."""

from collections.abc import Iterator

from services.extraction import people
from services.extraction.people import Word
from services.extraction.tokens import Tokens

LONGEST = 14
"""Most tokens of a title: "Parliamentary Under-Secretary of State for the Armed Forces" has eleven."""

LINKS = frozenset({"of", "to", "for", "the", "and", "-", "&", "’s", "'s"})


def before(tokens: Tokens, first: int, named: bytearray) -> tuple[int, int] | None:
    """Return first and last token of the title before the name that begins at token `first`, or None.

    A title is a run of title words and of names ("NATO", "Russian"; `named` marks their tokens) that has an office in
    it: "former Netherlands prime minister Mark Rutte", "Secretary of State John Kerry". Honorifics ("Mr.") are none.
    """
    if first and tokens.texts[first - 1] in LINKS:
        return None  # "a spokeswoman *for* Hillary Clinton"
    index, office, begin = first, False, first
    lowest = max(tokens.sentences[first], first - LONGEST) if first < len(tokens.texts) else first
    while index > lowest:
        index -= 1
        word = tokens.texts[index]
        kind = people.role(word)
        if kind is Word.OFFICE:
            office, begin = True, index
        elif kind is Word.HONORIFIC or kind is Word.NOBLE:
            break
        elif kind is Word.MODIFIER or named[index]:
            begin = index
        elif not (word in LINKS and begin == index + 1):
            break
    return (begin, first - 1) if office else None


def after(tokens: Tokens, head: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield first and last token of each title set after a name: "Pete Hegseth, *a former Fox News co-host*, said".

    `head` is the name's head token, `end` the token after the name.
    """
    for index in range(end, min(len(tokens.texts), end + LONGEST)):
        if (
            tokens.deps[index] == "appos"
            and tokens.heads[index] == head
            and people.role(tokens.texts[index]) is Word.OFFICE
        ):
            first = next(
                (i for i in range(end, index + 1) if tokens.texts[i] not in (",", "a", "an", "the", "(")), index
            )
            last = index
            while last + 1 < len(tokens.texts) and last - first < LONGEST and _goes_on(tokens, last + 1):
                last += 1
            while tokens.texts[last] in LINKS:
                last -= 1
            yield first, last


def _goes_on(tokens: Tokens, index: int) -> bool:
    """Return whether the token at `index` still belongs to an office: "secretary *of state*", "host *at Fox News*"."""
    word = tokens.texts[index]
    return (
        word in LINKS or word in ("at", "in") or word[0].isupper() or people.role(word) is not None or word == "state"
    )
