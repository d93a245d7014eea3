"""Truecasing that keeps every offset: capitals and headline case as they would stand in running text.

spaCy's models learned names from running text: in "PUTIN'S A LITTLE BIT SCARED" they find nothing, or everything. The
article itself mostly says how its words are written, so it is asked first, then the gazetteer, then a list of common words.
"""

import re
from collections import Counter, defaultdict
from functools import cache

from services.extraction import gazetteer
from services.extraction.document import Block, Document, Zone, is_capitals, is_headline_case
from services.extraction.wordlists import words

WORD = re.compile(r"[^\W\d_][\w'’]*(?:\.[^\W\d_])*\.?(?<!\w\w\.)|[^\W\d_]")
RUNNING = re.compile(r"(?<=[\w,;’'] )[^\W\d_][\w'’-]*")
"""A word inside a sentence: after a word or a comma, so that its capital, if any, is its own."""

SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u202f\u2009\u200a\u2002\u2003\u3000", " "))
"""White space that spaCy would take for a word of its own."""


def readable(document: Document) -> str:
    """Return the text that spaCy is given: `document.text` truecased, of the same length, offset for offset."""
    text = document.text.translate(SPACES)
    odd = [block for block in document.blocks if _is_odd(text, block)]
    if not odd:
        return text
    forms = _forms(text, document, odd)
    pieces, last = [], 0
    for block in odd:
        line = text[block.start : block.end]
        pieces += [text[last : block.start], _recase(line, forms)]
        last = block.end
    return "".join([*pieces, text[last:]])


def _is_odd(text: str, block: Block) -> bool:
    line = text[block.start : block.end]
    return is_capitals(line) or (block.zone in (Zone.HEADLINE, Zone.DECK) and is_headline_case(line))


def _forms(text: str, document: Document, odd: list[Block]) -> dict[str, str]:
    """Return the most frequent form of every word inside the sentences of the other blocks, by its lower case."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    skipped = set(odd)
    for block in document.blocks:
        if block not in skipped:
            for word in RUNNING.findall(text, block.start, block.end):
                counts[word.lower()][word] += 1
    return {lower: forms.most_common(1)[0][0] for lower, forms in counts.items()}


def _recase(line: str, forms: dict[str, str]) -> str:
    capitals = is_capitals(line)
    return WORD.sub(lambda match: _word(match, forms, capitals=capitals), line)


def _word(match: re.Match[str], forms: dict[str, str], *, capitals: bool) -> str:
    """Return one word as running text would have it.

    A first word keeps its capital. In headline case only words known to be common lose theirs; in capitals every word
    that is not known as an acronym or a common word becomes a name ("ZELENSKYY" "Zelenskyy").
    """
    word = match.group()
    lower = word.lower()
    stem, possessive = (lower[:-2], lower[-2:]) if lower.endswith(("'s", "’s")) else (lower, "")
    known = forms.get(lower) or (forms[stem] + possessive if stem in forms else None)
    form = known or _default(word, stem, possessive, capitals=capitals)
    if match.start() == 0 and form[:1].islower():
        form = form[0].upper() + form[1:]
    return form if len(form) == len(word) else word


def _default(word: str, stem: str, possessive: str, *, capitals: bool) -> str:
    if not capitals:
        return word.lower() if word.istitle() and stem in common() else word
    if stem in common() and word not in ("US",):
        return stem + possessive
    if "." in word or gazetteer.is_acronym(word[: len(stem)]):
        return word[: len(stem)] + possessive
    return stem.capitalize() + possessive


@cache
def common() -> frozenset[str]:
    """Return the words that running text writes in lower case."""
    return frozenset(words("common_words.txt"))
