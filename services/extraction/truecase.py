"""Truecasing that keeps every offset: capitals and headline case as they would stand in running text.

spaCy's models learned names from running text: in "PUTIN'S A LITTLE BIT SCARED" they find nothing, or everything. The
article itself mostly says how its words are written, so it is asked first, then the gazetteer, then lists of common
words."""

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

from services.extraction import gazetteer, people
from services.extraction.document import Block, Document, Zone, is_capitals, is_headline_case
from services.extraction.wordlists import rows, words

WORD = re.compile(r"[^\W\d_](?:\.[^\W\d_])+\.?|[^\W\d_][^\W_]*(?:['’][^\W\d_]+)*")
"""A word with its apostrophes, or an abbreviation of single letters ("U.S."). Hyphens divide words."""

RUNNING = re.compile(r"(?<=[\w,;’'] )[^\W\d_][^\W_]*(?:['’][^\W\d_]+)*")
"""A word inside a sentence: after a word or a comma, so that its capital, if any, is its own."""

SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u202f\u2009\u200a\u2002\u2003\u3000", " "))
"""White space that spaCy would take for a word of its own."""

ENDLESS = re.compile(r"\S{200}")
"""A stretch without white space that no language has. spaCy's tokenizer takes quadratic time over it, so every 200th
sign is read as a space."""

SHOUTED = re.compile(r"\b[A-ZÀ-ÖØ-Þ]{4,}\b")
SUFFIX = re.compile(
    r"(?:[a-z]{3,}(?:ly|ness|tion|tions|sion|sions|ship|ities|ously|izing|ising|ments))|[a-z]{4,}(?:ing|[^aemr]ed)"
)
"""Endings that an unknown word in capitals may have only as a common word: "UNSUCCESSFULLY", "SIDELINED"."""


def readable(document: Document) -> str:
    """Return the text that spaCy is given: `document.text` truecased, of the same length, offset for offset."""
    text = ENDLESS.sub(lambda match: match.group()[:-1] + " ", document.text.translate(SPACES))
    odd = [block for block in document.blocks if _is_odd(text, block)]
    forms = _forms(text, document, odd) if odd or SHOUTED.search(text) else {}
    pieces, last = [], 0
    for block in document.blocks:
        line = text[block.start : block.end]
        pieces += [text[last : block.start], _capitals(line, forms) if is_capitals(line) else _line(line, block, forms)]
        last = block.end
    return "".join([*pieces, text[last:]])


def is_common(lower: str) -> bool:
    """Return whether running text writes a word in lower case, always or often."""
    return lower in common() or lower in flexible()


@cache
def common() -> frozenset[str]:
    """Return the words that running text writes in lower case."""
    return frozenset(words("common_words.txt")) | frozenset(words("function_words.txt"))


@cache
def acronyms() -> frozenset[str]:
    """Return the words in capitals that name nobody: "TV", "QUESTION"."""
    return frozenset(words("acronyms.txt"))


@cache
def flexible() -> frozenset[str]:
    """Return the words that are part of names as often as not: "party", "general", "social"."""
    return frozenset(words("flexible_words.txt"))


def _is_odd(text: str, block: Block) -> bool:
    line = text[block.start : block.end]
    return is_capitals(line) or (block.zone in (Zone.HEADLINE, Zone.DECK) and is_headline_case(line))


def _forms(text: str, document: Document, odd: list[Block]) -> dict[str, str]:
    """Return the most frequent form of every word inside the sentences of the other blocks, by its lower case."""
    skipped = set(odd)
    counts: Counter[str] = Counter()
    for block in document.blocks:
        if block not in skipped:
            counts.update(RUNNING.findall(text, block.start, block.end))
    forms: dict[str, str] = {}
    for word, _ in sorted(counts.items(), key=lambda item: item[1]):  # the most frequent comes last, and stays
        bare = word[:-2] if word.endswith(("'s", "’s")) else word
        forms[bare.lower()] = bare
    return forms


def _line(line: str, block: Block, forms: dict[str, str]) -> str:
    """Return a line that is not in capitals: headline case lowered, and shouted names in it brought down."""
    if block.zone in (Zone.HEADLINE, Zone.DECK) and is_headline_case(line):
        line = WORD.sub(lambda match: _lowered(match, forms), line)
    if block.zone is Zone.DATELINE:
        return SHOUTED.sub(lambda match: _unless_acronym(match.group()), line)
    return SHOUTED.sub(lambda match: _quietened(match, line, forms), line)


def _unless_acronym(word: str) -> str:
    """Return a word in capitals as a name is written ("WASHINGTON"), but a known acronym as it is."""
    return word if gazetteer.is_acronym(word) or len(word.capitalize()) != len(word) else word.capitalize()


def _lowered(match: re.Match[str], forms: dict[str, str]) -> str:
    """Return a word of a headline: in lower case where the article or the list of common words has it so."""
    word = match.group()
    lower = word.lower()
    form = forms.get(lower) or (lower if lower in common() else word)
    return form if match.start() and form.islower() and word.istitle() and len(form) == len(word) else word


def _quietened(match: re.Match[str], line: str, forms: dict[str, str]) -> str:
    """Return a word in capitals inside an ordinary line: a name where it is one ("WALLACE:", "Sergei SAVOSTYANOV")."""
    word = match.group()
    if not word.isupper() or gazetteer.is_acronym(word):
        return word
    form = forms.get(word.lower(), "")
    first_name = line[: match.start()].rstrip().rsplit(" ", 1)[-1].strip('("“[')
    is_surname = len(word) > 5 and people.gender_of_first_name(first_name) is not None
    is_label = not line[: match.start()].strip('"“') and line[match.end() : match.end() + 1] == ":"
    is_label = is_label and word not in acronyms()
    if not (form.istitle() or is_surname or is_label):
        return word
    return _unless_acronym(word)


class _Kind(NamedTuple):
    """How one word of a line in capitals may be written."""

    form: str
    name: bool
    """Written with a capital in any case."""
    may_be_name: bool
    """Written with a capital where its neighbours make a name of it."""


def _capitals(line: str, forms: dict[str, str]) -> str:
    """Return a line in capitals as running text.

    Words that the article or a list knows as common are lowered, unknown ones become names. A word that may be either
    is part of a name beside a name ("ORANGE DEMOCRATIC MOVEMENT", "PRESIDENT OBAMA"), or before an institution's noun.
    """
    matches = list(WORD.finditer(line))
    kinds = [_kind(match, line, matches[i - 1].group() if i else "", forms) for i, match in enumerate(matches)]
    known = {place for start, end, _ in gazetteer.find(line.title()) for place in range(start, end)}
    capital = [
        kind.name or (kind.may_be_name and match.start() in known) for kind, match in zip(kinds, matches, strict=True)
    ]
    runs = _runs(line, matches, kinds)
    following = dict(runs)
    for first, last in runs:
        if _is_name(kinds, first, last, following):
            capital[first:last] = [True] * (last - first)
    pieces, end = [], 0
    for match, kind, is_name in zip(matches, kinds, capital, strict=True):
        before = line[end : match.start()]
        opens = not line[: match.start()].strip(" \"'“‘") or before.strip()[-1:] in (".", "?", "!")
        form = kind.form[:1].upper() + kind.form[1:] if (is_name or opens) and kind.form.islower() else kind.form
        pieces += [before, form if len(form) == match.end() - match.start() else match.group()]
        end = match.end()
    return "".join([*pieces, line[end:]])


def _kind(match: re.Match[str], line: str, previous: str, forms: dict[str, str]) -> _Kind:  # noqa: PLR0911  # a list
    """Return how one word of a line in capitals may be written; `previous` is the word before it."""
    word, lower = match.group(), match.group().lower()
    stem, possessive = (lower[:-2], lower[-2:]) if lower.endswith(("'s", "’s")) else (lower, "")
    after_digit = match.start() > 0 and line[match.start() - 1].isdecimal()
    if after_digit or (lower == "s" and line[max(0, match.start() - 2) : match.start()].strip(" ") in ("'", "’")):
        return _Kind(lower, name=False, may_be_name=False)
    known = forms.get(stem)
    if known is not None and stem not in flexible():
        return _Kind(known + possessive, name=not known.islower(), may_be_name=False)
    if len(word) == 1 and (line[match.end() : match.end() + 1] == "." or word == "I"):
        return _Kind(word, name=True, may_be_name=False)
    if stem in flexible():
        return _Kind(lower, name=False, may_be_name=True)
    if stem in common() and word != "US":
        return _Kind(lower, name=False, may_be_name=False)
    if "." in word or gazetteer.is_acronym(word[: len(stem)]) or _looks_acronym(match, line, stem):
        return _Kind(word[: len(stem)] + possessive, name=True, may_be_name=False)
    follows_first_name = people.gender_of_first_name(previous.capitalize()) is not None
    if SUFFIX.fullmatch(stem) and not follows_first_name and gazetteer.entry(stem.capitalize()) is None:
        return _Kind(lower, name=False, may_be_name=False)
    return _Kind(_as_name(stem) + possessive, name=True, may_be_name=False)


def _looks_acronym(match: re.Match[str], line: str, stem: str) -> bool:
    """Return whether an unknown word is no word: alone in brackets and short, or without a vowel."""
    bracketed = line[match.start() - 1 : match.start()] == "(" and line[match.end() : match.end() + 1] == ")"
    return len(stem) < 7 and len(stem) > 1 and (bracketed or not set(stem) & set("aeiouy"))


def _as_name(stem: str) -> str:
    """Return a name as it is written: "mcadoo" McAdoo, "o'neill" O'Neill."""
    if stem.startswith("mc") and len(stem) > 4:
        return "Mc" + stem[2:].capitalize()
    return "'".join(part.capitalize() for part in stem.split("'"))


def _runs(line: str, matches: list[re.Match[str]], kinds: list[_Kind]) -> list[tuple[int, int]]:
    """Return first and last (exclusive) of every run of words that may be one name."""
    runs: list[tuple[int, int]] = []
    first = None
    for index, kind in enumerate([*kinds, _Kind("", name=False, may_be_name=False)]):
        begins = kind.name or kind.may_be_name
        divided = 0 < index < len(kinds) and _divides(line, matches[index - 1], matches[index], kinds[index - 1])
        if first is not None and (not begins or divided):
            runs.append((first, index))
            first = None
        if begins and first is None:
            first = index
    return runs


def _divides(line: str, before: re.Match[str], after: re.Match[str], kind: _Kind) -> bool:
    """Return whether a name ends between two words: at a sign, or after a name's possessive ("MERKEL'S PARTY")."""
    possessive = kind.name and before.group().lower().endswith(("'s", "’s"))
    return possessive or line[before.end() : after.start()].strip("’' -") != ""


def _is_name(kinds: list[_Kind], first: int, last: int, following: dict[int, int]) -> bool:
    """Return whether the run from `first` to `last` is a name: it holds one, it ends with an institution's noun
    ("LABOUR PARTY"), or it holds such a noun and "of" and a name come after it ("UNIVERSITY OF JENA"). `following` are
    all runs."""
    nouns = [kind.form.split("'")[0].capitalize() in _nouns() for kind in kinds[first:last]]
    if any(kind.name for kind in kinds[first:last]) or (last - first > 1 and nouns[-1]):
        return True
    after = last + 1
    if not any(nouns) or last >= len(kinds) or kinds[last].form != "of":
        return False
    after += after < len(kinds) and kinds[after].form == "the"
    return after in following and any(kind.name for kind in kinds[after : following[after]])


@cache
def _nouns() -> frozenset[str]:
    """Return the nouns that a name may end with ("Party", "Court")."""
    return frozenset(noun for _, nouns in rows("heads.tsv") for noun in nouns.split())
