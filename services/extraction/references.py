"""Descriptions and pronouns led back to whom they mean.

The article is read once from the front. What was mentioned last, as a subject, and often, is what a pronoun most likely
means (after Lappin and Leass, "An Algorithm for Pronominal Anaphora Resolution", 1994), unless gender, number or syntax
forbid it. A description ("the American president") means whoever holds the office it names.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from schemas import EntityType, MentionKind
from services.extraction import people, quotation
from services.extraction.document import Document, Zone
from services.extraction.parties import MEMBERS, Party, Reference, conflict, holds
from services.extraction.people import Gender, Word
from services.extraction.tokens import Tokens, head_of, tokens_of
from services.extraction.unclaimed import speaking
from services.extraction.wordlists import group, rows

SUBJECTS = frozenset({"nsubj", "nsubjpass"})
STORY = frozenset({Zone.HEADLINE, Zone.DECK, Zone.BODY})
"""Zones that tell one story; a pronoun in it never means somebody who is only in a caption or a link between."""

PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself"), Gender.MALE),
    **dict.fromkeys(("she", "her", "hers", "herself"), Gender.FEMALE),
}

KINDS = {
    **dict.fromkeys(("group", "organization", "organisation", "company", "firm", "charity"), EntityType.ORG),
    **dict.fromkeys(("city", "town", "village"), EntityType.GPE),
}
"""Nouns for any organisation, or any town."""

WEIGHTS = {"nsubj": 3.0, "nsubjpass": 2.5, "dobj": 1.5, "poss": 1.0}
"""What a mention weighs by its role; any other role weighs 1."""
SPEAKER = 1.5
"""What it weighs more as the subject of a verb of speech: the next "he said" is most often the same one."""
DECAY = 0.5
"""What is left of a weight one sentence later."""
SAME_SENTENCE = 2.0
"""What the subject of the pronoun's own sentence weighs more: "*Lauer* was criticised after *he* asked …"."""
ACROSS_QUOTE = 0.1
"""What is left of a weight when only one of the two is quoted: in "Obama had it", he said, "he" is not Obama."""
REPEATED = 0.5
"""What a further mention of the same one adds of its weight."""
UNSURE = 0.8
"""What is left of the weight of somebody whose gender is not known."""
REACH = 40
"""How many tokens after a pronoun its own clause is looked through."""
MEMORY_TOKENS = 100
"""How far back the words before "he said" are read."""
MEMORY_SENTENCES = 8
MEMORY_MENTIONS = 60
"""How far back a pronoun looks: bounds the work; next to none reaches farther."""


class Seen(NamedTuple):
    """A mention that was passed while reading."""

    token: int
    party: int
    weight: float


def resolve(document: Document, tokens: Tokens, known: Sequence[Party]) -> None:
    """Add to the parties' mentions the descriptions and pronouns that refer to them."""
    Reader(document, tokens, known).read()


class Reader:
    """One reading of an article from its first token to its last."""

    def __init__(self, document: Document, tokens: Tokens, known: Sequence[Party]) -> None:
        self.document = document
        self.tokens = tokens
        self.known = known
        self.seen: list[Seen] = []
        self.last_seen: dict[int, int] = {}
        """Party to the token of its latest mention."""
        self.owner: dict[int, int] = {}
        """Head token of a mention to its party."""
        self.inside = bytearray(len(tokens.texts))
        for number, party in enumerate(known):
            for mention in party.mentions:
                first, last = tokens_of(tokens, mention.start, mention.end)
                self.owner[head_of(tokens, first, last)] = number
                self.inside[first:last] = b"\x01" * (last - first)
        self.subject = {tokens.heads[i]: i for i, dep in enumerate(tokens.deps) if dep in SUBJECTS}
        """Verb to the head of its subject."""
        self.quoted = bytearray(len(tokens.texts))
        for passage in quotation.passages(document.text, [(block.start, block.end) for block in document.blocks]):
            first, last = bisect_left(tokens.starts, passage.start), bisect_left(tokens.starts, passage.end)
            self.quoted[first:last] = b"\x01" * (last - first)
        self.sentence = _numbers(tokens.sentences, self.quoted)
        self.institutions = self._institutions()
        self.closer = {number for noun in _nouns_of_institution() for number in self.institutions.get(noun, ())}
        """Organisations that have a closer noun than "the group"."""

    def read(self) -> None:
        """Pass every token once; remember names, lead descriptions and pronouns back."""
        tokens = self.tokens
        for index, word in enumerate(tokens.texts):
            if index in self.owner:
                self._see(index, self.owner[index])
                if word.lower() in MEMBERS:
                    self._description(index)  # "The Ohio *Republican*"
            elif not self.inside[index]:
                lower = word.lower()
                if lower in PRONOUNS:
                    self._refer(index, index, self._person(index, PRONOUNS[lower]), MentionKind.PRONOUN)
                elif lower in ("it", "its", "itself"):
                    self._refer(index, index, self._thing(index), MentionKind.PRONOUN)
                elif tokens.pos[index] in ("NOUN", "PROPN"):
                    self._description(index)

    def _see(self, index: int, party: int) -> None:
        tokens = self.tokens
        weight = WEIGHTS.get(tokens.deps[index], 1.0)
        if self._speaks(index):
            weight += SPEAKER
        self.seen.append(Seen(index, party, weight))
        self.last_seen[party] = index

    def _refer(self, first: int, last: int, party: int | None, kind: MentionKind) -> None:
        """Record that the tokens from `first` to `last` mean `party`, unless it is None."""
        if party is not None:
            start, end = self.tokens.starts[first], self.tokens.ends[last]
            self.known[party].mentions.append(Reference(start, end, kind))
            self.owner[last] = party
            self._see(last, party)

    def _person(self, index: int, gender: Gender) -> int | None:
        """Return the person whom the pronoun at `index` most likely means."""
        scores: dict[int, float] = {}
        zone = self._zone(index)
        barred = self._named_below(index)
        for seen in reversed(self.seen[-MEMORY_MENTIONS:]):
            party = self.known[seen.party]
            distance = self.sentence[index] - self.sentence[seen.token]
            if distance > MEMORY_SENTENCES:
                break
            if not party.is_person or party.gender not in (gender, None) or self._forbidden(index, seen.token):
                continue
            if seen.party in barred:
                continue
            if self._zone(seen.token) is not zone and not {self._zone(seen.token), zone} <= STORY:
                continue
            weight = seen.weight * DECAY**distance * (1.0 if party.gender else UNSURE)
            if self.quoted[seen.token] != self.quoted[index]:
                weight *= ACROSS_QUOTE
            elif distance == 0 and self.tokens.deps[seen.token] in SUBJECTS:
                weight *= SAME_SENTENCE
            scores[seen.party] = max(scores.get(seen.party, 0.0), weight) + REPEATED * min(
                scores.get(seen.party, 0.0), weight
            )
        found = max(scores, key=lambda party: (scores[party], -party), default=None)
        if found is not None and self.known[found].gender is None:
            self.known[found].gender = gender  # so that nobody is "he" here and "she" there
        return found

    def _zone(self, index: int) -> Zone:
        return self.document.zone_at(self.tokens.starts[index])

    def _forbidden(self, index: int, other: int) -> bool:
        """Return whether syntax keeps the pronoun at `index` from meaning the mention at `other`.

        Two arguments of one verb are two people ("Trump met him"), unless the pronoun is reflexive.
        """
        tokens = self.tokens
        if tokens.deps[index] == "poss" or tokens.texts[index].lower().endswith("self"):
            return False
        return tokens.heads[index] == tokens.heads[other] and tokens.heads[index] not in (index, other)

    def _named_below(self, index: int) -> set[int]:
        """Return whom the clause below the subject pronoun at `index` names: "He said that *Alder* …".

        Nobody named below a pronoun is meant by it (Principle C; Chomsky, "Lectures on Government and Binding", 1981),
        possessives aside, where newspapers are free. Nor does a speaker name himself in the words before "he said"."""
        tokens = self.tokens
        if tokens.deps[index] not in SUBJECTS:
            return set()
        named = set()
        for other in range(index + 1, min(index + REACH, len(tokens.texts))):
            if tokens.sentences[other] != tokens.sentences[index]:
                break
            if other in self.owner and tokens.deps[other] != "poss" and self._hangs_on(other, tokens.heads[index]):
                named.add(self.owner[other])
        if self._speaks(index) and self.quoted[tokens.sentences[index]]:
            named.update(self._named_in_words_before(index))
        return named

    def _hangs_on(self, token: int, verb: int) -> bool:
        """Return whether `token` belongs to the clause of `verb`, or to one below it."""
        for _ in range(REACH):
            head = self.tokens.heads[token]
            if head in (verb, token):
                return head == verb
            token = head
        return False

    def _named_in_words_before(self, index: int) -> Iterator[int]:
        """Yield who is named in the quotation that ends right before "he said" at `index`."""
        other = index - 1
        while other > 0 and index - other < 3 and not self.quoted[other]:
            other -= 1
        while other > 0 and self.quoted[other] and index - other < MEMORY_TOKENS:
            if other in self.owner and self.tokens.deps[other] != "poss":
                yield self.owner[other]
            other -= 1

    def _thing(self, index: int) -> int | None:
        """Return the organisation or country that "it" or "its" means, where syntax leaves no doubt.

        "Its" and "itself" mean the subject of their clause ("the U.S. has to concentrate *its* attention"); "it" with
        a verb of speech the latest subject that is no person ("*It* said in a statement …")."""
        tokens = self.tokens
        if tokens.texts[index].lower() != "it":
            verb = index
            for _ in range(8):  # deeper chains are parse errors
                verb = tokens.heads[verb]
                subject = self.subject.get(verb)
                if subject is not None and subject < index:
                    return self._institution_at(subject)
            return None
        if not self._speaks(index):
            return None
        for seen in reversed(self.seen[-MEMORY_MENTIONS:]):
            if self.sentence[index] - self.sentence[seen.token] > 2:
                return None
            if (
                tokens.deps[seen.token] in SUBJECTS
                and not self.quoted[seen.token]
                and not self.known[seen.party].is_person
            ):
                return self._institution_at(seen.token)
        return None

    def _institution_at(self, token: int) -> int | None:
        party = self.owner.get(token)
        if party is None or self.known[party].group.type not in (EntityType.ORG, EntityType.GPE):
            return None
        return party

    def _description(self, index: int) -> None:
        """Lead a definite description back: "The former Netherlands prime minister", "the senator", "the council"."""
        tokens = self.tokens
        word = tokens.texts[index].lower()
        is_office = people.role(word) is Word.OFFICE or word in MEMBERS
        if not is_office and word not in self.institutions and word not in KINDS:
            return
        if tokens.deps[index] in ("appos", "attr", "compound", "amod") or self._has_apposition(index):
            return
        first, definite = self._begin(index)
        headline = self._zone(index) in (Zone.HEADLINE, Zone.DECK, Zone.RELATED_LINK)
        if not definite and not (headline and is_office and first < index):
            return
        if is_office:
            party = self._holder(first, index)
        elif word in self.institutions:
            party = self._latest(self.institutions[word])
        else:
            party = self._of_kind(index, KINDS[word]) if index - first == 1 else None
        self._refer(first, index, party, MentionKind.NOMINAL)

    def _of_kind(self, index: int, kind: EntityType) -> int | None:
        """Return what a bare noun for any organisation or town means ("*The group* …", "*The city* said …"): the only
        one named in this sentence or the one before, or of several the only one that is a subject there.

        Well-known organisations are called by closer nouns.
        """
        tokens = self.tokens
        if tokens.deps[index] not in SUBJECTS:
            return None
        near: dict[int, bool] = {}
        for seen in reversed(self.seen[-MEMORY_MENTIONS:]):
            if self.sentence[index] - self.sentence[seen.token] > 1:
                break
            group = self.known[seen.party].group
            named_so = group.entry is not None and (kind is EntityType.ORG or group.entry.iso_3166 or group.entry.state)
            if group.type is kind and not named_so and seen.party not in self.closer:
                near[seen.party] = near.get(seen.party, False) or tokens.deps[seen.token] in SUBJECTS
        subjects = [party for party, is_subject in near.items() if is_subject]
        found = subjects if len(near) > 1 else list(near)
        return found[0] if len(found) == 1 else None

    def _speaks(self, index: int) -> bool:
        """Return whether the word at `index` is the subject of a verb of speech."""
        return self.tokens.deps[index] == "nsubj" and self.tokens.texts[self.tokens.heads[index]].lower() in speaking()

    def _begin(self, index: int) -> tuple[int, bool]:
        """Return the first token of the description that ends at `index`, and whether "the" or "this" opens it."""
        tokens = self.tokens
        first = index
        while first > tokens.sentences[index]:
            word = tokens.texts[first - 1].lower()
            if word in ("the", "this", "that"):
                return first - 1, True
            if people.role(word) is None and not self.inside[first - 1]:
                break
            first -= 1
        return first, False

    def _has_apposition(self, index: int) -> bool:
        """Return whether a name is set beside the noun at `index`, as in "the party's chairman, Phil Lovas"."""
        tokens = self.tokens
        near = range(index + 1, min(index + 10, len(tokens.texts)))
        return any(tokens.deps[i] == "appos" and tokens.heads[i] == index for i in near)

    def _holder(self, first: int, head: int) -> int | None:
        """Return the person who holds the office that the tokens from `first` to `head` describe.

        The latest mentioned of those whose titles agree with most of the words; when nobody has the title, and the
        words say more than a public office, who spoke last."""
        tokens = self.tokens
        ignored = ("the", "this", "that", "former", "then")
        said = frozenset(people.office(word) for word in tokens.texts[first : head + 1] if word.lower() not in ignored)
        said |= self._complement(head)
        office, gender = people.office(tokens.texts[head]), people.gender_of_title(tokens.texts[head])
        ranks = {}
        for number, party in enumerate(self.known):
            if not party.is_person or (gender and party.gender not in (gender, None)):
                continue
            shared = [len(said & held) for held in party.offices if holds(office, said, held)]
            if shared:
                ranks[number] = (number in self.last_seen, max(shared), self.last_seen.get(number, -number))
        if ranks:
            return max(ranks, key=lambda number: ranks[number])
        is_public = tokens.texts[head].capitalize() in group("name_words.tsv", "before-name")
        return self._latest_speaker(said, gender) if is_public and head - first > 1 else None

    def _complement(self, head: int) -> frozenset[str]:
        """Return the words of the "of" phrase after an office: "the President *of the United Arab Emirates*"."""
        tokens = self.tokens
        if tokens.texts[head + 1 : head + 2] != ["of"]:
            return frozenset()
        following = [i for i in range(head + 2, min(head + 8, len(tokens.texts))) if self.inside[i]]
        return frozenset(people.fold(tokens.texts[i]) for i in following)

    def _latest_speaker(self, said: frozenset[str], gender: Gender | None) -> int | None:
        """Return who spoke last in the story, if nothing known of that person speaks against the description."""
        for seen in reversed(self.seen[-MEMORY_MENTIONS:]):
            party = self.known[seen.party]
            if seen.weight > WEIGHTS["nsubj"] and party.is_person and self._zone(seen.token) in STORY:
                fits = party.gender in (gender, None) or gender is None
                return seen.party if fits and not any(conflict(said, held) for held in party.offices) else None
        return None

    def _institutions(self) -> dict[str, list[int]]:
        """Return the organisations that a common noun may mean: "the council" any whose name ends with Council, "the
        newspaper" any that is called a Times or a Post."""
        found: dict[str, list[int]] = {}
        kinds = _kinds_of_institution()
        for number, party in enumerate(self.known):
            if party.group.type is EntityType.ORG:
                heads = {_head_word(form) for form in party.group.forms if " " in form or form in kinds}
                for noun in {noun for word in heads for noun in (word.lower(), *kinds.get(word, ()))}:
                    found.setdefault(noun, []).append(number)
        return found

    def _latest(self, candidates: Sequence[int]) -> int | None:
        """Return the one of `candidates` that was mentioned last; None when none was mentioned yet."""
        return max((c for c in candidates if c in self.last_seen), key=lambda c: self.last_seen[c], default=None)


def _numbers(firsts: Sequence[int], quoted: bytearray) -> list[int]:
    """Return the number of each token's sentence in the story, given each token's first of sentence.

    A sentence that is all quotation does not count: "he said" after a long quote is as near to the speaker's name as if
    the quote were not there.
    """
    numbers: list[int] = []
    number, told = 0, False
    for index, first in enumerate(firsts):
        if index and first != firsts[index - 1]:
            number, told = number + told, False
        told = told or not quoted[index]
        numbers.append(number)
    return numbers


def _head_word(name: str) -> str:
    """Return the noun that an organisation's name says its kind with: "*Court* of Appeals", "Urban *Institute*"."""
    for link in (" of ", " on ", " for "):
        name = name.split(link, maxsplit=1)[0]
    return name.rsplit(" ", 1)[-1]


@cache
def _nouns_of_institution() -> frozenset[str]:
    """Return the common nouns that stand for an organisation of one kind."""
    return frozenset(noun for noun, _ in rows("institutions.tsv") if noun not in KINDS)


@cache
def _kinds_of_institution() -> dict[str, tuple[str, ...]]:
    """Return the common nouns for the last word of an organisation's name."""
    kinds: dict[str, list[str]] = {}
    for noun, names in rows("institutions.tsv"):
        for name in names.split():
            kinds.setdefault(name, []).append(noun)
    return {name: tuple(nouns) for name, nouns in kinds.items()}
