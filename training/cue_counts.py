"""Count, on annotated articles, how often the words of each frame report: makes data/cue_counts.tsv of extraction.

    python -m training.cue_counts polnear.train.jsonl > services/extraction/data/cue_counts.tsv

A line of the input is one article: {"text", "quotes": [{"fragments": [[start, end], ...], "cue": {"start", "end"}}]}.
A candidate clause counts as right when an annotated quote shares its cue and half of their letters. Candidates inside
quotation marks, or inside the content of another annotated quote, are left out: the annotation never looks there.

Data card. Source: PolNeAR 1.0 (Newell, Margolin and Ruths 2018), training part: 840 articles on US politics, 2015 and
2016, 19,876 attributions. Shipped: two numbers a frame and word, no text. Known bias: US election news of two years.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spacy.tokens import Doc

from services.extraction import clauses, document, models, quotation, tokens, truecase
from services.extraction.cues import ANY

SEEN_OFTEN_ENOUGH = 3
"""How often a word must be seen in a frame to be listed when it was never right there."""

HEADER = (
    "# How often a word in a frame reports: frame, lemma, right, seen. Made by training/cue_counts.py of PolNeAR 1.0\n"
    "# (training articles; counts only). `*` sums up all words of the frame, those without a row included.\n"
)


def main(path: Path) -> None:
    """Write the table for the articles of `path` to standard output."""
    nlp = models.load(models.DEFAULT_MODELS["en"], {"tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer"})
    right: Counter[tuple[str, str]] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        parts = document.parse(article["text"])
        doc = nlp(tokens.open_sentences(parts, nlp.make_doc(truecase.readable(parts))))
        for report, is_right in judged(parts, doc, article["quotes"]):
            for key in ((report.frame, report.lemma), (report.frame, ANY)):
                seen[key] += 1
                right[key] += is_right

    def reports_often(frame: str) -> bool:
        """Return whether an unlisted word of the frame may be taken for a cue: only there a refusal needs a row."""
        return right[frame, ANY] >= 0.25 * seen[frame, ANY]

    sys.stdout.write(HEADER)
    for frame, lemma in sorted(seen):
        if right[frame, lemma] or (seen[frame, lemma] >= SEEN_OFTEN_ENOUGH and reports_often(frame)):
            sys.stdout.write(f"{frame}\t{lemma}\t{right[frame, lemma]}\t{seen[frame, lemma]}\n")


def judged(parts: document.Document, doc: Doc, quotes: list[dict[str, Any]]) -> Iterator[tuple[clauses.Report, bool]]:
    """Yield every candidate that stands where annotation may be, and whether it is annotated."""
    gold = [(_letters(parts.text, quote["fragments"]), quote["cue"]) for quote in quotes]
    closed = bytearray(len(parts.text))
    blocks = [(block.start, block.end) for block in parts.blocks]
    for start, end in [
        *((passage.start, passage.end) for passage in quotation.passages(parts.text, blocks)),
        *((start, end) for quote in quotes for start, end in quote["fragments"]),
    ]:
        closed[start:end] = b"\x01" * (end - start)
    for report in clauses.candidates(doc):
        if not closed[report.cue[0]]:
            letters = _letters(parts.text, report.content)
            yield report, any(_shares(cue, report.cue) and _overlap(letters, wanted) >= 0.5 for wanted, cue in gold)


def _letters(text: str, pieces: Any) -> frozenset[int]:
    return frozenset(at for start, end in pieces for at in range(start, end) if text[at].isalnum())


def _shares(cue: dict[str, int] | None, found: clauses.Offsets) -> bool:
    return cue is not None and cue["start"] < found[1] and found[0] < cue["end"]


def _overlap(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
