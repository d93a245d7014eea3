"""Who is who: every mention of an article grouped into entities, and the question whom a mention refers to.

Built once an article. Names are found (`entities`) and grouped (`grouping`); descriptions ("the former Netherlands
prime minister") and pronouns are then led back to a group in reading order (`references`). Quotes and positions ask
`resolve`; the event carries `entities`."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from functools import cache

from spacy.tokens import Doc

from schemas import Entity, EntityType, Mention, MentionKind, item_id
from services.extraction import entities, references, salience, values
from services.extraction.document import Document
from services.extraction.grouping import group
from services.extraction.parties import Party, parties
from services.extraction.tokens import Tokens, head_of, tokens_of
from services.extraction.wordlists import words

RELATIVE = frozenset({"who", "whom", "which", "that"})

NOUNS = frozenset({"NOUN", "PROPN", "PRON"})

NAMED = frozenset(set(EntityType) - {EntityType.NORP, *entities.NUMBERS})
"""Types that a mention resolves to: "some Republicans" are nobody by name, nor is "63 percent"."""

MAKING = frozenset(
    {"released", "conducted", "published", "issued", "written", "produced", "commissioned", "compiled", "filed"}
)
MAKERS = frozenset({EntityType.ORG, EntityType.PERSON})


class Coreference:
    """The entities of one article.

    `entities` lists them in the order of their first mention; `resolve` finds the one that a stretch of text refers to.
    """

    def __init__(
        self, document: Document, doc: Doc, article_id: str, revision: int = 0, published_at: datetime | None = None
    ) -> None:
        """Read the entities out of `doc`, spaCy's reading of `truecase.readable(document)`.

        `published_at` is the day that "Monday" and "last week" count from; without it they stay without a date.
        """
        self._tokens = Tokens.of(doc)
        readable = self._tokens.text
        names = entities.recognise(document, readable, doc, self._tokens)
        groups = group(readable, names)
        self._parties = parties(document.text, self._tokens, groups)
        references.resolve(document, self._tokens, self._parties)
        shares = salience.shares(document, self._tokens, self._parties)
        self.entities: list[Entity] = [
            _entity(document.text, party, share, article_id=article_id, revision=revision, published_at=published_at)
            for party, share in zip(self._parties, shares, strict=True)
        ]
        self._exact = {(m.start, m.end): entity for entity in self.entities for m in entity.mentions}
        self._owner = self._owners()
        self._following = self._followings()

    def resolve(self, start: int, end: int) -> Entity | None:
        """Return the entity that the words from `start` up to `end` refer to, or None when they name nobody known.

        "Italian Prime Minister Matteo Renzi" is Renzi, "Clinton aides" nobody, "who" the noun before it: what counts is
        the head of the words, not a name that happens to stand among them.
        """
        found = self._exact.get((start, end)) or self._by_head(*tokens_of(self._tokens, start, end))
        return found if found is not None and found.type in NAMED else None

    def name(self, start: int, end: int) -> str | None:
        """Return by what name to call whom the words from `start` up to `end` refer to, or None when they name nobody.

        That of the entity; of several entities ("Obama and Clinton") all their names; of somebody's people ("the
        Clinton campaign", "his administration") the words with the name in them, as newspapers call them."""
        entity = self.resolve(start, end)
        if entity is not None:
            return entity.name
        tokens = self._tokens
        first, last = tokens_of(tokens, start, end)
        last = min(last, len(tokens.texts))
        if first >= last:
            return None
        head = head_of(tokens, first, last)
        members = [head]
        for index in range(head + 1, last):
            if tokens.deps[index] == "conj" and tokens.heads[index] in members:
                members.append(index)
        names = [self._called(member, first, last) for member in members]
        return " and ".join(filter(None, names)) if all(names) else None

    def _called(self, head: int, first: int, last: int) -> str | None:
        """Return the name of one member of an enumeration that lies between the tokens `first` and `last`."""
        owned = (self._owner.get(token) for token in (head, *self._apposed(head, last)))
        found = next((entity for entity in owned if entity is not None), None)
        if found is not None:
            return found.name if found.type in NAMED else None
        tokens = self._tokens
        if tokens.texts[head].lower() in _documents():
            return self._maker(head, first, last)
        if tokens.texts[head].lower() not in _followings():
            return None
        own = self._following_of(head, first)
        if own is not None or tokens.texts[first].lower() not in ("the", "this") or head - first > 1:
            return own
        known = self._following.get(tokens.texts[head].lower(), [])
        index = bisect_left(known, (head, ""))
        if index or tokens.texts[head].lower() != "administration":
            return known[index - 1][1] if index else None
        presidents = {party.group.canonical for party in self._parties if party.is_president}
        return f"{presidents.pop().rsplit(' ', 1)[-1]} {tokens.texts[head]}" if len(presidents) == 1 else None

    def _maker(self, head: int, first: int, last: int) -> str | None:
        """Return who made the document at `head`: "a *Reuters* poll", "a study released by *Jane Alder*"; not who has
        "seen" or "obtained" it."""
        tokens = self._tokens
        own = [i for i in range(head - 1, first - 1, -1) if tokens.heads[i] == head]
        by = next((i for i in range(head + 1, last) if tokens.texts[i] in ("by", "from")), last)
        if by - 1 != head and by < last and tokens.texts[by - 1] not in MAKING:
            by = last
        made = (self._owner[i] for i in (*own, *range(by + 1, min(by + 8, last))) if i in self._owner)
        return next((entity.name for entity in made if entity.type in MAKERS), None)

    def _following_of(self, head: int, first: int) -> str | None:
        """Return what the news calls the people at `head` by whose they are: "the *Obama administration*"."""
        tokens = self._tokens
        before = (i for i in range(head - 1, first - 1, -1) if tokens.heads[i] == head)
        owner = next((self._owner[i] for i in before if i in self._owner), None)
        if owner is None or owner.type not in NAMED:
            return None
        name = owner.name.rsplit(" ", 1)[-1] if owner.type is EntityType.PERSON else owner.name
        return f"{name} {tokens.texts[head]}"

    def _followings(self) -> dict[str, list[tuple[int, str]]]:
        """Return where each kind of following is called by a name, and by which, in order: "the administration" later
        is the same one."""
        known: dict[str, list[tuple[int, str]]] = {}
        for index, word in enumerate(self._tokens.texts):
            if word in _followings():
                name = self._following_of(index, max(0, index - 4))
                if name is not None:
                    known.setdefault(word, []).append((index, name))
        return known

    def _by_head(self, first: int, last: int) -> Entity | None:
        """Return the entity that the head of the tokens from `first` up to `last` belongs to."""
        tokens = self._tokens
        last = min(last, len(tokens.texts))
        if first >= last:
            return None
        person = self._final_person(first, last)
        if person is not None:
            return person
        head = head_of(tokens, first, last)
        inside = range(head + 1, last)
        if any(tokens.deps[i] == "conj" and tokens.heads[i] == head and tokens.pos[i] in NOUNS for i in inside):
            return None  # "Clinton and Trump" are two
        if tokens.texts[head].lower() in RELATIVE:
            return self._antecedent(head)
        own = next((self._owner[token] for token in (head, *self._apposed(head, last)) if token in self._owner), None)
        return own or self._apposed_person(head, last)

    def _apposed_person(self, head: int, last: int) -> Entity | None:
        """Return the person whose name follows a description: "the team's coach", Alireza Mehraban."""
        if self._tokens.texts[last : last + 1] != [","]:
            return None
        found = next((self._owner.get(i) for i in self._apposed(head, min(last + 8, len(self._tokens.texts)))), None)
        return found if found is not None and found.type is EntityType.PERSON else None

    def _apposed(self, head: int, last: int) -> Iterator[int]:
        """Yield the tokens before `last` that are set beside the head: "the party's chairman, Phil *Lovas*"."""
        for index in range(head + 1, last):
            if self._tokens.deps[index] == "appos" and self._tokens.heads[index] == head:
                yield index

    def _antecedent(self, relative: int) -> Entity | None:
        """Return whom a relative pronoun means: "McConnell, the majority leader, *who* said …".

        The name right before it, or the noun that its clause hangs on; "who" only means a person.
        """
        tokens = self._tokens
        before = relative - 1 - (relative > 1 and tokens.texts[relative - 1] == ",")
        candidates = [before]
        if tokens.deps[tokens.heads[relative]] == "relcl":
            candidates.append(tokens.heads[tokens.heads[relative]])
        found = (self._owner[token] for token in candidates if token in self._owner)
        if tokens.texts[relative].lower() in ("who", "whom"):
            return next((entity for entity in found if entity.type is EntityType.PERSON), None)
        return next((entity for entity in found if entity.type is not EntityType.PERSON), None)

    def _final_person(self, first: int, last: int) -> Entity | None:
        """Return the person whose name ends the tokens, with nothing but titles before it: "Tulsa police Chief Chuck
        Jordan"."""
        tokens = self._tokens
        while last > first and tokens.texts[last - 1] in (",", "'s", "’s", "."):
            last -= 1
        found = self._owner.get(last - 1) if last > first else None
        divided = any(tokens.pos[i] in ("ADP", "CCONJ", "VERB", "PUNCT", "PART", "PRON") for i in range(first, last))
        return found if found is not None and found.type is EntityType.PERSON and not divided else None

    def _owners(self) -> dict[int, Entity]:
        """Return the entity of every token that a mention covers; a name inside a description keeps its own."""
        owners = {}
        for entity in self.entities:
            for mention in entity.mentions:
                for token in range(*tokens_of(self._tokens, mention.start, mention.end)):
                    if mention.kind is not MentionKind.NOMINAL or token not in owners:
                        owners[token] = entity
        return owners


@cache
def _documents() -> frozenset[str]:
    """Return the nouns for documents, which are quoted as who made them."""
    return frozenset(words("documents.txt"))


@cache
def _followings() -> frozenset[str]:
    """Return the nouns for the people around somebody, whom the news calls by his name ("the Obama administration")."""
    return frozenset(words("followings.txt"))


def _entity(
    text: str, party: Party, share: float, *, article_id: str, revision: int, published_at: datetime | None
) -> Entity:
    """Return the event's entity for a party."""
    mentions = sorted({(m.start, m.end): m for m in party.mentions}.values(), key=lambda m: (m.start, m.end))
    name = party.group.canonical
    kind = party.group.type
    entry = party.group.entry
    first = text[party.group.names[0].start : party.group.names[0].end]
    return Entity(
        id=item_id(article_id, revision, "entity", kind, name, party.group.names[0].start),
        name=name,
        type=kind,
        mentions=[Mention(text=text[m.start : m.end], start=m.start, end=m.end, kind=m.kind) for m in mentions],
        titles=party.titles,
        salience=share,
        iso_3166=entry.iso_3166 if entry else None,
        wikidata_id=entry.wikidata_id if entry else None,
        date=values.date(first, published_at) if kind is EntityType.DATE else None,
        money=values.money(first) if kind is EntityType.MONEY else None,
    )
