"""Teach the topics: `python -m training.topics.train --data FOLDER --out FILE`; see training/topics/README.md.

With `--try` it leaves out the newest year of headlines and a fifth of the articles, prints how these fare, and how
sharp the scores of positions must be for them to be probabilities: that chose the values of config.toml. Without, it
fits everything and writes the file.
"""

import argparse
import hashlib
import json
import tomllib
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from services.extraction.reader.wordpieces import WordPieces
from services.extraction.topics import GRAMS, HEADLINE, POSITION, RARITY, SETTINGS, WEIGHTS
from training.reader.export import EPOCH
from training.reader.train import start_folder, start_pieces
from training.topics import examples, fitting
from training.topics.examples import Example
from training.topics.fitting import KINDS, Course, Model, Rows, Vocabulary, Wanted

WORD_LETTERS = 3
"""Least letters of a word that is kept for its embedding alone: shorter ones are pieces of words."""

SHARPNESS = np.arange(0.5, 2.01, 0.05)
THRESHOLDS = (0.0, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7)

FIRST_MEDIA_CODE = 24
"""CAP's codes from here on are for news that is no policy; no position is about these."""

ENOUGH_POSITIONS = 30
"""From so many on a topic's positions tell how often it comes."""

EMBEDDINGS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; config.toml holds the values of the shipped weights, and says why."""

    least_texts_word: int
    least_texts_pair: int
    pull: float
    steps: int
    half_life_years: float
    position_weight: float
    shares: list[float]
    sharpness: float
    least: float
    held_out_year: int
    course: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """The start weights: word pieces and their embeddings."""

    wordpieces: WordPieces
    pieces: "np.typing.NDArray[np.float32]"
    words: list[str]

    @classmethod
    def load(cls) -> "Start":
        """Return those of MiniLM."""
        wordpieces = start_pieces()
        words = [name for name in wordpieces.numbers if name.isascii() and name.isalpha() and len(name) >= WORD_LETTERS]
        tensors = load_file(start_folder() / "model.safetensors")
        (pieces,) = (tensor for name, tensor in tensors.items() if name.endswith(EMBEDDINGS))
        return cls(wordpieces, pieces.astype(np.float32), words)


def fitted(learned: Sequence[Example], codes: Sequence[str], start: Start, recipe: Recipe) -> tuple[Vocabulary, Model]:
    """Return the model of some examples, with its vocabulary."""
    texts = sorted({text for each in learned for text in each.stretches})
    vocabulary = Vocabulary.of(texts, start.words, recipe.least_texts_word, recipe.least_texts_pair)
    rows = Rows.of(learned, vocabulary, recipe.shares)
    wanted = Wanted(
        torch.tensor([codes.index(each.code) for each in learned]),
        torch.tensor(examples.weights(learned, recipe.half_life_years, recipe.position_weight)),
        len(codes),
    )
    named = fitting.by_name(rows, wanted, len(vocabulary.grams), recipe.pull, recipe.steps)
    vectors, course = fitting.embeddings(vocabulary, start.pieces, start.wordpieces), Course(**recipe.course)
    network = fitting.by_embedding(rows, wanted, vectors, course)
    model = fitting.averaged(named, network, vectors, course.scale)
    _raise_rare(model, learned, codes)
    return vocabulary, model


def _raise_rare(model: Model, learned: Sequence[Example], codes: Sequence[str]) -> None:
    """Let no policy topic come more rarely in positions than the rarest that was seen often enough.

    Public lands and culture have a handful of positions in the articles, and would never be named.
    """
    counts = Counter(each.code for each in learned if each.kind == POSITION)
    policy = [place for place, code in enumerate(codes) if int(code) < FIRST_MEDIA_CODE]
    biases = model.biases[KINDS.index(POSITION)]
    least = min(biases[place].item() for place in policy if counts[codes[place]] >= ENOUGH_POSITIONS)
    biases[policy] = biases[policy].clamp(min=least)


def right(probabilities: torch.Tensor, wanted: torch.Tensor) -> tuple[float, float]:
    """Return how often, in percent, the likeliest code is right, and one of the two likeliest."""
    best = probabilities.topk(2, dim=1).indices == wanted[:, None]
    return 100 * best[:, 0].float().mean().item(), 100 * best.any(1).float().mean().item()


def tested(held: Sequence[Example], codes: Sequence[str], vocabulary: Vocabulary, model: Model, recipe: Recipe) -> None:
    """Print how examples fare that were not learned from, and which sharpness fits those of positions best."""
    for kind in KINDS:
        group = [each for each in held if each.kind == kind]
        rows = Rows.of(group, vocabulary, recipe.shares)
        wanted = torch.tensor([codes.index(each.code) for each in group])
        top, two = right(model.probabilities(rows), wanted)
        print(f"held out: {len(group)} {kind}s, best right {top:.1f} %, one of two right {two:.1f} %")
        if kind == POSITION:
            losses = {
                float(each): torch.nn.functional.nll_loss(model.probabilities(rows, float(each)).log(), wanted).item()
                for each in SHARPNESS
            }
            sharpness = round(min(losses, key=losses.__getitem__), 2)
            _print_thresholds(model.probabilities(rows, sharpness), wanted, sharpness)


def _print_thresholds(probabilities: torch.Tensor, wanted: torch.Tensor, sharpness: float) -> None:
    best = probabilities.max(1)
    hits = best.indices == wanted
    print(f"positions, sharpness {sharpness}: from which probability on a topic is named, how many are, how many right")
    for one, next_one in zip(THRESHOLDS, (*THRESHOLDS[1:], 1.01), strict=True):
        named = best.values >= one
        bin_ = named & (best.values < next_one)
        inside = f"{100 * hits[bin_].float().mean():.0f} %" if bin_.any() else "none"
        print(
            f"  {one:.2f}: {100 * named.float().mean():.0f} % named, {100 * hits[named].float().mean():.1f} % right;"
            f" below the next {bin_.sum()}, {inside} right"
        )


def write(path: Path, vocabulary: Vocabulary, model: Model, codes: Sequence[str], recipe: Recipe) -> str:
    """Write the file that the service reads, its table in eight bits; return its SHA-256."""
    table = torch.cat([model.direct, model.hidden], dim=1)
    steps = [float(part.abs().max()) / 127 for part in (model.direct, model.hidden)]
    scale = torch.tensor(steps).repeat_interleave(torch.tensor([len(codes), model.hidden.shape[1]]))
    rounded = (table / scale).round().to(torch.int8).numpy()
    settings: dict[str, Any] = {
        "codes": list(codes),
        "steps": steps,
        "biases": {kind: _rounded(model.biases[KINDS.index(kind)]) for kind in KINDS},
        "hidden_bias": _rounded(model.hidden_bias),
        "out": [_rounded(row) for row in model.out],
        "shares": recipe.shares,
        "sharpness": recipe.sharpness,
        "least": recipe.least,
    }
    members = {
        GRAMS: "\n".join(vocabulary.grams).encode(),
        RARITY: vocabulary.rarity.astype("<f2").tobytes(),
        WEIGHTS: rounded.tobytes(),
        SETTINGS: json.dumps(settings).encode(),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rounded(numbers: torch.Tensor) -> list[float]:
    return [round(each, 4) for each in numbers.tolist()]


def main() -> None:
    """Fit, and test or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=Path)
    action.add_argument("--try", dest="test", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)  # sums in one order: the same data make the same file
    recipe = Recipe(**tomllib.loads((Path(__file__).parent / "config.toml").read_text(encoding="utf-8")))
    every = examples.headlines(options.data / examples.HEADLINES, recipe.held_out_year)
    every += examples.positions(options.data / examples.POSITIONS)
    codes = sorted({each.code for each in every if each.kind == HEADLINE}, key=int)
    learned = [each for each in every if not (options.test and each.held_out)]
    vocabulary, model = fitted(learned, codes, Start.load(), recipe)
    if options.test:
        tested([each for each in every if each.held_out], codes, vocabulary, model, recipe)
    else:
        print(write(options.out, vocabulary, model, codes, recipe), options.out.stat().st_size)


if __name__ == "__main__":
    main()
