"""Fit the weights that tell policy positions from other stands: makes data/position_weights.tsv of extraction.

    python -m training.position_weights positions_news.train.jsonl > services/extraction/data/position_weights.tsv

A line of the input is one article with its positions. A candidate is right when an annotated position in its sentence
has its stance, half of its target's words, and its holder (the same words, or the same last name). Candidates that only
match an annotation marked `optional` are left out.

Logistic regression by gradient descent over sparse features, with an L2 penalty, in plain numpy and in a fixed order:
the same input gives the same table on every machine.

Data card. Source: positions_news.train, 1,116 US and international news articles, 10,361 positions marked by reading
under the definition of docs/positions.md. Shipped: one number a word or pattern seen five times or more, no text.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language

from services.extraction import models, positions, quotes, truecase
from services.extraction.coreference import Coreference
from services.extraction.document import parse
from services.extraction.pipeline import WORDS
from services.extraction.tokens import open_sentences

LEAST_SEEN = 5
"""How often a feature must occur to have a weight: rarer ones only learn their examples by heart."""

L2 = 1.5
"""Strength of the penalty; best of 0.3 to 2.5 on the last 216 articles when fitted on the first 900."""

STEPS = 300
"""Steps of Adam on all examples at once; weights no longer change in their second digit."""

STOP_WORDS = frozenset(
    {"a", "an", "the", "of", "to", "for", "in", "on", "at", "by", "with", "and", "or", "be", "is", "are"}
    | {"that", "this", "its", "their", "his", "her", "our", "your"}
)
Labelled = tuple[set[str], bool]


def main(path: Path) -> None:
    """Write the table for the articles of `path` to standard output."""
    nlp = models.load(models.DEFAULT_MODELS["en"], WORDS)
    lines = path.read_text(encoding="utf-8").splitlines()
    examples = [example for line in lines for example in labelled(nlp, json.loads(line))]
    sys.stdout.write("# Weights of a logistic model: feature, weight. Made by training/position_weights.py.\n")
    for feature, weight in sorted(fit(examples).items()):
        sys.stdout.write(f"{feature}\t{weight:.3f}\n")


def labelled(nlp: Language, article: dict[str, Any]) -> list[Labelled]:
    """Return the candidates of an annotated article, and whether each is right."""
    document = parse(article["text"])
    doc = nlp(open_sentences(document, nlp.make_doc(truecase.readable(document))))
    coreference = Coreference(document, doc, article["doc_id"])
    spoken = quotes.extract(document, doc, coreference)
    found = []
    for stated, features in positions.candidates(document, doc, coreference, spoken):
        matches = [gold for gold in article["positions"] if is_match(article["text"], stated, gold)]
        if any(not gold.get("optional") for gold in matches):
            found.append((features, True))
        elif not matches:
            found.append((features, False))
    return found


def is_match(text: str, stated: positions.Stated, gold: dict[str, Any]) -> bool:
    """Return whether an annotated position is the stated one, by the rules of the evaluation."""
    evidence, target = gold["evidence"], gold["target"]
    if gold["stance"] != stated.stance or not _meets(evidence, stated.evidence):
        return False
    return _same_target(target["text"], text[slice(*stated.target)]) and _same_holder(text, stated, gold)


def _meets(span: dict[str, Any], offsets: tuple[int, int]) -> bool:
    return bool(span["start"] < offsets[1] and offsets[0] < span["end"])


def _same_target(wanted: str, found: str) -> bool:
    one, other = Counter(_words(wanted)), Counter(_words(found))
    return 2 * (one & other).total() >= 0.5 * (one.total() + other.total()) > 0


def _same_holder(text: str, stated: positions.Stated, gold: dict[str, Any]) -> bool:
    holder = gold["holder"]
    if holder is None or stated.holder is None:
        return holder is None and stated.holder is None
    if _meets(holder, stated.holder):
        return True
    wanted = {_words(name)[-1] for name in (holder["text"], gold.get("holder_resolved")) if name and _words(name)}
    names = (text[slice(*stated.holder)], stated.entity.name if stated.entity is not None else "")
    return any(_words(name)[-1] in wanted for name in names if _words(name))


def _words(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [word for word in words if word not in STOP_WORDS] or words


def fit(examples: list[Labelled]) -> dict[str, float]:
    """Return a weight a feature that is seen often enough."""
    seen = Counter(feature for features, _ in examples for feature in features)
    names = sorted(feature for feature, times in seen.items() if times >= LEAST_SEEN)
    index = {name: position for position, name in enumerate(names)}
    rows, columns = [], []
    for row, (features, _) in enumerate(examples):
        for feature in sorted(features):
            if feature in index:
                rows.append(row)
                columns.append(index[feature])
    row_of, column_of = np.array(rows), np.array(columns)
    right = np.array([is_right for _, is_right in examples], dtype=float)
    weights = np.zeros(len(names))
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):  # Adam, on all examples at once
        score = np.bincount(row_of, weights[column_of], minlength=len(right))
        error = 1 / (1 + np.exp(-score)) - right
        gradient = np.bincount(column_of, error[row_of], minlength=len(names)) + L2 * weights
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weights -= 0.05 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return dict(zip(names, weights.tolist(), strict=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
