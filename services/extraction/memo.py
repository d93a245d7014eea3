"""spaCy components whose word on a token follows from the token alone, asked once for each different token.

An attribute ruler matches all of its patterns at every token, and a lemmatiser tries its rules on every token; but what
both say of a token follows from a few attributes of it, and running text says the same words again and again. The two
components here stand in for spaCy's own, give exactly what those give, and forget everything when they have come to
know MEMO_TOKENS different tokens: the memory of a process that reads for weeks is bounded.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import DEP, LEMMA, MORPH, ORTH, POS, TAG, intify_attr  # type: ignore[import-not-found]  # compiled
from spacy.language import Language
from spacy.matcher import Matcher
from spacy.pipeline import AttributeRuler, Lemmatizer
from spacy.tokens import Doc

MEMO_TOKENS = 100_000
"""Different tokens that a component remembers, at 250 bytes each at most."""

LOOKED_AT = frozenset({"ORTH", "TEXT", "LOWER", "NORM", "SHAPE", "IS_SPACE", "IS_PUNCT", "TAG", "POS", "DEP", "LEMMA"})
"""What the patterns of a ruler may look at for it to be remembered: attributes of a token that are numbers."""

SET = (TAG, POS, MORPH, LEMMA, DEP)
"""What it may set."""

MODES = frozenset({"rule", "lookup"})
"""Modes of a lemmatiser that look at word, part of speech and morphology, and at nothing else."""

Numbers = NDArray[np.uint64]
Pattern = list[dict[str, Any]]


def memoise(nlp: Language) -> None:
    """Put the components of this module in the place of those of `nlp` that they can stand in for."""
    for stand_in, name, can in (
        ("memoised_attribute_ruler", "attribute_ruler", _is_simple),
        ("memoised_lemmatizer", "lemmatizer", lambda lemmatizer: lemmatizer.mode in MODES),
    ):
        if nlp.has_pipe(name) and can(nlp.get_pipe(name)):
            nlp.add_pipe(stand_in, after=name)
            nlp.disable_pipe(name)


class _Memo:
    """Rows of numbers by the row of attributes that each follows from."""

    def __init__(self, looked_at: Sequence[int], width: int) -> None:
        self._looked_at: list[int | str] = list(looked_at)
        self._width = width
        self._known: dict[bytes, bytes] = {}

    def keys(self, doc: Doc) -> list[bytes]:
        """Return the attributes that are looked at, one entry a token."""
        rows = np.ascontiguousarray(doc.to_array(self._looked_at), dtype=np.uint64).reshape(len(doc), -1)
        keys: list[bytes] = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel().tolist()
        return keys

    def rows(self, keys: Sequence[bytes], compute: Callable[[int], Sequence[int]]) -> Numbers:
        """Return one row a key; `compute` gives the row for the key at an index, when it is not known."""
        found = list(map(self._known.get, keys))
        rows = [self._learn(keys[index], compute, index) if row is None else row for index, row in enumerate(found)]
        return np.frombuffer(b"".join(rows), dtype=np.uint64).reshape(-1, self._width).copy()

    def _learn(self, key: bytes, compute: Callable[[int], Sequence[int]], index: int) -> bytes:
        if (row := self._known.get(key)) is None:  # it may have been learnt a few tokens before
            if len(self._known) >= MEMO_TOKENS:
                self._known.clear()
            row = self._known[key] = np.array(compute(index), dtype=np.uint64).tobytes()
        return row


class MemoisedRuler:
    """An attribute ruler that remembers what its patterns of one token say.

    Patterns of several tokens are tried where their first token stands, which is seldom.
    """

    def __init__(self, ruler: AttributeRuler) -> None:
        """Stand in for `ruler`, whose patterns must be simple."""
        self._attributes = ruler.attrs
        self._indices = ruler.indices
        self._single, self._first, self._several = (Matcher(ruler.vocab) for _ in range(3))
        self._strings = ruler.vocab.strings
        self._longest = 1
        looked_at = set()
        for number, pattern in _patterns(ruler):
            looked_at |= {intify_attr(name) for token in pattern for name in token}
            self._longest = max(self._longest, len(pattern))
            if len(pattern) == 1:
                self._single.add(str(number), [pattern])
            else:
                self._first.add(str(number), [pattern[:1]])
                self._several.add(str(number), [pattern])
        self._memo = _Memo([*sorted(looked_at - set(SET)), *SET], len(SET) + 1)

    def __call__(self, doc: Doc) -> Doc:
        """Set the attributes of every token of `doc`."""
        if not len(doc):
            return doc
        rows = self._memo.rows(self._memo.keys(doc), lambda index: self._row(doc, index, self._rules(doc, index)))
        for index, numbers in self._from_several(doc, np.flatnonzero(rows[:, -1]).tolist()).items():
            rows[index] = self._row(doc, index, sorted({*self._rules(doc, index), *numbers}))
        doc.from_array(list(SET), cast(Any, rows[:, :-1]))
        return doc

    def _row(self, doc: Doc, index: int, rules: Sequence[int]) -> list[int]:
        """Return what a token's attributes are after `rules`, and whether a pattern of several may begin there."""
        token = doc[index]
        row = dict(zip(SET, (token.tag, token.pos, cast(Any, token.morph).key, token.lemma, token.dep), strict=True))
        for rule in rules:  # in their order: later ones win
            row |= self._attributes[rule]
        return [*(row[attribute] for attribute in SET), bool(self._found(self._first, doc, index, index + 1))]

    def _rules(self, doc: Doc, index: int) -> list[int]:
        return sorted({rule for rule, _ in self._found(self._single, doc, index, index + 1)})

    def _from_several(self, doc: Doc, begins: Sequence[int]) -> dict[int, list[int]]:
        """Return the rules of several tokens by the token that each is about."""
        rules = defaultdict(list)
        for begin in begins:
            for rule, length in self._found(self._several, doc, begin, min(begin + self._longest, len(doc))):
                index = self._indices[rule]
                rules[begin + (index if index >= 0 else length + index)].append(rule)
        return rules

    def _found(self, matcher: Matcher, doc: Doc, start: int, end: int) -> list[tuple[int, int]]:
        """Return the rules that match from `start` on, each with how many tokens it takes."""
        matches = matcher(doc[start:end], allow_missing=True) if len(matcher) else []
        return [(int(self._strings[name]), after) for name, first, after in matches if first == 0]


class MemoisedLemmatizer:
    """A lemmatiser that remembers the lemma of a word with its part of speech and morphology."""

    def __init__(self, lemmatizer: Lemmatizer) -> None:
        """Stand in for `lemmatizer`."""
        self._lemmatizer = lemmatizer
        self._memo = _Memo((ORTH, POS, MORPH, LEMMA), 1)

    def __call__(self, doc: Doc) -> Doc:
        """Set the lemma of every token of `doc`."""
        if len(doc):
            lemmas = self._memo.rows(self._memo.keys(doc), lambda index: [self._lemma(doc, index)])
            doc.from_array([LEMMA], cast(Any, lemmas))
        return doc

    def _lemma(self, doc: Doc, index: int) -> int:
        token = doc[index]
        if token.lemma and not self._lemmatizer.overwrite:
            return int(token.lemma)
        lemma = self._lemmatizer.lemmatize(token)[0]
        self._lemmatizer.cache.clear()  # it has a memo of its own, without bounds
        return int(doc.vocab.strings.add(lemma))


@Language.factory("memoised_attribute_ruler")
def _ruler(nlp: Language, name: str) -> MemoisedRuler:
    return MemoisedRuler(cast(AttributeRuler, nlp.get_pipe("attribute_ruler")))


@Language.factory("memoised_lemmatizer")
def _lemmatizer(nlp: Language, name: str) -> MemoisedLemmatizer:
    return MemoisedLemmatizer(cast(Lemmatizer, nlp.get_pipe("lemmatizer")))


def _patterns(ruler: AttributeRuler) -> Iterator[tuple[int, Pattern]]:
    """Yield the patterns of a ruler, each with the number of its rule."""
    for number, rule in enumerate(ruler.patterns):
        for pattern in cast(list[Pattern], rule["patterns"]):
            yield number, pattern


def _is_simple(ruler: Any) -> bool:
    """Whether each pattern is a run of tokens, one a description, of what LOOKED_AT and SET name."""
    names = {name.upper() for _, pattern in _patterns(ruler) for token in pattern for name in token}
    settable = {attribute for attributes in ruler.attrs for attribute in attributes}
    return bool(ruler.attrs) and names <= LOOKED_AT and settable <= set(SET)
