"""Named mentions: what spaCy finds, put right by what a newsroom knows.

spaCy's names are trimmed; names that their own words give away (`phrases`), photo credits and the gazetteer are added, the
longer name winning where two overlap; then the article votes on the type of each name, and every repeat of a known name
is found, surnames included.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from spacy.tokens import Doc

from schemas import EntityType
from services.extraction import gazetteer, people, phrases
from services.extraction.document import Document, Zone
from services.extraction.people import Word
from services.extraction.phrases import Name
from services.extraction.tokens import Tokens

LABELS = {kind.value: kind for kind in EntityType}
NUMBERS = frozenset({EntityType.DATE, EntityType.MONEY, EntityType.PERCENT, EntityType.QUANTITY})

LEADING = re.compile(r"^(?:[\"“”‘’'(\[\s,;:–—-]+|(?:[Tt]he|THE|[Aa]n?)\s+)+")
TRAILING = re.compile(r"(?:['’]s|['’]S|[\"“”‘’')\]\s,;:–—-]+)+$")


def recognise(document: Document, readable: str, doc: Doc, tokens: Tokens) -> list[Name]:
    """Return the named mentions of an article in order, without overlap.

    `readable` is what spaCy was given (see `truecase`), `doc` its reading and `tokens` the same as lists.
    """
    named = _prefer_longer(
        [
            list(credits(document, readable)),
            list(phrases.names(tokens)),
            list(_known(readable, doc)),
            list(_model(readable, doc)),
        ]
    )
    return _propagate(readable, _vote(readable, named))


def _model(text: str, doc: Doc) -> Iterator[Name]:
    """Yield spaCy's entities without the articles, quotation marks, possessives and titles at their edges."""
    for entity in doc.ents:
        kind = LABELS.get(entity.label_)
        if kind is None:
            continue
        name = Name(entity.start_char, entity.end_char, kind)
        if kind not in NUMBERS:
            name = _trimmed(text, name)
            if kind is EntityType.PERSON:
                name = _without_title(text, name)
        if name.start < name.end:
            yield name


def _trimmed(text: str, name: Name) -> Name:
    piece = text[name.start : name.end].split("\n", 1)[0]
    leading = LEADING.match(piece)
    start = leading.end() if leading else 0
    trailing = TRAILING.search(piece, start)
    end = trailing.start() if trailing else len(piece)
    return Name(name.start + start, name.start + end, name.type)


def _without_title(text: str, name: Name) -> Name:
    """Return a person's name without the titles before it; noble ones stay ("Queen Beatrix"), and so does a lone title."""
    words = list(re.finditer(r"\S+", text[name.start : name.end]))
    for word in words[:-1]:
        if people.role(word.group().rstrip(",")) in (None, Word.NOBLE):
            return name._replace(start=name.start + word.start())
    return name._replace(start=name.start + words[-1].start()) if words else name


def _known(text: str, doc: Doc) -> Iterator[Name]:
    """Yield the gazetteer's names; those that are common words or personal names too only where spaCy saw another name."""
    seen: dict[int, str] = {}
    for entity in doc.ents:
        for token in entity:
            seen[token.idx] = entity.label_
    for start, end, known in gazetteer.find(text):
        if not known.doubtful or seen.get(start, "PERSON") not in ("PERSON", "CARDINAL", "ORDINAL", "DATE"):
            yield Name(start, end, known.type)


CREDITS = re.compile(
    r"""
      (?P<before> [A-Z][\w.'’-]+ (?: [ ] [A-Z][\w.'’-]* ){1,3} ) \s? / \s? (?: (?:POOL|Pool) \s? / \s? )?
      (?P<after> [A-Z]\w+ (?: [ ] (?:Images|Press|Photo|News|Pictures) )? )
    | (?P<agency> REUTERS|AFP|EPA|AP\ Photo|Getty\ Images ) \s? / \s? (?P<person> [A-Z][\w.'’-]+ (?: [ ] [A-Z][\w.'’-]+ ){1,3} )
    """,
    re.VERBOSE,
)


def credits(document: Document, text: str) -> Iterator[Name]:
    """Yield the photographer and the agency of every photo credit: "(Kevin Dietsch/Getty Images)", "REUTERS/Jane Roe"."""
    for block in document.blocks:
        if block.zone is Zone.CAPTION:
            for match in CREDITS.finditer(text, block.start, block.end):
                for group in ("before", "person"):
                    if match[group]:
                        yield Name(*match.span(group), EntityType.PERSON)
                for group in ("after", "agency"):
                    if match[group]:
                        yield Name(*match.span(group), EntityType.ORG)


def _prefer_longer(sources: list[list[Name]]) -> list[Name]:
    """Return the names of all sources without overlap: of two that overlap the longer, of equals the earlier source's."""
    ranked = sorted(
        ((-(name.end - name.start), rank, name) for rank, source in enumerate(sources) for name in source)
    )
    taken = bytearray(max((name.end for _, _, name in ranked), default=0))
    kept = []
    for _, _, name in ranked:
        if not any(taken[name.start : name.end]):
            taken[name.start : name.end] = b"\x01" * (name.end - name.start)
            kept.append(name)
    return sorted(kept)


def _vote(text: str, named: list[Name]) -> list[Name]:
    """Give every name the type that most of its mentions have; the last word of a full name speaks for the bare surname."""
    votes: defaultdict[str, Counter[EntityType]] = defaultdict(Counter)
    for name in named:
        if name.type not in NUMBERS:
            words = text[name.start : name.end]
            votes[words][name.type] += 1
            if name.type is EntityType.PERSON and " " in words:
                votes[words.rsplit(" ", 1)[1]][name.type] += 2
    result = []
    for name in named:
        kinds = votes.get(text[name.start : name.end])
        if kinds and name.type not in NUMBERS:
            best, count = kinds.most_common(1)[0]
            if count > kinds[name.type]:
                name = name._replace(type=best)
        result.append(name)
    return result


def _propagate(text: str, named: list[Name]) -> list[Name]:
    """Add the repeats of known names, and of the surnames of people with a full name, that were missed."""
    kinds: dict[str, EntityType] = {}
    for name in named:
        words = text[name.start : name.end]
        if name.type in (EntityType.PERSON, EntityType.ORG) and len(words) > 3:
            kinds.setdefault(words, name.type)
            surname = words.rsplit(" ", 1)[-1]
            if name.type is EntityType.PERSON and len(surname) > 3 and surname[0].isupper():
                kinds.setdefault(surname, name.type)
    by_first = defaultdict(list)
    for words in sorted(kinds, key=len, reverse=True):
        first = re.match(r"\w+", words)
        if first:
            by_first[first.group()].append(words)
    found = []
    for match in re.finditer(r"\w+", text):
        for words in by_first.get(match.group(), ()):
            end = match.start() + len(words)
            if text.startswith(words, match.start()) and not text[end : end + 1].isalnum():
                found.append(Name(match.start(), end, kinds[words]))
                break
    return _merge(named, found)


def _merge(named: list[Name], more: Iterable[Name]) -> list[Name]:
    """Return `named` and those of `more` that overlap none of them."""
    taken = bytearray(max((name.end for name in named), default=0))
    for name in named:
        taken[name.start : name.end] = b"\x01" * (name.end - name.start)
    return sorted([*named, *(name for name in more if not any(taken[name.start : name.end]))])
