"""Names that the model passed over, found by their surroundings: subjects, acronyms, "the town of …"."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from schemas import EntityType
from services.extraction import gazetteer, people, phrases, truecase
from services.extraction.phrases import Name
from services.extraction.tokens import Tokens
from services.extraction.wordlists import words

PLACE_OF = re.compile(
    r"""
    \b (?: city | town | village | province | state | district | county | region | riding | constituency | municipality
      | port | suburb | island | capital | Province | Island | Isle | Port | Kingdom | Duchy | Principality | Republic )
    \ of\ (?P<place> [A-Z][\w'’-]+ (?: \ [A-Z][\w'’-]+ ){0,2} )
    """,
    re.VERBOSE,
)
"""A place that its kind introduces: "the town of Bakhmut"."""


def names(text: str, tokens: Tokens, claimed: Sequence[Name]) -> Iterator[Name]:
    """Yield names beside those in `claimed`; what overlaps them is for the caller to drop.

    - "the town of *Bakhmut*": a place
    - "*Lingenfelter* was elected": an unknown proper noun as a subject is a person
    - "members of the *RENAMO*": an unknown word in capitals is an organisation
    - "*Theresa May* left", "“…,” *Butte* said": a first name with what follows, and who speaks, are people
    """
    for match in PLACE_OF.finditer(text):
        yield Name(*match.span("place"), EntityType.GPE)
    taken = bytearray(len(text) + 1)
    for name in claimed:
        taken[name.start : name.end] = b"\x01" * (name.end - name.start)
    for index, word in enumerate(tokens.texts):
        if tokens.pos[index] != "PROPN" or not word[0].isupper() or taken[tokens.starts[index]]:
            continue
        start, end = tokens.starts[index], tokens.ends[index]
        if word.isupper() and len(word) > 1:
            if _is_acronym(word):
                yield Name(start, end, EntityType.ORG)
        elif _follows_first_name(tokens, index):
            yield Name(tokens.starts[index - 1], end, EntityType.PERSON)
        elif (tokens.deps[index] == "nsubj" or _speaks(tokens, index)) and _is_surname(tokens, index):
            yield Name(start, end, EntityType.PERSON)


@cache
def speaking() -> frozenset[str]:
    """Return the forms of verbs that report speech."""
    return frozenset(words("speaking_verbs.txt"))


def _follows_first_name(tokens: Tokens, index: int) -> bool:
    before = tokens.texts[index - 1] if index else ""
    known = people.gender_of_first_name(before) is not None and gazetteer.entry(before) is None
    return known and tokens.texts[index].isalpha() and people.role(tokens.texts[index]) is None


def _speaks(tokens: Tokens, index: int) -> bool:
    """Return whether a verb of speech stands beside the word: "Butte said"."""
    return any(word.lower() in speaking() for word in tokens.texts[index + 1 : index + 2])


def _is_acronym(word: str) -> bool:
    return 2 < len(word) < 9 and word.isalpha() and word not in truecase.acronyms() and not ROMAN.fullmatch(word)


ROMAN = re.compile(r"[IVXLC]+")


def _is_surname(tokens: Tokens, index: int) -> bool:
    """Return whether the proper noun at `index` is a whole name that no list knows."""
    word = tokens.texts[index]
    alone = index == 0 or tokens.pos[index - 1] != "PROPN"
    return (
        alone
        and len(word) > 3
        and word.isalpha()
        and not truecase.is_common(word.lower())
        and gazetteer.entry(word) is None
        and people.role(word) is None
        and phrases.head_kind(word) is None
        and (index == 0 or tokens.texts[index - 1].lower() != "the")
    )
