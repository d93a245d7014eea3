"""What an article knows of each entity: how it is mentioned, its titles, its gender."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from schemas import EntityType, MentionKind
from services.extraction import gazetteer, people, titles
from services.extraction.grouping import Group
from services.extraction.people import Gender
from services.extraction.tokens import Tokens, head_of, tokens_of


class Reference(NamedTuple):
    """One place that refers to a party, by name, description or pronoun; offsets into the text."""

    start: int
    end: int
    kind: MentionKind


@dataclass(slots=True)
class Party:
    """A group of names with everything else that the article says of it."""

    group: Group
    mentions: list[Reference]
    titles: list[str] = field(default_factory=list)
    """As the article words them, in the order of their first use."""
    offices: list[frozenset[str]] = field(default_factory=list)
    """The words of each title, folded, for comparison."""
    gender: Gender | None = None

    @property
    def is_person(self) -> bool:
        """Return whether "he" or "she" may mean it."""
        return self.group.type is EntityType.PERSON

    @property
    def is_president(self) -> bool:
        """Return whether the article calls it President and no more: neither a former one nor one of a company."""
        return any(held <= PRESIDENT and "president" in held for held in self.offices) and not any(
            "former" in held for held in self.offices
        )


PRESIDENT = frozenset({"president", "u.s.", "us", "american"})


def parties(text: str, tokens: Tokens, groups: Sequence[Group]) -> list[Party]:
    """Return a party for every group, with the titles that stand beside its names and the gender that they tell."""
    named = bytearray(len(tokens.texts))
    for name in (name for each in groups if each.type is not EntityType.PERSON for name in each.names):
        first, last = tokens_of(tokens, name.start, name.end)
        named[first:last] = b"\x01" * (last - first)
    result = []
    for each in groups:
        party = Party(each, [Reference(name.start, name.end, MentionKind.NAME) for name in each.names])
        if party.is_person:
            _collect_titles(text, tokens, named, party)
            party.gender = _gender(tokens, party)
        result.append(party)
    return result


STANDING = frozenset({"nominee", "lawmaker", "politician", "democrat", "republican"})
"""What somebody is called by party alone: "Democrat Hillary Clinton" is "the Democratic nominee"."""


LEADERS = frozenset({"president", "premier", "minister", "chancellor", "king", "queen", "dictator", "ruler"})
"""Whom the news calls the leader of his country: "Russian President Vladimir Putin" is "the Russian leader"."""


def holds(office: str, said: frozenset[str], held: frozenset[str]) -> bool:
    """Return whether who has the title `held` may be described by `said`, whose noun is `office`."""
    local = {place for place in _allegiances(said) if not _is_country_or_party(place)}
    if conflict(said, held) or (local and not local & _allegiances(held)):
        return False  # "the Vermont senator" is no other; "the American president" needs no "American" in his title
    shared = bool(_allegiances(said) & _allegiances(held))
    same_party = office in STANDING and bool(held & STANDING)
    is_leader = office == "leader" and bool(held & LEADERS)
    return office in held or f"({office})" in held or (shared and (same_party or is_leader))


def conflict(said: frozenset[str], held: frozenset[str]) -> bool:
    """Return whether two descriptions name different places or parties: "American president", "Russian President"."""
    here, there = _allegiances(said), _allegiances(held)
    return bool(here and there and not here & there)


def _is_country_or_party(name: str) -> bool:
    entry = gazetteer.entry(name)
    return entry is not None and (entry.iso_3166 is not None or entry.type is EntityType.ORG)


def _allegiances(folded: frozenset[str]) -> frozenset[str]:
    """Return the places and parties that folded words name or belong to: "american" gives United States."""
    return frozenset(place for word in folded if (place := _place(word)))


@cache
def _place(folded: str) -> str | None:
    entry = gazetteer.entry(folded.capitalize()) or gazetteer.entry(folded.upper())
    if entry is None:
        return None
    if gazetteer.entry(f"{entry.name} Party"):
        return f"{entry.name} Party"
    is_place = entry.type in (EntityType.GPE, EntityType.LOC) or entry.name.endswith("Party")
    return entry.place or (entry.name if is_place else None)


def _collect_titles(text: str, tokens: Tokens, named: bytearray, party: Party) -> None:
    for name in party.group.names:
        first, last = tokens_of(tokens, name.start, name.end)
        spans = [titles.before(tokens, first, named), *titles.after(tokens, head_of(tokens, first, last), last)]
        for begin, end in filter(None, spans):
            title = " ".join(text[tokens.starts[begin] : tokens.ends[end]].split())
            if title not in party.titles:
                party.titles.append(title)
                origin = _origin(text, tokens, last)
                party.offices.append(frozenset(map(people.office, [*title.split(), *origin])))


PARTY_AND_STATE = re.compile(r",? ?\(?(?P<party>[RD])(?:ep)?\.?[-–—](?P<state>[A-Z][a-z]+\.?(?: [A-Z][a-z]+\.?)?)")
MEMBERS = frozenset({"republican", "democrat"})
PARTIES = {"R": "(republican)", "D": "(democrat)"}
"""How a label is kept: who bears one may be called "the Ohio Republican", but is no nominee by it."""


def _origin(text: str, tokens: Tokens, last: int) -> list[str]:
    """Return where somebody comes from, as it stands after the name: "Ted Cruz *of Texas*", "Ted Cruz (*R-Texas*)"."""
    member = PARTY_AND_STATE.match(text, tokens.ends[last - 1])
    if member:
        state = gazetteer.entry(member["state"]) or gazetteer.entry(member["state"].rstrip("."))
        return [PARTIES[member["party"]], *(state.name if state else member["state"]).split()]
    if tokens.texts[last : last + 1] != ["of"]:
        return []
    return [word for word in tokens.texts[last + 1 : last + 3] if word[0].isupper()]


def _gender(tokens: Tokens, party: Party) -> Gender | None:
    """Return the gender that an honorific, a first name or an office tells, asked in this order."""
    for name in party.group.names:
        first, _ = tokens_of(tokens, name.start, name.end)
        told = people.gender_of_title(tokens.texts[first - 1]) if first else None
        if told is not None:
            return told
    given = [form.split()[0] for form in party.group.forms if " " in form]
    told_by_names = (people.gender_of_title(word) or people.gender_of_first_name(word) for word in given)
    told_by_offices = (people.gender_of_title(word) for office in party.offices for word in office)
    return next(filter(None, told_by_names), None) or next(filter(None, told_by_offices), None)
