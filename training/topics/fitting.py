"""The topics' model: two that see the same words differently, fitted apart and averaged, as their mistakes differ.

One knows words and pairs by name alone. The other knows words by their start embeddings alone, so that "riflemen",
which no headline has, speaks for what "soldiers" speaks for. What ships is one table with a row a gram.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from services.extraction.reader.wordpieces import WordPieces
from services.extraction.topics import HEADLINE, POSITION, grams
from training.topics.examples import Example

KINDS = (HEADLINE, POSITION)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The grams that have weights, and how rare each is."""

    grams: list[str]
    rarity: NDArray[np.float32]

    @classmethod
    def of(cls, texts: Sequence[str], further: Iterable[str], least_word: int, least_pair: int) -> "Vocabulary":
        """Return the words and pairs that stand in enough of `texts`, and `further` words that need not."""
        counts = Counter(gram for text in texts for gram in set(grams(text)))
        kept = {gram for gram, count in counts.items() if count >= (least_pair if " " in gram else least_word)}
        ordered = sorted(kept | set(further))
        rarity = [math.log((1 + len(texts)) / (1 + counts[gram])) + 1 for gram in ordered]
        # As the file keeps them: what is learned is learned on the numbers that are read with.
        return cls(ordered, np.array(rarity, dtype=np.float16).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Rows:
    """Examples as sparse rows: of each the grams with their values, one row after the other."""

    places: Tensor
    values: Tensor
    starts: Tensor
    kinds: Tensor

    @classmethod
    def of(cls, examples: Sequence[Example], vocabulary: Vocabulary, shares: Sequence[float]) -> "Rows":
        """Return the rows of `examples`; a stretch of text is as long as its share, whatever its words."""
        numbers = {gram: place for place, gram in enumerate(vocabulary.grams)}
        places: list[int] = []
        values: list[float] = []
        starts: list[int] = []
        memo: dict[str, tuple[list[int], NDArray[np.float32]]] = {}
        for each in examples:
            starts.append(len(places))
            for text, share in zip(each.stretches, shares if each.kind == POSITION else [1.0], strict=True):
                if text not in memo:
                    known = sorted({numbers[gram] for gram in grams(text) if gram in numbers})
                    rarity = vocabulary.rarity[known]
                    memo[text] = known, rarity / (np.sqrt((rarity * rarity).sum()) or 1.0)
                places += memo[text][0]
                values += (memo[text][1] * share).tolist()
        kinds = [KINDS.index(each.kind) for each in examples]
        return cls(torch.tensor(places), torch.tensor(values), torch.tensor(starts), torch.tensor(kinds))

    def times(self, table: Tensor) -> Tensor:
        """Return the product with a table that has a row for each gram."""
        return F.embedding_bag(self.places, table, self.starts, mode="sum", per_sample_weights=self.values)


def embeddings(vocabulary: Vocabulary, pieces: NDArray[np.float32], wordpieces: WordPieces) -> Tensor:
    """Return the start embedding of each word, of length one, less what all have in common; zero for pairs."""
    centred = pieces - pieces.mean(0)
    rows = np.zeros((len(vocabulary.grams), pieces.shape[1]), dtype=np.float32)
    for place, gram in enumerate(vocabulary.grams):
        if " " not in gram:
            row = centred[wordpieces(gram)].mean(0)
            rows[place] = row / np.linalg.norm(row)
    return torch.from_numpy(rows)


@dataclass(frozen=True, slots=True)
class Model:
    """Scores are rows @ direct + relu(rows @ hidden + hidden_bias) @ out + the bias of their kind."""

    direct: Tensor
    hidden: Tensor
    hidden_bias: Tensor
    out: Tensor
    biases: Tensor

    def probabilities(self, rows: Rows, sharpness: float = 1.0) -> Tensor:
        """Return the probability of each code for each row."""
        hidden = (rows.times(self.hidden) + self.hidden_bias).relu()
        return (sharpness * (rows.times(self.direct) + hidden @ self.out + self.biases[rows.kinds])).softmax(1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rows are about, and how much each counts."""

    codes: Tensor
    counts: Tensor
    classes: int


def by_name(rows: Rows, wanted: Wanted, grams: int, pull: float, steps: int) -> tuple[Tensor, Tensor]:
    """Return weights of each gram and biases of each kind: softmax regression, its weights pulled towards zero."""
    share = wanted.counts / wanted.counts.sum()
    weights = torch.zeros(grams, wanted.classes, requires_grad=True)
    biases = torch.zeros(len(KINDS), wanted.classes, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weights, biases], max_iter=steps, history_size=6, line_search_fn="strong_wolfe", tolerance_change=0.0
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        scores = rows.times(weights) + biases[rows.kinds]
        losses = share * F.cross_entropy(scores, wanted.codes, reduction="none")
        found = losses.sum() + pull / 2 * weights.square().sum()
        found.backward()
        return found

    optimiser.step(loss)
    return weights.detach(), biases.detach()


class Hidden(nn.Module):
    """One hidden layer over the embedding of a text, with a direct way past it."""

    def __init__(self, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(width, hidden), nn.Linear(hidden, classes, bias=False)
        self.direct = nn.Linear(width, classes, bias=False)
        self.biases = nn.Parameter(torch.zeros(len(KINDS), classes))
        self.before, self.within = nn.Dropout(0.1), nn.Dropout(0.2)

    def forward(self, texts: Tensor, kinds: Tensor) -> Tensor:
        """Return the scores of texts: (texts, classes)."""
        within: Tensor = self.within(self.into(self.before(texts)).relu())
        scores: Tensor = self.out(within) + self.direct(texts) + self.biases[kinds]
        return scores


@dataclass(frozen=True, slots=True)
class Course:
    """How the hidden layer is taught; see config.toml."""

    width: int
    scale: float
    epochs: int
    batch: int
    rate: float
    decay: float
    seed: int


def by_embedding(rows: Rows, wanted: Wanted, start: Tensor, course: Course) -> Hidden:
    """Return the hidden layer, taught with AdamW in batches."""
    torch.manual_seed(course.seed)
    texts = rows.times(start) * course.scale
    counts = wanted.counts / wanted.counts.mean()
    network = Hidden(texts.shape[1], course.width, wanted.classes)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=course.decay)
    steps = course.epochs * math.ceil(len(texts) / course.batch)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, course.rate, total_steps=steps, pct_start=0.1)
    for _ in range(course.epochs):
        for batch in torch.randperm(len(texts)).split(course.batch):
            scores = network(texts[batch], rows.kinds[batch])
            losses = counts[batch] * F.cross_entropy(scores, wanted.codes[batch], reduction="none")
            optimiser.zero_grad()
            losses.mean().backward()
            optimiser.step()
            rates.step()
    return network.eval()


def averaged(named: tuple[Tensor, Tensor], network: Hidden, start: Tensor, scale: float) -> Model:
    """Return both as one model: the mean of their scores, embeddings multiplied out into a row a gram."""
    weights, biases = named
    with torch.no_grad():
        return Model(
            direct=(weights + scale * start @ network.direct.weight.T) / 2,
            hidden=scale * start @ network.into.weight.T,
            hidden_bias=network.into.bias.clone(),
            out=network.out.weight.T / 2,
            biases=(biases + network.biases) / 2,
        )
