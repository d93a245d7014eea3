"""The tokens of a spaCy reading as plain lists: rules that look at every token cannot afford spaCy's objects."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Self

from spacy.attrs import DEP, HEAD, POS, SENT_START
from spacy.tokens import Doc

from services.extraction.document import Document


@dataclass(frozen=True, slots=True)
class Tokens:
    """One entry a token in every list. `heads` holds indices of tokens; `sentences` of each token's first of sentence."""

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
        texts = [token.text for token in doc]
        starts = [token.idx for token in doc]
        columns = doc.to_array([POS, DEP, HEAD, SENT_START])
        pos, deps = (columns[:, i].tolist() for i in range(2))
        offsets, opens = (columns[:, i].astype("int64").tolist() for i in (2, 3))
        names = {number: doc.vocab.strings[number] for number in {*pos, *deps}}
        sentences, first = [], 0
        for index, opening in enumerate(opens):
            if opening == 1:
                first = index
            sentences.append(first)
        return cls(
            texts,
            starts,
            [start + len(text) for start, text in zip(starts, texts, strict=True)],
            [names[number] for number in pos],
            [names[number] for number in deps],
            [index + offset for index, offset in enumerate(offsets)],
            sentences,
        )


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
    starts = [token.idx for token in doc]
    for block in document.blocks:
        index = bisect_left(starts, block.start)
        if index < len(starts):
            doc[index].is_sent_start = True
    return doc
