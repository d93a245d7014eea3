"""A small hand-kept gazetteer: countries, places, organisations, events and peoples that the news names every day."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from schemas import EntityType
from services.extraction.wordlists import rows


@dataclass(frozen=True, slots=True)
class Entry:
    """A known name. All names of one thing share `name`, the form that a newspaper prints at full length."""

    name: str
    type: EntityType
    doubtful: bool = False
    """Also a common word or a personal name ("Jordan", "Apple"): counts only where the model saw a name as well."""
    iso_3166: str | None = None
    wikidata_id: str | None = None
    state: bool = False
    """A state or province that follows its towns after a comma: "Irving, Texas"."""
    place: str | None = None
    """For people and what is theirs ("Dutch"): the name of their place."""


WORD = re.compile(r"\w+")


def find(text: str) -> Iterator[tuple[int, int, Entry]]:
    """Yield start, end and entry of every known name in `text`, the longest at each place, without overlap."""
    by_first_word = _by_first_word()
    last = 0
    for match in WORD.finditer(text):
        phrases = by_first_word.get(match.group())
        if phrases is None or match.start() < last:
            continue
        for phrase, entry in phrases:
            start, end = match.start(), match.start() + len(phrase)
            if text.startswith(phrase, start) and not (end < len(text) and text[end].isalnum()):
                last = end
                yield start, end, entry
                break


def entry(name: str) -> Entry | None:
    """Return the entry of `name`, written just so, or None."""
    return _entries().get(name)


def is_acronym(word: str) -> bool:
    """Return whether `word`, in capitals, is a known acronym or abbreviation."""
    known = _entries().get(word)
    return known is not None and word.isupper()


@cache
def _entries() -> dict[str, Entry]:
    """Return every known name with its entry; where two share a name, the first listed has it."""
    entries: dict[str, Entry] = {}

    def add(
        kind: str,
        name: str,
        others: str = "",
        iso_3166: str | None = None,
        wikidata_id: str | None = None,
    ) -> None:
        canonical, state = name.lstrip("?"), kind == "STATE"
        label = EntityType.GPE if state else EntityType(kind)
        for form in filter(None, [name, *others.split("|")]):
            known = Entry(canonical, label, form.startswith("?"), iso_3166, wikidata_id or None, state)
            entries.setdefault(form.lstrip("?"), known)

    def add_people(words: str, place: str) -> None:
        forms = [form for form in words.split("|") if form]
        for form in forms:
            entries.setdefault(form, Entry(forms[0], EntityType.NORP, place=place.lstrip("?")))

    for code, name, others, people, capital in rows("countries.tsv"):
        add(EntityType.GPE, name, others, code)
        add(EntityType.GPE, *(capital.split("|", 1)))
        add_people(people, name)
    for kind, name, others, people in rows("places.tsv"):
        add(kind, name, others)
        add_people(people, name)
    for name, others, wikidata_id in rows("organisations.tsv"):
        add(EntityType.ORG, name, others, wikidata_id=wikidata_id)
    for kind, name, others in rows("things.tsv"):
        add(kind, name, others)
    return entries


@cache
def _by_first_word() -> dict[str, list[tuple[str, Entry]]]:
    """Return the known names by their first run of letters, longest first."""
    index: defaultdict[str, list[tuple[str, Entry]]] = defaultdict(list)
    for name, known in sorted(_entries().items(), key=lambda item: -len(item[0])):
        first = WORD.match(name)
        assert first, f"{name!r} in the gazetteer does not begin with a letter"
        index[first.group()].append((name, known))
    return dict(index)
