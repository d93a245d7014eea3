"""The tokens of a spaCy reading as plain lists: rules that look at every token cannot afford spaCy's objects."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from spacy.tokens import Doc

from services.extraction.document import Document


@dataclass(frozen=True, slots=True)
class Tokens:
    """One entry a token in every list. `heads` holds indices of tokens, `sentences` that of each sentence's first."""

    text: str
    """The text that spaCy was given."""
    texts: list[str]
    starts: list[int]
    ends: list[int]
    pos: list[str]
    deps: list[str]
    heads: list[int]
    sentences: list[int]

    @classmethod
    def of(cls, doc: Doc) -> Self:
        """Return the tokens of `doc`."""
        columns = doc.to_array(["ORTH", "SPACY", "POS", "DEP", "HEAD", "SENT_START"])
        orths, spaces, pos, deps, heads, opens = (columns[:, i].astype("int64").tolist() for i in range(6))
        texts = _strings(doc, orths)
        starts = _starts(texts, spaces)
        return cls(
            "".join([text + " " if space else text for text, space in zip(texts, spaces, strict=True)]),
            texts,
            starts,
            [start + len(text) for start, text in zip(starts, texts, strict=True)],
            _strings(doc, pos),
            _strings(doc, deps),
            [index + offset for index, offset in enumerate(heads)],
            list(accumulate((index if opening == 1 else 0 for index, opening in enumerate(opens)), max)),
        )


def _strings(doc: Doc, numbers: Sequence[int]) -> list[str]:
    """Return the strings of spaCy's numbers; each different one is looked up once."""
    known = {number: doc.vocab.strings[number % 2**64] for number in set(numbers)}
    return [known[number] for number in numbers]


def _starts(texts: Sequence[str], spaces: Sequence[int]) -> list[int]:
    """Return where each token begins, given the texts and whether a space follows each."""
    return list(accumulate((len(text) + space for text, space in zip(texts, spaces, strict=True)), initial=0))[:-1]


def tokens_of(tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """Return the first token between two offsets, and the one after the last."""
    first = bisect_left(tokens.ends, start + 1)
    return first, max(first + 1, bisect_left(tokens.starts, end))


def head_of(tokens: Tokens, first: int, last: int) -> int:
    """Return the token from `first` up to `last` that the others hang on.

    Where a parse leaves several, the last one, as names end with their head; but none that a preposition governs.
    """
    last = min(last, len(tokens.texts))
    free = [i for i in range(first, last) if not first <= tokens.heads[i] < last or tokens.heads[i] == i]
    governing = [i for i in free if tokens.deps[i] not in ("pobj", "prep", "punct", "case")]
    return (governing or free or [first])[-1]


def open_sentences(document: Document, doc: Doc) -> Doc:
    """Return `doc`, fresh from the tokenizer, with a sentence begun at every block of the document.

    A headline ends without a full stop: left alone, parser and NER read it as one sentence with the line below.
    """
    columns = doc.to_array(["ORTH", "SPACY"]).astype("int64")
    starts = _starts(_strings(doc, columns[:, 0].tolist()), columns[:, 1].tolist())
    for block in document.blocks:
        index = bisect_left(starts, block.start)
        if index < len(starts):
            doc[index].is_sent_start = True
    return doc
