"""Examples as tensors: windows of articles, with what the network is to answer for each."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import WINDOW_PIECES, Window
from training.reader.gold import TASKS, Example, Predicate
from training.reader.network import CONTENT, CONTENT_BEGINS, CUE, SOURCE, SOURCE_BEGINS

SIZES = 74, 256
"""Pieces of the smallest and the largest window that is learned from; those that are read are in between."""

IGNORED = -100
"""Label that no loss is computed for."""


@dataclass(slots=True)
class Sample:
    """One window with its labels; a candidate is (word in the window, number of the task, class or IGNORED)."""

    pieces: list[int]
    features: list[int]
    places: list[int]
    cues: list[list[int]]
    """Class of every word, for each task."""
    candidates: list[tuple[int, int, int]]
    roles: list[list[int]]
    edges: list[list[list[int]]]
    """For each candidate and each of the four pointers, the words that it may point to."""


@dataclass(slots=True)
class Batch:
    """Samples padded to one size. Shapes: see network.py."""

    pieces: Tensor
    features: Tensor
    places: Tensor
    seen: Tensor
    seen_words: Tensor
    cues: Tensor
    candidates: Tensor
    """(candidates, 4): window, word, task, class."""
    roles: Tensor
    edges: Tensor
    """(candidates, 4, words): probability that a pointer should give each word."""


def samples(example: Example, wordpieces: WordPieces, rng: random.Random | None = None) -> Iterator[Sample]:
    """Yield the windows of an example; of random size with `rng`, as a cue should not depend on where a window ends."""
    size = rng.randint(*SIZES) if rng else WINDOW_PIECES
    for window in example.words.windows(size):
        yield _sample(window, example, wordpieces)


def _sample(window: Window, example: Example, wordpieces: WordPieces) -> Sample:
    pieces, features, places = window.encoded(wordpieces.first, wordpieces.last)
    at = {word: index for index, word in enumerate(window.words)}
    found = Sample(pieces, features, places, [], [], [], [])
    for number, task in enumerate(TASKS):
        labels = [0 if task in example.predicates else IGNORED] * len(window.words)
        for predicate in example.predicates.get(task, ()):
            if predicate.anchor not in at:
                continue
            cls = IGNORED if predicate.optional else predicate.cls
            labels[at[predicate.anchor]] = cls
            found.candidates.append((at[predicate.anchor], number, cls))
            found.roles.append(_roles(predicate, at, len(window.words)))
            found.edges.append(_edges(predicate, at, task))
        found.cues.append(labels)
    return found


def _roles(predicate: Predicate, at: dict[int, int], length: int) -> list[int]:
    roles = [0] * length
    for word in range(*predicate.cue):
        if word in at:
            roles[at[word]] = CUE
    for spans, begins, inside in (
        (predicate.contents, CONTENT_BEGINS, CONTENT),
        (predicate.sources, SOURCE_BEGINS, SOURCE),
    ):
        for first, after in spans:
            for word in range(first, after):
                if word in at:
                    roles[at[word]] = begins if word == first else inside
    return roles


def _edges(predicate: Predicate, at: dict[int, int], task: str) -> list[list[int]]:
    """Return the words that each pointer may point to: the cue where there is nothing in the window."""
    contents = predicate.contents
    if task == "quotes" and contents:  # its fragments are one quote, from the first word to the last
        contents = {(min(first for first, _ in contents), max(after for _, after in contents))}
    found = []
    for spans in (predicate.sources, contents):
        for words in ([first for first, _ in spans], [after - 1 for _, after in spans]):
            inside = [at[word] for word in words if word in at]
            found.append(inside or [at[predicate.anchor]])
    return found


def collate(batch: Sequence[Sample]) -> Batch:
    """Return samples as tensors."""
    length, words = max(len(each.pieces) for each in batch), max(len(each.places) for each in batch)
    rows = [(row, word, task, cls) for row, each in enumerate(batch) for word, task, cls in each.candidates]
    edges = torch.zeros(len(rows), 4, words)
    for number, candidate in enumerate(edge for each in batch for edge in each.edges):
        for pointer, targets in enumerate(candidate):
            edges[number, pointer, targets] = 1 / len(set(targets))
    return Batch(
        pieces=torch.tensor([_padded(each.pieces, length, 0) for each in batch]),
        features=torch.tensor([_padded(each.features, length, 0) for each in batch]),
        places=torch.tensor([_padded(each.places, words, 0) for each in batch]),
        seen=torch.tensor([_padded([True] * len(each.pieces), length, False) for each in batch]),
        seen_words=torch.tensor([_padded([True] * len(each.places), words, False) for each in batch]),
        cues=torch.tensor([[_padded(labels, words, IGNORED) for labels in each.cues] for each in batch]),
        candidates=torch.tensor(rows, dtype=torch.long).view(-1, 4),
        roles=torch.tensor(
            [_padded(each, words, IGNORED) for sample in batch for each in sample.roles], dtype=torch.long
        ).view(-1, words),
        edges=edges,
    )


def _padded(values: list[int], length: int, filling: int) -> list[int]:
    return values + [filling] * (length - len(values))


def epoch(
    examples: Sequence[Example], wordpieces: WordPieces, pieces_a_batch: int, rng: random.Random
) -> list[list[Sample]]:
    """Return the batches of one epoch, in random order: windows of like length together, as padding costs time."""
    windows = [sample for example in examples for sample in samples(example, wordpieces, rng)]
    rng.shuffle(windows)
    batches: list[list[Sample]] = []
    for start in range(0, len(windows), 256):
        pool = sorted(windows[start : start + 256], key=lambda each: len(each.pieces))
        batch: list[Sample] = []
        for sample in pool:
            if batch and (len(batch) + 1) * len(sample.pieces) > pieces_a_batch:
                batches.append(batch)
                batch = []
            batch.append(sample)
        batches.append(batch)
    rng.shuffle(batches)
    return batches
