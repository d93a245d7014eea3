"""Descriptions and pronouns led back to whom they mean.

A party is a group of names with everything else that refers to it. The article is read once from the front; what was
mentioned last, as a subject, and often, is what a pronoun most likely means (after Lappin and Leass, 1994), unless gender,
number or syntax forbid it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from schemas import EntityType, MentionKind
from services.extraction import gazetteer, people, quotation, titles
from services.extraction.document import Document, Zone
from services.extraction.grouping import Group
from services.extraction.people import Gender, Word
from services.extraction.tokens import Tokens, head_of, tokens_of
from services.extraction.wordlists import words

SUBJECTS = frozenset({"nsubj", "nsubjpass"})


class Reference(NamedTuple):
    """One place that refers to a party, by name, description or pronoun; offsets into the text."""

    start: int
    end: int
    kind: MentionKind


@dataclass(slots=True)
class Party:
    """What an article knows of one entity."""

    group: Group
    mentions: list[Reference]
    titles: list[str] = field(default_factory=list)
    offices: list[frozenset[str]] = field(default_factory=list)
    """The folded words of each title."""
    gender: Gender | None = None


class Seen(NamedTuple):
    """A mention of a party that was passed while reading."""

    token: int
    party: int
    weight: float


def parties(document: Document, readable: str, tokens: Tokens, groups: Sequence[Group]) -> list[Party]:
    """Return a party for every group, with the titles that stand beside its names and the gender they tell."""
    named = bytearray(len(tokens.texts))
    for each in groups:
        for name in each.names:
            first, last = tokens_of(tokens, name.start, name.end)
            named[first:last] = b"\x01" * (last - first)
    result = []
    for each in groups:
        party = Party(each, [Reference(name.start, name.end, MentionKind.NAME) for name in each.names])
        if each.type is EntityType.PERSON:
            _describe(document.text, tokens, named, party)
        result.append(party)
    return result


def _describe(text: str, tokens: Tokens, named: bytearray, party: Party) -> None:
    """Collect titles and gender of a person."""
    for name in party.group.names:
        first, last = tokens_of(tokens, name.start, name.end)
        spans = [titles.before(tokens, first, named), *titles.after(tokens, head_of(tokens, first, last), last)]
        for begin, end in filter(None, spans):
            title = " ".join(text[tokens.starts[begin] : tokens.ends[end]].split())
            if title not in party.titles:
                party.titles.append(title)
                party.offices.append(frozenset(map(people.fold, title.split())))
        if party.gender is None and first:
            party.gender = people.gender_of_title(tokens.texts[first - 1])
    for form in party.group.forms:
        given = form.split()
        if party.gender is None:
            party.gender = people.gender_of_title(given[0]) if len(given) > 1 else None
        if party.gender is None and len(given) > 1:
            party.gender = people.gender_of_first_name(given[0])
    if party.gender is None:
        told = [people.gender_of_title(word) for office in party.offices for word in office]
        party.gender = next(filter(None, told), None)


def resolve(document: Document, tokens: Tokens, known: Sequence[Party]) -> None:
    """Add to the parties' mentions the descriptions and pronouns that refer to them."""
    Reader(document, tokens, known).read()


class Reader:
    """One reading of an article from its first token to its last."""

    WINDOW = 60
    """How many mentions back a pronoun looks: bounds the work, and no pronoun reaches farther."""

    def __init__(self, document: Document, tokens: Tokens, known: Sequence[Party]) -> None:
        self.document = document
        self.tokens = tokens
        self.known = known
        self.seen: list[Seen] = []
        self.at: dict[int, tuple[int, int]] = {}
        """Head token of each name to its party and its last token."""
        self.inside = bytearray(len(tokens.texts))
        for number, party in enumerate(known):
            for mention in party.mentions:
                first, last = tokens_of(tokens, mention.start, mention.end)
                self.at[head_of(tokens, first, last)] = (number, last)
                self.inside[first:last] = b"\x01" * (last - first)
        self.sentence = self._count(tokens.sentences)
        spans = quotation.passages(document.text, [(block.start, block.end) for block in document.blocks])
        self.quoted = bytearray(len(tokens.texts))
        for passage in spans:
            first, last = bisect_left(tokens.starts, passage.start), bisect_left(tokens.starts, passage.end)
            self.quoted[first:last] = b"\x01" * (last - first)

    @staticmethod
    def _count(firsts: Sequence[int]) -> list[int]:
        numbers, number, last = [], -1, -1
        for first in firsts:
            if first != last:
                number, last = number + 1, first
            numbers.append(number)
        return numbers

    def read(self) -> None:
        """Pass every token once; remember names, lead descriptions and pronouns back."""
        for index, word in enumerate(self.tokens.texts):
            if index in self.at:
                self._see(index, self.at[index][0])
            elif not self.inside[index]:
                gender = PRONOUNS.get(word.lower())
                if gender is not None:
                    self._pronoun(index, gender)
                elif self.tokens.pos[index] in ("NOUN", "PROPN") and people.role(word) is Word.OFFICE:
                    self._description(index)

    def _see(self, index: int, party: int) -> None:
        dep = self.tokens.deps[index]
        weight = 3.0 if dep in SUBJECTS else 1.5 if dep == "dobj" else 1.0
        if self.tokens.deps[index] == "nsubj" and self._reports(self.tokens.heads[index]):
            weight += 1.0
        self.seen.append(Seen(index, party, weight))

    def _reports(self, verb: int) -> bool:
        return self.tokens.texts[verb].lower() in _speaking()

    def _pronoun(self, index: int, gender: Gender) -> None:
        party = self._antecedent(index, gender)
        if party is not None:
            self._refer(index, index, party, MentionKind.PRONOUN)

    def _refer(self, first: int, last: int, party: int, kind: MentionKind) -> None:
        start, end = self.tokens.starts[first], self.tokens.ends[last]
        self.known[party].mentions.append(Reference(start, end, kind))
        self._see(last, party)

    def _antecedent(self, index: int, gender: Gender) -> int | None:
        """Return the person whom the pronoun at `index` most likely means."""
        scores: dict[int, float] = {}
        here = self.sentence[index]
        for seen in reversed(self.seen[-self.WINDOW :]):
            party = self.known[seen.party]
            distance = here - self.sentence[seen.token]
            if distance > 8:
                break
            if party.group.type is not EntityType.PERSON or party.gender not in (gender, None):
                continue
            if self._forbidden(index, seen.token):
                continue
            weight = seen.weight * 0.6**distance * (1.0 if party.gender else 0.7)
            if self.quoted[seen.token] != self.quoted[index]:
                weight *= 0.4
            scores[seen.party] = scores.get(seen.party, 0.0) + weight
        if not scores:
            return None
        return max(scores, key=lambda party: (scores[party], -party))

    def _forbidden(self, index: int, other: int) -> bool:
        """Return whether syntax keeps the pronoun at `index` from meaning the mention at `other`.

        Two arguments of one verb are two people ("Trump met him"), unless the pronoun is reflexive.
        """
        tokens = self.tokens
        if tokens.deps[index] == "poss" or tokens.texts[index].lower().endswith("self"):
            return False
        return tokens.heads[index] == tokens.heads[other] and tokens.heads[index] not in (index, other)

    def _description(self, index: int) -> None:
        """Lead a description with a role for its noun back: "The former Netherlands prime minister", "the senator"."""
        tokens = self.tokens
        if tokens.deps[index] in ("appos", "attr", "compound") or self._apposed(index):
            return
        first = index
        definite = False
        while first > tokens.sentences[index]:
            word = tokens.texts[first - 1].lower()
            if word in ("the", "this", "that"):
                first, definite = first - 1, True
                break
            if people.role(word) is None and not self.inside[first - 1]:
                break
            first -= 1
        zone = self.document.zone_at(tokens.starts[index])
        telegraphic = zone in (Zone.HEADLINE, Zone.DECK, Zone.RELATED_LINK) and first < index
        if not (definite or telegraphic):
            return
        party = self._office_holder(first, index)
        if party is not None:
            self._refer(first, index, party, MentionKind.NOMINAL)

    def _apposed(self, index: int) -> bool:
        """Return whether a name is set beside the noun at `index`, as in "the party's chairman, Phil Lovas"."""
        return any(
            self.tokens.deps[i] == "appos" and self.tokens.heads[i] == index
            for i in range(index + 1, min(index + 8, len(self.tokens.texts)))
        )

    def _office_holder(self, first: int, head: int) -> int | None:
        """Return the person who holds the office that the tokens from `first` to `head` describe."""
        tokens = self.tokens
        said = frozenset(people.fold(word) for word in tokens.texts[first : head + 1]) - {"the", "this", "that"}
        office = people.fold(tokens.texts[head])
        gender = people.gender_of_title(tokens.texts[head])
        best: tuple[float, int] | None = None
        last_seen = {seen.party: seen.token for seen in self.seen}
        for number, party in enumerate(self.known):
            if party.group.type is not EntityType.PERSON or (gender and party.gender not in (gender, None)):
                continue
            fits = [held for held in party.offices if office in held and not _conflict(said, held)]
            if fits:
                overlap = max(len(said & held) for held in fits)
                rank = (overlap + 1.0 if number in last_seen else overlap, last_seen.get(number, -1))
                if best is None or rank > best[0]:
                    best = (rank, number)
        if best is not None:
            return best[1]
        return self._current_speaker(said) if len(said) > 1 else None

    def _current_speaker(self, said: frozenset[str]) -> int | None:
        """Return who spoke last, if nothing known of that person speaks against the description."""
        for seen in reversed(self.seen[-self.WINDOW :]):
            party = self.known[seen.party]
            if seen.weight > 3.5 and party.group.type is EntityType.PERSON and not self.quoted[seen.token]:
                return None if any(_conflict(said, held) for held in party.offices) else seen.party
        return None


def _conflict(said: frozenset[str], held: frozenset[str]) -> bool:
    """Return whether two descriptions name different places: "the American president", "Russian President"."""
    here, there = _places(said), _places(held)
    return bool(here and there and not here & there)


def _places(folded: frozenset[str]) -> frozenset[str]:
    known = (_place(word) for word in folded)
    return frozenset(place for place in known if place)


@cache
def _place(folded: str) -> str | None:
    entry = gazetteer.entry(folded.capitalize()) or gazetteer.entry(folded.upper())
    if entry is None:
        return None
    return entry.place or (entry.name if entry.type in (EntityType.GPE, EntityType.LOC) else None)


PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself"), Gender.MALE),
    **dict.fromkeys(("she", "her", "hers", "herself"), Gender.FEMALE),
}


@cache
def _speaking() -> frozenset[str]:
    return frozenset(words("speaking_verbs.txt"))
