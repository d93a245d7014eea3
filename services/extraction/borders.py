"""Borders of quotes: where the parse is vague about the edges of what is said, quotation marks are exact."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from services.extraction.attributions import SENTENCE_ENDS, Pattern, Said
from services.extraction.clauses import Report
from services.extraction.document import Offsets
from services.extraction.quotation import Passage

LOOSE = " \t\r\n\u00a0,;:–—-"
"""What a parse leaves at the edges of a clause: it is no part of what is said."""


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


def _tight(text: str, piece: Offsets) -> Offsets:
    words = text[slice(*piece)]
    return piece[0] + len(words) - len(words.lstrip(LOOSE)), piece[1] - len(words) + len(words.rstrip(LOOSE))


def _whole(piece: Offsets, marked: Sequence[Passage]) -> Offsets:
    start, end = piece
    for passage in overlapping(marked, piece):
        if start <= passage.start or passage.end <= end:
            start, end = min(start, passage.start), max(end, passage.end)
    return start, end


def beside(pieces: Sequence[Offsets], said: list[Said]) -> list[Offsets]:
    """Return `pieces` without what marked quotes claim. `said` holds these in order.

    A marked quote that lies in a piece, and has no cue outside of it, is part of what the clause reports: it leaves
    `said`.
    """
    freed = [_free(piece, said) for piece in pieces]
    return [(start, end) for start, end in freed if start < end]


def _free(piece: Offsets, said: list[Said]) -> Offsets:
    start, end = piece
    first = bisect_right(said, start, key=lambda quote: quote.pieces[-1][1])
    after = bisect_left(said, end, key=lambda quote: quote.pieces[0][0])
    for quote in said[first:after]:
        begins, ends = quote.pieces[0][0], quote.pieces[-1][1]
        is_part = start <= begins and ends <= end and (not quote.cue or start <= quote.cue[0].idx < end)
        if is_part and quote.pattern is not Pattern.AFTER:
            del said[bisect_left(said, begins, key=lambda each: each.pieces[0][0])]
        elif begins > start:
            end = min(end, begins)
        else:
            start = max(start, ends)
    return start, end


def complete(text: str, quote: Said, report: Report) -> None:
    """Let a marked quote reach as far as the clause that has its cue: 'Mr. Roe added: "We knew" *it was coming*'."""
    start, end = quote.pieces[-1]
    closed = text[max(start, end - 3) : end].rstrip("\"'”’")[-1:] in SENTENCE_ENDS
    if quote.pattern is not Pattern.BEFORE or closed:
        return
    for begins, ends in report.content:
        if begins < end < ends:
            after_cue = quote.cue[-1].idx + len(quote.cue[-1])
            quote.pieces[-1] = (min(start, max(begins, after_cue)), ends)
