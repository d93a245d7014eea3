"""Names that their own words give away: parties, ministries, courts, laws, treaties, wars, elections.

A statistical model knows the names of its training years. "1983 Labour Party Conference" or "Ministry of Foreign
Affairs" needs no such knowledge: the noun says what it is, and capitals say how far the name reaches."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from schemas import EntityType
from services.extraction import gazetteer, people, truecase
from services.extraction.people import Word
from services.extraction.tokens import Tokens
from services.extraction.wordlists import group, rows, words


class Name(NamedTuple):
    """A named mention: offsets into the text, and what it names."""

    start: int
    end: int
    type: EntityType


REACH = 12
"""Most tokens that a name goes on to either side of its noun: bounds the work, and no name in the news is longer."""

LINKS = frozenset({"of", "for"})
SUBJECT_LINKS = LINKS | {"on", "against"}

GLUE = frozenset({"-", "–", "&", "/", "'", "’", "."})
ELECTIONS = frozenset(
    {"election", "elections", "referendum", "referendums", "by-election", "by-elections", "byelection"}
)
PRIMARIES = frozenset({"primary", "primaries", "caucus", "caucuses"})
MONTHS = frozenset(
    {"January", "February", "March", "April", "May", "June", "July"}
    | {"August", "September", "October", "November", "December"}
)

CALENDAR = MONTHS | {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}


def names(tokens: Tokens) -> Iterator[Name]:
    """Yield the names in `tokens` that a noun of `data/heads.tsv` or an election's wording gives away; they may
    overlap."""
    kinds = _heads()
    texts = tokens.texts
    for index, word in enumerate(texts):
        kind = kinds.get(word)
        if kind is not None:
            span = _institution(tokens, index, kind)
        elif (
            word in ELECTIONS or (word.capitalize() != word and word in PRIMARIES) or word in ("Election", "Elections")
        ):
            kind, span = EntityType.EVENT, _election(tokens, index)
        elif word in group("name_words.tsv", "upheaval"):
            kind, span = EntityType.EVENT, _meeting(tokens, index)
        else:
            continue
        if span is not None and kind is not None:
            first, last = span
            yield Name(tokens.starts[first], tokens.ends[last], kind)


def _institution(tokens: Tokens, head: int, kind: EntityType) -> tuple[int, int] | None:
    """Return the tokens of a capitalised phrase around the noun at `head`: "European Court of Human Rights"."""
    texts = tokens.texts
    first = _leftwards(tokens, head)
    last = _complement(tokens, head)
    while texts[last] in GLUE:
        last -= 1
    if last + 1 < len(texts) and kind is EntityType.LAW and first < head and is_year(texts[last + 1]):
        last += 1  # "European Union Referendum Act 2015"
    if (
        first > 0
        and kind is EntityType.EVENT
        and texts[head] not in group("name_words.tsv", "fighting")
        and is_year(texts[first - 1])
    ):
        first -= 1  # "1943 Tehran Conference", but the 1991 "Gulf War"
    return (first, last) if last > first else None


def _leftwards(tokens: Tokens, head: int) -> int:
    """Return the first token of the run of capitalised words that ends at `head`."""
    texts = tokens.texts
    first = index = head
    while index > max(0, head - REACH):
        index -= 1
        word = texts[index]
        if word[0].isupper() and not _opens_sentence(tokens, index):
            if people.role(word) is Word.OFFICE and word in group("name_words.tsv", "before-name"):
                break  # "President Obama's", "Prime Minister Rutte's"
            first = index
        elif word in GLUE and tokens.ends[index] == tokens.starts[index + 1] and first == index + 1:
            continue  # "Baden-Württemberg"
        elif word in ("'s", "’s") and texts[index - 1] in group("name_words.tsv", "collective"):
            continue
        elif word in ("of", "for", "de", "du") and _capital(texts, index - 1) and first == index + 1:
            continue  # "House of Commons Committee"
        elif word == "and" and first == index + 1 and _is_common(texts, index - 1) and _is_common(texts, index + 1):
            continue  # "Food and Drug Administration"
        else:
            break
    return first


def _complement(tokens: Tokens, head: int) -> int:
    """Return the last token of what follows the noun at `head`: "Party *of Canada*", "Movement *for the Left*"."""
    texts = tokens.texts
    last, index = head, head + 1
    limit = min(len(texts), head + REACH)
    foreign = texts[head] in group("heads.tsv", "ORG-first")
    links = _links(texts[head], foreign=foreign)
    if foreign:
        while index < limit and _goes_on(tokens, index):
            last = index
            index += 1
    while index < limit and (texts[index] in links or (texts[index] == "in" and texts[head] == "War")):
        index += 1
        if index < limit and texts[index] in ("the", "la", "a"):
            index += 1
        begin = index
        while index < limit and _goes_on(tokens, index) and not _is_person(texts, index):
            index += 1
        if index == begin:
            law_of_year = head_kind(texts[head]) is EntityType.LAW and index < limit and is_year(texts[index])
            return index if law_of_year else last  # "Act of 1935"
        last = index - 1
        if index + 1 < limit and texts[index] == "and" and _pair(texts, index):
            last = index = index + 1  # "Department of Health and Welfare"
            index += 1
    return last


def _is_person(texts: list[str], index: int) -> bool:
    """Return whether a personal name begins at `index`, which ends an institution's: "the party of *Angela Merkel*"."""
    named = index + 1 < len(texts) and texts[index + 1][0].isupper() and head_kind(texts[index + 1]) is None
    return named and people.gender_of_first_name(texts[index]) is not None


def _links(noun: str, *, foreign: bool) -> frozenset[str]:
    """Return the small words that may join a name after `noun`."""
    if foreign:
        return group("name_words.tsv", "foreign-link")
    return SUBJECT_LINKS if noun in group("name_words.tsv", "subject") else LINKS


def _goes_on(tokens: Tokens, index: int) -> bool:
    """Return whether a name goes on at `index`: with a capital that begins no office or sentence, or with a hyphen."""
    word = tokens.texts[index]
    if word in GLUE:
        return _tight(tokens, index)
    begins_other = tokens.sentences[index] == index or people.role(word) is Word.OFFICE or word in CALENDAR
    return word[0].isupper() and not begins_other


def _pair(texts: list[str], index: int) -> bool:
    """Return whether the "and" at `index` joins words of one name: "Health and Welfare", "Liberals and Democrats"."""
    if _is_common(texts, index - 1) and _is_common(texts, index + 1):
        return True
    pair = gazetteer.entry(texts[index - 1]), gazetteer.entry(texts[index + 1])
    return all(entry is not None and entry.type is EntityType.NORP for entry in pair)


def _election(tokens: Tokens, head: int) -> tuple[int, int] | None:
    """Return the tokens of a named election: "November 1932 German federal election", "1996 Senate election in Ohio".

    It takes a year or a place to make an election this one; "the presidential election" is none by name.
    """
    texts = tokens.texts
    first = index = head
    known = False
    while index > max(0, head - REACH):
        index -= 1
        word = texts[index]
        if is_year(word):
            first, known = index, True
            if texts[index - 1] in MONTHS and index > 0:
                first -= 1
            break
        if word[0].isupper() and not _opens_sentence(tokens, index):
            first = index
            known = known or not word.startswith(("Democratic", "Republican", "Election", "Party"))
        elif (
            word in _election_words()
            or (word in GLUE and _tight(tokens, index))
            or (word in ("of", "and") and _capital(texts, index - 1) and first == index + 1)
        ):
            continue
        else:
            break
    if not known:
        return None
    last = head
    if is_year(texts[first]) and head + 2 < len(texts) and texts[head + 1] in ("in", "of"):
        index = head + 2 + (texts[head + 2] == "the")
        while index < min(len(texts), head + REACH) and _goes_on(tokens, index):
            last = index
            index += 1
    return first, last


def _meeting(tokens: Tokens, head: int) -> tuple[int, int] | None:
    """Return the tokens of a named meeting or upheaval: "2015 CELAC summit", "Decembrist revolt"."""
    first = _leftwards(tokens, head)
    if first > 0 and is_year(tokens.texts[first - 1]):
        first -= 1
    return (first, head) if first < head else None


def is_year(word: str) -> bool:
    """Return whether `word` is a year that news may name: 1500 to 2099."""
    return len(word) == 4 and word.isdecimal() and word.isascii() and "1500" <= word <= "2099"


def _opens_sentence(tokens: Tokens, index: int) -> bool:
    """Return whether the capital of the word at `index` may be the sentence's: "*The* Labour Party", "*When*
    Congress"."""
    word = tokens.texts[index]
    lower = word.lower()
    return lower in _stops() or (tokens.sentences[index] == index and lower in truecase.common() and len(word) > 1)


def _capital(texts: list[str], index: int) -> bool:
    return index >= 0 and texts[index][0].isupper() and texts[index].lower() not in _stops()


def _is_common(texts: list[str], index: int) -> bool:
    """Return whether the capitalised word at `index` is a common noun: "Law and Justice", not "Obama and Congress"."""
    return _capital(texts, index) and truecase.is_common(texts[index].lower()) and not gazetteer.entry(texts[index])


def _tight(tokens: Tokens, index: int) -> bool:
    """Return whether no space stands on either side of the token at `index`."""
    return (
        0 < index < len(tokens.texts) - 1
        and tokens.ends[index - 1] == tokens.starts[index]
        and tokens.ends[index] == tokens.starts[index + 1]
    )


def head_kind(word: str) -> EntityType | None:
    """Return what a name that ends with `word` names ("Court", "Treaty"); None when the word does not tell."""
    return _heads().get(word)


@cache
def _heads() -> dict[str, EntityType]:
    return {
        noun: EntityType(kind.removesuffix("-first")) for kind, nouns in rows("heads.tsv") for noun in nouns.split()
    }


@cache
def _election_words() -> frozenset[str]:
    return frozenset(words("election_words.txt"))


@cache
def _stops() -> frozenset[str]:
    return frozenset(words("function_words.txt"))
