"""Named mentions: what spaCy finds, put right by what a newsroom knows.

spaCy's names are repaired one by one (`repairs`); names that their own words give away (`phrases`), photo credits and
the gazetteer are added, the longer name winning where two overlap; then the article as a whole decides (`agreement`):
it votes on the type of each name, and every repeat of a known name is found, surnames included."""

import re
from collections.abc import Iterable, Iterator, Sequence

from spacy.tokens import Doc

from schemas import EntityType
from services.extraction import agreement, gazetteer, phrases, unclaimed, values
from services.extraction.agreement import NUMBERS
from services.extraction.document import Document, Zone
from services.extraction.phrases import Name
from services.extraction.repairs import repaired
from services.extraction.tokens import Tokens

__all__ = ["NUMBERS", "recognise"]

LABELS = {kind.value: kind for kind in EntityType}


def recognise(document: Document, readable: str, doc: Doc, tokens: Tokens) -> list[Name]:
    """Return the named mentions of an article in order, without overlap.

    `readable` is what spaCy was given (see `truecase`), `doc` its reading and `tokens` the same as lists.
    """
    model = list(_model(readable, doc))
    sources = (
        [*credits(document, readable), *labels(document, readable)],
        phrases.names(tokens),
        _known(readable, model),
        repaired(readable, tokens, model),
    )
    found = _without_overlap(sources)
    found = agreement.merged(found, unclaimed.names(readable, tokens, found))
    return agreement.reached(readable, found)


BEFORE_AMOUNT = re.compile(r"(?:US|CA?|AU?|HK|NZ?|S|R)?[$£€¥₹]$")
AFTER_NUMBER = re.compile(r"[ -](?P<word>[^\W\d_]+)")


def _model(text: str, doc: Doc) -> Iterator[Name]:
    """Yield what spaCy found; a number before a currency's name, which it takes for a mere number, is money."""
    for entity in doc.ents:
        if entity.label_ == "MONEY":
            sign = BEFORE_AMOUNT.search(text, max(0, entity.start_char - 4), entity.start_char)
            yield Name(sign.start() if sign else entity.start_char, entity.end_char, EntityType.MONEY)
        elif entity.label_ in LABELS:
            yield Name(entity.start_char, entity.end_char, LABELS[entity.label_])
        elif entity.label_ == "CARDINAL":
            unit = AFTER_NUMBER.match(text, entity.end_char)
            if unit and values.is_currency(unit["word"]):
                yield Name(entity.start_char, unit.end(), EntityType.MONEY)


def _known(text: str, model: list[Name]) -> Iterator[Name]:
    """Yield the gazetteer's names; those that are common words or personal names too only where the model saw a name of
    another kind than a person's."""
    seen: dict[int, EntityType] = {}
    surnames = {text[name.start : name.end].rsplit(" ", 1)[1] for name in model if _is_full_name(text, name)}
    for name in model:
        seen[name.start] = name.type
        if text.startswith(("the ", "The "), name.start):
            seen[name.start + 4] = name.type
    for start, end, known in gazetteer.find(text):
        doubtful = known.doubtful or text[start:end] in surnames
        if not doubtful or seen.get(start, EntityType.PERSON) not in (EntityType.PERSON, EntityType.DATE):
            yield Name(start, end, known.type)


def _is_full_name(text: str, name: Name) -> bool:
    """Return whether the model saw a person of two names or more, whose surname ("Jane London") may be a place's name
    too."""
    return name.type is EntityType.PERSON and " " in text[name.start : name.end]


CREDITS = re.compile(
    r"""
      (?P<before> [A-Z][\w.'’-]+ (?: [ ] [A-Z][\w.'’-]* ){1,3} ) \s? / \s? (?: (?:POOL|Pool) \s? / \s? )?
      (?P<after> [A-Z]\w+ (?: [ ] (?:Images|Press|Photo|News|Pictures) )? )
    | (?P<agency> REUTERS|Reuters|AFP|EPA|AP\ Photo|Getty\ Images ) \s? / \s?
      (?P<person> [A-Z][\w.'’-]+ (?: [ ] [A-Z][\w.'’-]+ ){1,3} )
    """,
    re.VERBOSE,
)


LABEL = re.compile(r"[\"“]?(?P<name>[A-Z][A-Z.'’-]{2,}(?: [A-Z][A-Z.'’-]+){0,2}):\s")
"""Who speaks in a transcript: "WALLACE: If I may, sir, …"."""


def labels(document: Document, text: str) -> Iterator[Name]:
    """Yield the speakers that a transcript names at the head of a line; `text` is truecased, the document's is not."""
    for block in document.blocks:
        match = LABEL.match(document.text, block.start, block.end)
        if match and not text[slice(*match.span("name"))].isupper():
            yield Name(*match.span("name"), EntityType.PERSON)


def credits(document: Document, text: str) -> Iterator[Name]:  # noqa: A001  # what a newsroom calls it
    """Yield photographer and agency of every photo credit: "(Kevin Dietsch/Getty Images)", "REUTERS/Jane Roe"."""
    for block in document.blocks:
        if block.zone is Zone.CAPTION:
            for match in CREDITS.finditer(text, block.start, block.end):
                for group in ("before", "person"):
                    if match[group]:
                        yield Name(*match.span(group), EntityType.PERSON)
                for group in ("after", "agency"):
                    if match[group]:
                        yield Name(*match.span(group), EntityType.ORG)


def _without_overlap(sources: Sequence[Iterable[Name]]) -> list[Name]:
    """Return the names of all sources without overlap: of two that overlap that of the first source, which is certain,
    or else the longer, and of equals the earlier source's."""
    ranked = sorted(
        (rank > 0, -(name.end - name.start), rank, name) for rank, source in enumerate(sources) for name in source
    )
    taken = bytearray(max((name.end for *_, name in ranked), default=0))
    kept = []
    for *_, name in ranked:
        if taken.find(1, name.start, name.end) < 0:
            taken[name.start : name.end] = b"\x01" * (name.end - name.start)
            kept.append(name)
    return sorted(kept)
