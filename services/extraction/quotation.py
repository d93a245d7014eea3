"""Passages between quotation marks, found from the marks alone: what is certain before any syntax is read.

One passage is one pair of outermost marks. Marks inside it are its own affair. A passage whose mark is never closed
ends with its paragraph, so that a lost mark cannot swallow an article; when the next paragraph opens with a mark, the
passage goes on in it, as printers do with a speech of several paragraphs. It also goes on where the first mark of the
next paragraph can only close: no other passage can end there.

Everything here reads every character a fixed number of times.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MARK = re.compile(r"``|''|[\"“”„‟«»＂‘’‚‛']")
"""All quotation marks, and the apostrophes that look like them."""

DOUBLE_OPENING = frozenset({"“", "„", "‟", "«", "``"})
DOUBLE_CLOSING = frozenset({"”", "»"})
DOUBLE_EITHER = frozenset({'"', "＂", "''"})
"""Marks that open and close alike; the characters beside them tell which."""

PARTNER = {"„": "“”", "»": "«", "«": "»"}
"""Pairs that differ from English use: German „so“ and »so«."""

SINGLE = frozenset("‘’‚‛'")

BEFORE_OPENING = frozenset("([{—–-/:“\"‘'`«>\u200b\ufeff")
"""What may stand before an opening mark, white space aside. After "=" it opens an attribute of some markup."""

SENTENCE_ENDS = frozenset(".?!…")

SPEECH_WORDS = 3
"""Words that a passage must have to be a sentence, rather than a title, a sign or an aside."""

ELISION = re.compile(r"(?:\d0s|em|tis|twas|til|cause|n|round|bout|cuz|s|d|ll|re|ve|m|t)\b", re.IGNORECASE)
"""What follows an apostrophe that stands for lost letters at the start of a word: ’80s, ’em, ’tis, rock ’n’ roll."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch between quotation marks, the marks included: `text[start:end]`."""

    start: int
    end: int
    closed: bool
    """False when no mark closes it and it ends with its paragraph instead."""

    def inner(self, text: str) -> tuple[int, int]:
        """Return start and end of the words, without the marks and the white space at the edges."""
        start, end = self.start, self.end
        while start < end and not text[start].isalnum() and text[start] not in "$£€#@[(":
            start += 1
        while end > start and (text[end - 1].isspace() or MARK.match(text[end - 1])):
            end -= 1
        return start, end

    def opens_sentence(self, text: str) -> bool:
        """Return whether the words may begin a sentence, and are enough for one."""
        start, end = self.inner(text)
        first = text[start : start + 1]
        return len(text[start:end].split()) >= SPEECH_WORDS and (first.isupper() or first in "‘'[($0123456789…")

    def ends_sentence(self, text: str) -> bool:
        """Return whether the words end like a sentence, so that what follows is another one."""
        start, end = self.inner(text)
        return text[end - 1 : end] in SENTENCE_ENDS if end > start else False

    def is_sentence(self, text: str) -> bool:
        """Return whether the words are one sentence or more."""
        return self.opens_sentence(text) and self.ends_sentence(text)


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    text: str
    opens: bool
    """Whether its neighbours look like those of an opening mark: white space before, a word after."""
    closes: bool
    in_markup: bool = False
    """Whether it stands after "=", as in <a href="…">, whose values nobody says."""


def passages(text: str, paragraphs: Iterable[tuple[int, int]]) -> list[Passage]:
    """Return the passages of `text`, in order, without overlap. `paragraphs` are the stretches to look in, in order."""
    found: list[Passage] = []
    open_at: int | None = None
    for start, end in paragraphs:
        marks = [_mark(text, match, start, end) for match in MARK.finditer(text, start, end)]
        doubles = [mark for mark in marks if mark.text not in SINGLE]
        reopens = bool(doubles) and doubles[0].start == start and not _is_closing(doubles[0])
        goes_on = open_at is not None and (reopens or _only_closes(text, doubles))
        if goes_on:
            begin = found.pop().start
            doubles = doubles[1:] if reopens else doubles
        inside = list(_doubles(doubles, end, begin if goes_on else None))
        open_at = inside[-1].start if inside and not inside[-1].closed else None
        singles = [mark for mark in marks if mark.text in SINGLE]
        found += _with_singles(text, singles, inside)
    return found


def _mark(text: str, match: re.Match[str], paragraph_start: int, paragraph_end: int) -> _Mark:
    """Return the mark of `match`, with what its neighbours say of it."""
    start, end = match.span()
    before = text[start - 1] if start > paragraph_start else " "
    after = text[end] if end < paragraph_end else " "
    opening_side = before.isspace() or before in BEFORE_OPENING
    return _Mark(
        start,
        end,
        match.group(),
        opens=opening_side and not after.isspace(),
        closes=not before.isspace() and not after.isalnum(),
        in_markup=before == "=",
    )


def _is_closing(mark: _Mark) -> bool:
    return mark.text in DOUBLE_CLOSING


def _only_closes(text: str, marks: Sequence[_Mark]) -> bool:
    """Return whether the first of a paragraph's `marks` closes, and nothing in the paragraph was opened for it.

    Marks that look alike on both sides must be odd in number, and not stand for inches (12").
    """
    if not marks or not marks[0].closes or marks[0].opens:
        return False
    alike = sum(mark.text in DOUBLE_EITHER for mark in marks)
    return _is_closing(marks[0]) or (alike % 2 == 1 and not text[marks[0].start - 1].isdigit())


def _doubles(marks: Sequence[_Mark], paragraph_end: int, open_at: int | None) -> Iterator[Passage]:
    """Yield the passages between double marks of one paragraph. `open_at`: where a passage began that goes on in it.

    Marks that look alike on both sides take turns while their number is even; when one of them was lost, the shape of
    their neighbours decides.
    """
    alike = sum(mark.text in DOUBLE_EITHER for mark in marks) + (open_at is not None)
    balanced = alike % 2 == 0
    opener = '"' if open_at is not None else ""
    in_value = False
    for mark in marks:
        if in_value or (open_at is None and mark.in_markup):
            in_value = not in_value
        elif open_at is None:
            if _may_open(mark, balanced=balanced):
                open_at, opener = mark.start, mark.text
        elif _may_close(mark, opener, balanced=balanced):
            yield Passage(open_at, mark.end, closed=True)
            open_at = None
        elif mark.opens and mark.text != "»" and (mark.text in DOUBLE_EITHER or mark.text == opener):
            # A second opening mark: the first was never closed, and what followed it is anybody's words. One that
            # follows a word at once is none ("One.“Two.”"): a paragraph break was lost inside a passage.
            open_at, opener = mark.start, mark.text
    if open_at is not None:
        yield Passage(open_at, paragraph_end, closed=False)


def _may_open(mark: _Mark, *, balanced: bool) -> bool:
    if mark.text in DOUBLE_OPENING or mark.text == "»":
        return mark.text != "»" or mark.opens
    return mark.text in DOUBLE_EITHER and (balanced or mark.opens)


def _may_close(mark: _Mark, opener: str, *, balanced: bool) -> bool:
    if opener in PARTNER:
        return mark.text in PARTNER[opener]
    if mark.text in DOUBLE_CLOSING:
        return True
    return mark.text in DOUBLE_EITHER and (
        mark.closes or (balanced and not mark.opens) or (opener == mark.text and balanced)
    )


def _with_singles(text: str, marks: Sequence[_Mark], doubles: Sequence[Passage]) -> list[Passage]:
    """Return `doubles` and the passages between single marks outside of them, in order.

    A single passage that encloses a double one takes its place (British style: 'He told me "no",' she said).
    """
    singles: list[Passage] = []
    opener: _Mark | None = None
    doubtful: _Mark | None = None
    inside = iter(doubles)
    double = next(inside, None)
    for mark in marks:
        while double is not None and double.end <= mark.start:
            double = next(inside, None)
        if double is not None and double.start < mark.start:
            continue
        if opener is None or (doubtful is not None and _opens_single(text, mark)):
            if opener is not None and doubtful is not None:
                singles.append(Passage(opener.start, doubtful.end, closed=True))
            opener, doubtful = (mark if _opens_single(text, mark) else None), None
        elif _closes_single(mark):
            if _is_plural_possessive(text, mark):
                doubtful = doubtful or mark
            else:
                singles.append(Passage(opener.start, mark.end, closed=True))
                opener = doubtful = None
    if opener is not None and doubtful is not None:
        singles.append(Passage(opener.start, doubtful.end, closed=True))
    return _outermost(singles, doubles)


def _opens_single(text: str, mark: _Mark) -> bool:
    return mark.text != "’" and mark.opens and not ELISION.match(text, mark.end)


def _closes_single(mark: _Mark) -> bool:
    return mark.text in "’'" and mark.closes


def _is_plural_possessive(text: str, mark: _Mark) -> bool:
    """Return whether a closing mark may be the apostrophe of a plural: workers' rights."""
    return (
        text[mark.start - 1] in "sS"
        and text[mark.end : mark.end + 1] == " "
        and text[mark.end + 1 : mark.end + 2].islower()
    )


def _outermost(singles: Sequence[Passage], doubles: Sequence[Passage]) -> list[Passage]:
    """Return both kinds in order, without those that lie inside another, or reach across its edge."""
    kept: list[Passage] = []
    for passage in sorted([*singles, *doubles], key=lambda passage: (passage.start, -passage.end)):
        if not kept or passage.start >= kept[-1].end:
            kept.append(passage)
    return kept
