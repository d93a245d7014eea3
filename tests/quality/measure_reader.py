# ruff: noqa: T201  # prints are what this module is for
"""Measure what each part of the reading of quotes and positions brings: `python -m tests.quality.measure_reader`.

Needs the folder `../shared` beside the project. Reads the development sets again and again, each time with one part
left out, and prints the scores as a table. `--weights FILE` adds a row for another file of weights, for example one in
32 bits (`python -m training.reader.export RUN FILE --fp32`). `--thresholds` prints a row for each of several thresholds
instead, and `--held-out` reads the articles that are held out from training, which choose between them.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from schemas import RawArticle
from services.extraction.pipeline import Pipeline
from services.extraction.reader.network import Network
from services.extraction.thresholds import DEFAULT, Thresholds
from training.reader import gold

GOLD = Path(__file__).parents[2].parent / "shared" / "eval"
QUOTES, POSITIONS, TEXTBOOK = "quotes/polnear.dev", "positions/positions_news.dev", "positions/plover_policy.dev"

EXTRACTION = "services.extraction"
PARTS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "arguments by edges alone": {f"{EXTRACTION}.reader.spans.ROLE_WEIGHT": 0.0},
    "arguments by roles alone": {f"{EXTRACTION}.reader.spans.ROLE_WEIGHT": 100.0},
    "no second look at the cue": {f"{EXTRACTION}.reader.network.SECOND_LOOK": 0.0},
    "no say for words": {f"{EXTRACTION}.gate.score": lambda text, cue, holder, target: 0.0},
    "no mending by quotation marks": {f"{EXTRACTION}.borders.mend": lambda text, pieces, marked: list(pieces)},
    "no quotes from marks": {f"{EXTRACTION}.quotes._with_marked": lambda found, marked, cues: None},
    "no grammar of assertion": {
        f"{EXTRACTION}.assertion.is_asserted": lambda cue: True,
        f"{EXTRACTION}.assertion.modality": lambda cue, read: read,
    },
    "no coordinated holders": {f"{EXTRACTION}.holders._coordinated": lambda doc, holder: iter([holder])},
    "targets with their subjects": {f"{EXTRACTION}.targets._without_subject": lambda offsets, target: offsets},
    "targets in their wraps": {f"{EXTRACTION}.targets._unwrapped": lambda offsets, target: offsets},
    "no coordinated targets": {f"{EXTRACTION}.targets._coordinated": lambda offsets, target: iter([offsets])},
    "no nested requests": {f"{EXTRACTION}.positions.nested": lambda doc, stand: iter(())},
    "no nouns that name holders": {f"{EXTRACTION}.holders._named_by_cue": lambda cue: None},
}
"""What is replaced by what, to leave a part out."""


THRESHOLDS = (
    Thresholds(0.3, 0.3, 0.2),
    Thresholds(0.4, 0.4, 0.25),
    Thresholds(0.4, 0.5, 0.3),
    DEFAULT,
    Thresholds(0.4, 0.7, 0.4),
    Thresholds(0.5, 0.5, 0.5),
    Thresholds(0.5, 0.6, 0.6),
)
"""One for all quotes, and ever more for thoughts; for positions from many to few."""

Rows = list[dict[str, Any]]


def development() -> list[Rows]:
    """Return the annotated articles of each development set."""
    return [list(gold.load(GOLD / f"{name}.jsonl").values()) for name in (QUOTES, POSITIONS, TEXTBOOK)]


def held_out() -> list[Rows]:
    """Return the articles held out from training for quotes and for positions; there are no textbook sentences."""
    annotated = gold.annotated(GOLD)
    names = gold.held_out(annotated[gold.QUOTES], annotated[gold.POSITIONS])
    return [
        [annotated[task][name] for name in sorted(names[at])] for at, task in enumerate((gold.QUOTES, gold.POSITIONS))
    ]


def readings(pipeline: Pipeline, rows: Rows) -> Rows:
    """Return what the pipeline reads in the articles of a set, as events."""
    articles = [RawArticle(article_id=row["doc_id"], body=row["text"]) for row in rows]
    return [reading.model_dump(mode="json") for reading in pipeline.read(articles)]


def figures(pipeline: Pipeline, sets: Sequence[Rows]) -> list[Any]:
    """Return the figures of one row of the table, in the order of its columns; `sets` are quotes, then positions."""
    evaluate, quotes, positions = (
        gold.module(GOLD / name) for name in ("evaluate.py", "quotes/score.py", "positions/score.py")
    )
    quoted, *positioned = sets
    read = {each["article_id"]: evaluate.quotes(each) for each in readings(pipeline, quoted)}
    found: list[Any] = []
    for options in ({}, {"speech": True}, {"view": "segment", "types": ["direct"]}):
        score = quotes.score(quoted, read, **options)
        found += [score["exact"]["F1"], score["iou>=0.5"]["F1"], score["e2e_F1"]]
    for rows in positioned:
        predicted = [
            {"doc_id": each["article_id"], "positions": evaluate.positions(each)} for each in readings(pipeline, rows)
        ]
        score = positions.score([row | {"positions": gold.policies(row)} for row in rows], predicted)
        found += [score["end_to_end"][0], score["end_to_end"][2]]
    return found


def measured(replaced: dict[str, Any], sets: Sequence[Rows]) -> list[Any]:
    """Return the figures with some parts replaced."""
    with ExitStack() as stack:
        for target, replacement in replaced.items():
            stack.enter_context(mock.patch(target, replacement))
        return figures(Pipeline(), sets)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--thresholds", action="store_true", help="a row for each of several thresholds instead")
    parser.add_argument("--held-out", action="store_true", help="of the articles held out from training")
    options = parser.parse_args()
    sets = held_out() if options.held_out else development()
    columns = [f"{name} {figure}" for name in ("all", "speech", "direct") for figure in ("exact", "IoU", "e2e")]
    columns += [f"{name} {figure}" for name in ("news", "textbook")[: len(sets) - 1] for figure in ("P", "F1")]
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    if options.thresholds:
        for least in THRESHOLDS:
            name = f"{least.quote} / {least.thought} / {least.position}"
            _row(name, figures(Pipeline(least=least), sets))
        return
    if options.weights:
        network = Network(options.weights)
        _row("as shipped", figures(Pipeline(), sets))
        _row(options.weights.name, measured({f"{EXTRACTION}.pipeline.Network": lambda: network}, sets))
        return
    for name, replaced in PARTS.items():
        _row(name, measured(replaced, sets))


def _row(name: str, numbers: list[Any]) -> None:
    print(f"| {name} | " + " | ".join(str(number) for number in numbers) + " |", flush=True)


if __name__ == "__main__":
    main()
