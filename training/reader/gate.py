"""Fit the words that tell policy positions from other stands: `python -m training.reader.gate FILE --share 0.33333`.

FILE are the weights of a network that was taught with that share of the articles (training.reader.train --share). It
reads the others, its stands are judged by their annotations, and a logistic model is fitted to tell right ones from
wrong ones by the network's own numbers and by words. The words' weights are services/extraction/data/gate.tsv.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from services.extraction import gate
from services.extraction.reader.network import Network
from services.extraction.stands import Stand
from training.reader import gold
from training.reader.calibrate import judged_stands
from training.reader.gold import POSITIONS
from training.reader.train import to_learn_from

LEAST_STANDS = 5
"""In how many stands a word must occur to have a weight."""

PULL = 20.0
"""Strength of the pull of weights towards zero; chosen by cross-validation over the articles that the network reads."""

STEPS = 200

HEAD = """# How much a word speaks for a policy position, by the part of a stand that it is in: logarithms of odds.
# Fitted by training/reader/gate.py; see the data card in training/README.md.
"""


@dataclass(frozen=True, slots=True)
class Stands:
    """Stands with their words and whether they are right."""

    words: list[frozenset[str]]
    evidence: Tensor
    """(stands, numbers), scaled to a mean of 0 and a spread of 1."""
    right: Tensor


def read(file: Path, data: Path, share: float) -> Stands:
    """Return the stands that the network in `file` takes in the articles that it has not learned from."""
    network = Network(file)
    score = gold.module(data / POSITIONS / "score.py")
    rows = gold.annotated(data)
    every, known = (set(to_learn_from(rows, each)) for each in (1.0, share))
    judged: list[tuple[str, Stand, bool]] = []
    for name in sorted(every - known):
        if (row := rows[POSITIONS].get(name)) is not None:
            words = gold.words_of(row["text"], row.get("title"), network.wordpieces)
            judged += [(row["text"], stand, right) for stand, right in judged_stands(score, row, network.read(words))]
    numbers = torch.tensor([stand.evidence for _, stand, _ in judged])
    return Stands(
        [frozenset(gate.words(text, stand.cue, stand.holder, stand.target)) for text, stand, _ in judged],
        (numbers - numbers.mean(0)) / numbers.std(0).clamp(min=1e-6),
        torch.tensor([float(right) for _, _, right in judged]),
    )


def fit(stands: Stands) -> dict[str, float]:
    """Return the weight of each word; those of the network's numbers are not kept, as another network has others."""
    counts = Counter(word for words in stands.words for word in words)
    places = {word: place for place, word in enumerate(sorted(word for word in counts if counts[word] >= LEAST_STANDS))}
    known = [[places[word] for word in sorted(words) if word in places] for words in stands.words]
    starts = torch.tensor([0, *map(len, known[:-1])]).cumsum(0)
    flat = torch.tensor([place for each in known for place in each])
    weights = torch.zeros(len(places), 1, requires_grad=True)
    numbers = torch.zeros(stands.evidence.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, numbers, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        scores = F.embedding_bag(flat, weights, starts, mode="sum")[:, 0] + stands.evidence @ numbers + bias
        missed = F.binary_cross_entropy_with_logits(scores, stands.right, reduction="sum")
        found = missed + PULL / 2 * weights.square().sum()
        found.backward()
        return found

    optimiser.step(loss)
    return {word: round(weights[place].item(), 2) for word, place in places.items()}


def table(weights: dict[str, float]) -> Sequence[str]:
    """Return the lines of the table; words whose weight is nothing are left out."""
    return [f"{word}\t{weight:.2f}" for word, weight in weights.items() if abs(weight) >= 0.01]


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--share", type=float, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--out", type=Path, default=Path("services/extraction/data/gate.tsv"))
    options = parser.parse_args()
    stands = read(options.file, options.data, options.share)
    print(f"{len(stands.words)} stands, {100 * stands.right.mean():.0f} % right")
    lines = table(fit(stands))
    options.out.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} words")


if __name__ == "__main__":
    main()
