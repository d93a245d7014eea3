"""Words as the pieces that the encoder has embeddings for: greedy WordPiece (Schuster and Nakajima 2012), uncased.

The vocabulary is the encoder's own, without the pieces that news does not use; a word that needs one of these falls
apart into smaller pieces, down to single letters.
"""

import unicodedata
from collections.abc import Iterable

LONGEST_WORD = 60
"""Letters of a word beyond which it is unknown: a link or a hash, not a word. Bounds the cost of one word."""

MEMO_WORDS = 50_000
"""Words that are remembered with their pieces, before the memo starts anew: an archive has more, and those are rare."""


class WordPieces:
    """A vocabulary, and how words fall into it."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        """Take the pieces in the order of their numbers; "[UNK]", "[CLS]" and "[SEP]" must be among them."""
        self.numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self.unknown, self.first, self.last = (self.numbers[mark] for mark in ("[UNK]", "[CLS]", "[SEP]"))
        self._memo: dict[str, list[int]] = {}

    def __call__(self, word: str) -> list[int]:
        """Return the numbers of the pieces of `word`, one at least."""
        known = self._memo.get(word)
        if known is None:
            if len(self._memo) >= MEMO_WORDS:
                self._memo.clear()
            known = self._memo[word] = self._split(word)
        return known

    def _split(self, word: str) -> list[int]:
        plain = "".join(
            character
            for character in unicodedata.normalize("NFD", word.lower())
            if unicodedata.category(character) != "Mn"
        )
        if not plain or len(plain) > LONGEST_WORD:
            return [self.unknown]
        found: list[int] = []
        start = 0
        while start < len(plain):
            prefix = "##" if start else ""
            end = next((end for end in range(len(plain), start, -1) if prefix + plain[start:end] in self.numbers), None)
            if end is None:
                return [self.unknown]
            found.append(self.numbers[prefix + plain[start:end]])
            start = end
        return found
