"""Borders of quotes: where the reader is vague about the edges of what is said, quotation marks are exact."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from spacy.tokens import Doc

from services.extraction.document import Offsets
from services.extraction.quotation import MARK, SENTENCE_ENDS, SINGLE, Passage

LOOSE = " \t\r\n\u00a0,;:–—-"
"""What the reader leaves at the edges of a content: it is no part of what is said."""


def overlapping(marked: Sequence[Passage], span: Offsets) -> Sequence[Passage]:
    """Return the passages that share a character with `span`; `marked` holds all, in order."""
    start, end = span
    first = bisect_right(marked, start, key=lambda passage: passage.end)
    return marked[first : bisect_left(marked, end, key=lambda passage: passage.start)]


def mend(text: str, pieces: Sequence[Offsets], marked: Sequence[Passage]) -> list[Offsets]:
    """Return `pieces` without loose edges, and with every pair of marks that they cut through taken in whole."""
    mended: list[Offsets] = []
    for piece in pieces:
        start, end = _whole(_tight(text, piece), marked)
        if mended and start <= mended[-1][1]:
            mended[-1] = (mended[-1][0], max(end, mended[-1][1]))
        else:
            mended.append((start, end))
    return mended


def apart(text: str, doc: Doc, pieces: Sequence[Offsets], marked: Sequence[Passage]) -> list[list[Offsets]]:
    """Return `pieces` in groups, each of which is a quote of its own.

    - A sentence between marks is, where one without marks ends before it: 'It was late, he said. *“Go home.”*'
    - What follows a sentence that is nobody's words is: '“It is late,” he said. He yawned. *“Go home.”*'
    """
    groups: list[list[Offsets]] = []
    for start, end in pieces:
        if not groups or _holds_sentence(doc, groups[-1][-1][1], start):
            groups.append([])
        begin = outside = start
        for passage in overlapping(marked, (start, end)):
            before = text[outside : passage.start].rstrip()
            if begin < passage.start and before and before[-1] in SENTENCE_ENDS and passage.is_sentence(text):
                groups[-1].append(_tight(text, (begin, outside + len(before) - 1)))
                groups.append([])
                begin = passage.start
            outside = passage.end
        groups[-1].append((begin, end))
    return groups


def _holds_sentence(doc: Doc, start: int, end: int) -> bool:
    """Return whether words follow the end of a sentence between two offsets."""
    span = doc.char_span(start, end, alignment_mode="contract") if start < end else None
    ends = [token.i for token in span if token.text in SENTENCE_ENDS] if span is not None else []
    return bool(ends) and any(token.is_alpha for token in doc[ends[0] : span.end if span is not None else 0])


def _tight(text: str, piece: Offsets) -> Offsets:
    words = text[slice(*piece)]
    return piece[0] + len(words) - len(words.lstrip(LOOSE)), piece[1] - len(words) + len(words.rstrip(LOOSE))


def _whole(piece: Offsets, marked: Sequence[Passage]) -> Offsets:
    """Return `piece` with the passages that it reaches into from outside, or holds the better part of."""
    start, end = piece
    for passage in overlapping(marked, piece):
        shared = min(end, passage.end) - max(start, passage.start)
        if start <= passage.start or passage.end <= end or shared * 2 > passage.end - passage.start:
            start, end = min(start, passage.start), max(end, passage.end)
    return start, end


def paired(text: str, span: Offsets) -> Offsets:
    """Return `span` without a mark at its edge whose partner lies outside: '*"credible deterrence*" to …'."""
    start, end = span
    marks = [match.span() for match in MARK.finditer(text, start, end) if match.group() not in SINGLE]
    if len(marks) % 2 and marks[0][0] == start:
        start = marks[0][1]
    elif len(marks) % 2 and marks[-1][1] == end:
        end = marks[-1][0]
    return start, end
