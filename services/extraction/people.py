"""Personal names and the titles and offices that stand beside them."""

import unicodedata
from enum import StrEnum
from functools import cache

from services.extraction.wordlists import group, rows


class Gender(StrEnum):
    """What "he" and "she" ask for."""

    MALE = "m"
    FEMALE = "f"


class Word(StrEnum):
    """What a word of `data/titles.tsv` does beside a personal name."""

    OFFICE = "office"
    HONORIFIC = "honorific"
    NOBLE = "noble"
    MODIFIER = "modifier"


def particles() -> frozenset[str]:
    """Return the lower-case words inside surnames: "Ursula *von der* Leyen"."""
    return group("name_words.tsv", "particle")


def role(word: str) -> Word | None:
    """Return what `word` does beside a name, whatever its case; None when it is no title."""
    return _titles().get(word.lower(), (None, None))[0]


def gender_of_title(word: str) -> Gender | None:
    """Return the gender that a title tells: that of "Mrs.", "congressman", "king"."""
    return _titles().get(word.lower(), (None, None))[1]


def gender_of_first_name(word: str) -> Gender | None:
    """Return the gender that most bearers of a first name in the news have, or None when unknown or both."""
    return _first_names().get(word) or _first_names().get(word.split("-", maxsplit=1)[0])


def parts(name: str) -> tuple[str, ...]:
    """Return the words of a personal name that tell one person from another, folded: "Sir John A. Kerr Jr." john a
    kerr."""
    words = [
        fold(word).strip(".,'’\"“”")
        for word in name.split()
        if word.lower().rstrip(",") not in group("name_words.tsv", "suffix")
    ]
    while len(words) > 1 and role(words[0]) in (Word.HONORIFIC, Word.NOBLE):
        words = words[1:]
    return tuple(word for word in words if word)


def fold(word: str) -> str:
    """Return `word` without accents and case, and without a possessive ending."""
    word = unicodedata.normalize("NFKD", word).casefold()
    plain = "".join(letter for letter in word if not unicodedata.combining(letter))
    return plain.replace("’", "'").removesuffix("'s")


def short_forms(first: str) -> frozenset[str]:
    """Return the short forms of a folded first name: "william" gives "bill", "will", …; empty when none is known."""
    return _nicknames().get(first, frozenset())


def office(word: str) -> str:
    """Return the folded word of an office in the form that offices are compared in: "Sen." gives "senator"."""
    folded = fold(word)
    return _same_offices().get(folded, folded)


@cache
def _same_offices() -> dict[str, str]:
    same = [words.split() for kind, words in rows("titles.tsv") if kind == "same"]
    return {word: words[0] for words in same for word in words}


@cache
def _titles() -> dict[str, tuple[Word, Gender | None]]:
    known: dict[str, tuple[Word, Gender | None]] = {}
    for kind, words in rows("titles.tsv"):
        if kind == "same":
            continue
        word_kind, _, gender = kind.partition("-") if len(kind) > 1 else ("office", "", kind)
        for word in words.split():
            # A noble title comes after the offices in the file, and says more: "king" is an office too.
            known[word] = (Word(word_kind), Gender(gender) if gender in ("m", "f") else None)
    return known


@cache
def _first_names() -> dict[str, Gender]:
    return {name: Gender(gender) for gender, names in rows("first_names.tsv") for name in names.split()}


@cache
def _nicknames() -> dict[str, frozenset[str]]:
    return {fold(full): frozenset(map(fold, short.split())) for full, short in rows("nicknames.tsv")}
