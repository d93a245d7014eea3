"""An article as the encoder sees it: words with their pieces and what is printed around them, in windows.

A window is a run of whole paragraphs, so that a pronoun and the name before it, or a quote and the sentence that leads
over to it, are mostly read together. Which windows an article has depends on that article alone.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.extraction.document import Document, Offsets, Zone
from services.extraction.quotation import Passage
from services.extraction.reader.wordpieces import WordPieces

WORD = re.compile(r"\w+|[^\w\s]")
"""Letters and digits make words, every other mark is one by itself: all borders of spans fall between these."""

WINDOW_PIECES = 192
"""Pieces that a window holds at most, marks of its paragraphs included; the encoder was taught with 74 to 256.

Each piece of a window is compared with every other, so large ones take longer. On articles held out from training, 224
read a little worse, 160 quotes as well and positions a little worse."""

FEATURES = 12
"""Values of a word's feature: 3 shapes (lower, Capital, CAPITALS) x quoted or not x in a headline or not."""


@dataclass(slots=True)
class Words:
    """The words of an article's paragraphs, in order; every list has one entry a word."""

    text: str
    spans: list[Offsets] = field(default_factory=list)
    pieces: list[list[int]] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    paragraphs: list[tuple[int, int]] = field(default_factory=list)
    """First word of each paragraph, and the one after its last."""

    @classmethod
    def of(cls, document: Document, marked: Sequence[Passage], wordpieces: WordPieces) -> "Words":
        """Return the words of `document`. `marked`: its passages between quotation marks, in order."""
        words = cls(document.text)
        edges = [edge for passage in marked for edge in (passage.start, passage.end)]
        for block in document.spoken:
            first = len(words.spans)
            headline = 6 * (block.zone is not Zone.BODY)
            for match in WORD.finditer(document.text, block.start, block.end):
                word = match.group()
                shape = 2 if len(word) > 1 and word.isupper() else int(word[0].isupper())
                quoted = 3 * (bisect_right(edges, match.start()) % 2)
                words.spans.append(match.span())
                words.pieces.append(wordpieces(word))
                words.features.append(shape + quoted + headline)
            if len(words.spans) > first:
                words.paragraphs.append((first, len(words.spans)))
        return words

    def between(self, start: int, end: int) -> tuple[int, int]:
        """Return the first word that lies in `text[start:end]`, if only in part, and the one after the last."""
        first = bisect_right(self.spans, start, key=lambda span: span[1])
        return first, max(first, bisect_left(self.spans, end, key=lambda span: span[0]))

    def windows(self, size: int = WINDOW_PIECES) -> Iterator["Window"]:
        """Yield the windows of the article: paragraphs packed up to `size` pieces, longer ones cut."""
        waiting: list[tuple[int, int]] = []
        filled = 1
        for first, after in self._parts(size):
            length = 1 + sum(map(len, self.pieces[first:after]))
            if waiting and filled + length > size:
                yield self._window(waiting)
                waiting, filled = [], 1
            waiting.append((first, after))
            filled += length
        if waiting:
            yield self._window(waiting)

    def _parts(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield the paragraphs; those that are longer than a window in parts, cut after a sentence where one ends."""
        for first, after in self.paragraphs:
            start, filled, ended = first, 2, first
            for word in range(first, after):
                if filled + len(self.pieces[word]) > size:
                    # A cut in the first half would leave a window half empty.
                    cut = ended if ended > (start + word) // 2 else word
                    yield start, cut
                    start, filled = cut, 2 + sum(map(len, self.pieces[cut:word]))
                filled += len(self.pieces[word])
                if self.text[self.spans[word][0]] in ".!?":
                    ended = word + 1
            yield start, after

    def _window(self, parts: Sequence[tuple[int, int]]) -> "Window":
        return Window(self, [word for first, after in parts for word in range(first, after)], parts)


@dataclass(frozen=True, slots=True)
class Window:
    """A run of paragraphs that is encoded at once."""

    article: Words
    words: list[int]
    """Numbers of the article's words that lie in it, in order."""
    parts: Sequence[tuple[int, int]]

    def encoded(self, first: int, last: int) -> tuple[list[int], list[int], list[int]]:
        """Return piece numbers and features, one a piece, and for each word the place of its first piece.

        `first` opens the window, and `last` closes every paragraph.
        """
        pieces, features, places = [first], [0], []
        for start, after in self.parts:
            for word in range(start, after):
                places.append(len(pieces))
                pieces += self.article.pieces[word]
                features += [self.article.features[word]] * len(self.article.pieces[word])
            pieces.append(last)
            features.append(0)
        return pieces, features, places

    def offsets(self, first: int, after: int) -> Offsets:
        """Return where in the text the words of the window from `first` up to `after` stand."""
        return self.article.spans[self.words[first]][0], self.article.spans[self.words[after - 1]][1]
