"""Turns of a printed conversation: paragraphs that open with who speaks and a colon, "Q: …", "A: …", "BRANDT: …".

Nothing but the layout is read. Such a paragraph may belong to a list ("WHERE: in the hall"); several in a row, one of
which asks something, are a conversation, and what follows the colon is what was said, word for word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.extraction.document import Document, Offsets, Zone

LABEL = re.compile(
    r"""
    (?P<speaker> [QA] | [A-Z][A-Z.'’-]+ (?: [ ] [A-Z][A-Z.'’-]+ ){0,3} )  # Q, A, BRANDT, LENA BRANDT
    (?: , [ ] [A-Z][A-Z.,'’ -]{1,60} | [ ] \( [^()\n]{1,60} \) )?          # , HARBOUR MASTER or (on the phone)
    : \s*
    """,
    re.VERBOSE,
)

LEAST_TURNS = 2


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says until the next one does, and the label that names them."""

    speaker: Offsets
    words: Offsets


def turns(document: Document) -> list[Turn]:
    """Return the turns of the conversations that `document` prints, in order."""
    found: list[Turn] = []
    row: list[Turn] = []
    for turn in _labelled(document):
        if turn is not None:
            row.append(turn)
            continue
        found += _conversation(document.text, row)
        row = []
    return found + _conversation(document.text, row)


def _conversation(text: str, row: list[Turn]) -> list[Turn]:
    """Return the labelled paragraphs `row` if they are a conversation: there are several, and one asks something."""
    asks = any("?" in text[slice(*turn.words)] for turn in row)
    return row if asks and len(row) >= LEAST_TURNS else []


def _labelled(document: Document) -> Iterator[Turn | None]:
    """Yield a turn for every paragraph with a label, and None for every other one.

    A name in capitals with a colon looks like the place that opens a story ("LONDON: …"), which is a block by itself.
    """
    start: int | None = None
    for block in document.blocks:
        begin = block.start if start is None else start
        start = block.start if block.zone is Zone.DATELINE else None
        if start is not None and document.text[block.end - 1] == ":":
            continue
        label = LABEL.match(document.text, begin, block.end)
        named = label is not None and label.end() < block.end
        yield Turn(label.span("speaker"), (label.end(), block.end)) if label is not None and named else None
        start = None
