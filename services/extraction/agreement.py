"""What an article knows of its names as a whole: one type a name, the same in a list, every repeat found.

Models decide mention by mention, so that "Trump" is a person here and an organisation there. A newspaper means the
same."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from schemas import EntityType
from services.extraction import gazetteer, people
from services.extraction.people import Word
from services.extraction.phrases import Name

NUMBERS = frozenset({EntityType.DATE, EntityType.MONEY, EntityType.PERCENT, EntityType.QUANTITY})
PLACES = frozenset({EntityType.GPE, EntityType.LOC})

COMPANY_SUFFIXES = frozenset({"inc", "corp", "co", "ltd", "llc", "plc", "ag", "se", "sa", "nv", "holdings", "group"})
"""What a company's name ends with on first mention only."""

LIST_GAP = re.compile(r",? (?:and|or|&) (?:the )?|, (?:the )?")
BRACKET = re.compile(r" \((?P<alias>[^\W\d_][\w.'’&-]*(?: [A-Z][\w.'’&-]*){0,3})[),]")
"""Another name in brackets right after a name: "Movement for the Left (MpS)"."""


def reached(text: str, names: list[Name]) -> list[Name]:
    """Return `names` with the types that the article agrees on, and with the mentions that were missed."""
    names = merged(names, _aliases(text, names))
    names = list(_divided(text, list(_without_clause(text, names))))
    names = merged(names, _members(text, names))
    names = _lists(text, names)
    names = _vote(text, names)
    return _with_states(text, merged(names, _repeats(text, names)))


def _aliases(text: str, names: Sequence[Name]) -> list[Name]:
    """Return the other names that organisations are given in brackets."""
    found = []
    for name in names:
        match = BRACKET.match(text, name.end) if name.type in (EntityType.ORG, EntityType.LAW) else None
        if match and any(letter.isupper() for letter in match["alias"]):
            alias = match["alias"]
            known = gazetteer.entry(alias)
            if len(alias) > 1 and (known is None or known.type is name.type) and not people.role(alias):
                found.append(Name(*match.span("alias"), name.type))
    return found


RUN_ON = re.compile(r"(?P<person>[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+)*) (?!(?:of|for|and|at|in|on|to|de|van|von)\b)[a-z]")


def _without_clause(text: str, names: Sequence[Name]) -> Iterator[Name]:
    """Yield `names`; what begins with a person of the article and goes on as a clause ("*Alder* accused Quill", taken
    for a title) is the person alone."""
    people_named = {text[name.start : name.end] for name in names if name.type is EntityType.PERSON}
    people_named |= {person.rsplit(" ", 1)[-1] for person in people_named}
    for name in names:
        clause = (
            RUN_ON.match(text, name.start, name.end) if name.type in (EntityType.ORG, EntityType.WORK_OF_ART) else None
        )
        is_person = clause is not None and clause["person"] in people_named
        yield Name(*clause.span("person"), EntityType.PERSON) if clause and is_person else name


def _divided(text: str, names: Sequence[Name]) -> Iterator[Name]:
    """Yield `names`; two known names that a hyphen joins ("Trump-Putin call") are yielded each."""
    known = {text[name.start : name.end].rsplit(" ", 1)[-1]: name.type for name in names}
    for name in names:
        words = text[name.start : name.end]
        parts = words.split("-")
        kinds = [known.get(part) or (entry.type if (entry := gazetteer.entry(part)) else None) for part in parts]
        if len(parts) == 2 and " " not in words and all(kinds) and gazetteer.entry(words) is None:
            first, second = kinds
            yield Name(name.start, name.start + len(parts[0]), first or name.type)
            yield Name(name.end - len(parts[1]), name.end, second or name.type)
        else:
            yield name


MEMBERS = re.compile(r", (?P<words>(?:[A-Z][\w'’-]+, ){1,4})(?:and )?(?:the )?")


def _members(text: str, names: Sequence[Name]) -> Iterator[Name]:
    """Yield the members of an enumeration that stand unrecognised between two names: "Leeds, *Keighley*, Bradford"."""
    for before, after in pairwise(names):
        match = MEMBERS.fullmatch(text, before.end, after.start)
        known = match and (gazetteer.entry(text[slice(*before[:2])]) or gazetteer.entry(text[slice(*after[:2])]))
        if match and known and known.type in PLACES:
            for word in gazetteer.WORD.finditer(text, *match.span("words")):
                yield Name(*word.span(), known.type)


def _lists(text: str, names: list[Name]) -> list[Name]:
    """Give all members of an enumeration the type of most: in "Leeds, Keighley, Morley and Ossett" all are towns.

    Only where four or more names follow one another and three in four have the same type.
    """
    result = list(names)
    begin = 0
    for index in range(1, len(names) + 1):
        if index < len(names) and LIST_GAP.fullmatch(text, names[index - 1].end, names[index].start):
            continue
        if index - begin >= 4:
            kind, count = Counter(_broad(name.type) for name in names[begin:index]).most_common(1)[0]
            if count * 3 >= (index - begin) * 2:
                for member in range(begin, index):
                    name = names[member]
                    if _broad(name.type) is not kind and gazetteer.entry(text[name.start : name.end]) is None:
                        result[member] = name._replace(type=kind)
        begin = index
    return result


def _broad(kind: EntityType) -> EntityType:
    return EntityType.GPE if kind in PLACES else kind


def _vote(text: str, names: list[Name]) -> list[Name]:
    """Give every name the type that most of its mentions have; who is named in full, or with a title ("President
    *Alder*"), makes the bare surname a person."""
    votes: defaultdict[str, Counter[EntityType]] = defaultdict(Counter)
    surnames = set()
    for name in names:
        if name.type not in NUMBERS:
            words = text[name.start : name.end]
            votes[words][name.type] += 1
            if name.type is EntityType.PERSON and " " in words:
                surnames.add(words.rsplit(" ", 1)[1])
            elif words.isalpha() and _is_titled(text, name) and gazetteer.entry(words) is None:
                surnames.add(words)
    result = []
    for name in names:
        words = text[name.start : name.end]
        kind = name.type
        if kind in NUMBERS:
            pass
        elif words in surnames and (gazetteer.entry(words) is None or votes[words][EntityType.PERSON]):
            kind = EntityType.PERSON
        else:
            best, count = votes[words].most_common(1)[0]
            kind = best if count > votes[words][kind] else kind
        result.append(name if kind is name.type else name._replace(type=kind))
    return result


BEFORE = re.compile(r"(?P<title>[A-Z][\w-]+\.?) $")


def _is_titled(text: str, name: Name) -> bool:
    """Return whether a title that only persons bear stands right before a name: "Mr. Alder", "Senator Alder"."""
    before = BEFORE.search(text, max(0, name.start - 20), name.start)
    return before is not None and people.role(before["title"]) in (Word.OFFICE, Word.HONORIFIC)


def _repeats(text: str, names: Sequence[Name]) -> list[Name]:
    """Return every other place where a known person or organisation, or the surname of a known person, is written."""
    kinds: dict[str, EntityType] = {}
    for name in names:
        words = text[name.start : name.end]
        if name.type in (EntityType.PERSON, EntityType.ORG, EntityType.GPE) and len(words) > 2:
            kinds.setdefault(words, name.type)
            surname = words.rsplit(" ", 1)[-1]
            if name.type is EntityType.PERSON and len(surname) > 3 and surname[0].isupper():
                kinds.setdefault(surname, name.type)
            if name.type is EntityType.ORG and surname.strip(".").lower() in COMPANY_SUFFIXES:
                kinds.setdefault(words[: -len(surname)].rstrip(", "), name.type)
    by_first = defaultdict(list)
    for words in sorted(kinds, key=len, reverse=True):
        first = gazetteer.WORD.match(words)
        if first:
            by_first[first.group()].append(words)
    found = []
    for match in gazetteer.WORD.finditer(text):
        for words in by_first.get(match.group(), ()):
            end = match.start() + len(words)
            if text.startswith(words, match.start()) and not text[end : end + 1].isalnum():
                found.append(Name(match.start(), end, kinds[words]))
                break
    return found


def _with_states(text: str, names: list[Name]) -> list[Name]:
    """Return `names` with every town that its state follows drawn out to it: "Irving, Texas". The state stays a name
    too."""
    result = []
    for index, name in enumerate(names):
        end = name.end
        if index + 1 < len(names) and name.type in PLACES and text[name.end : names[index + 1].start] == ", ":
            following = names[index + 1]
            known = gazetteer.entry(text[following.start : following.end])
            own = gazetteer.entry(text[name.start : name.end])
            if known is not None and known.state and not (own and own.state):
                end = following.end
        result.append(name if end == name.end else name._replace(end=end))
    return result


def merged(names: list[Name], more: Iterable[Name]) -> list[Name]:
    """Return `names` and those of `more` that overlap none of them, in order."""
    taken = bytearray(max((name.end for name in names), default=0))
    for name in names:
        taken[name.start : name.end] = b"\x01" * (name.end - name.start)
    return sorted([*names, *(name for name in more if taken.find(1, name.start, name.end) < 0)])
