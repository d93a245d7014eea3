# ruff: noqa: T201  # prints are what this module is for
"""Measure what each part of the reading of quotes and positions brings: `python -m tests.quality.measure_reader`.

Needs the folder `../shared` beside the project. Reads the development sets again and again, each time with one part
left out, and prints the scores as a table. `--weights FILE` adds a row for another file of weights, for example one in
32 bits (`python -m training.reader.export RUN FILE --fp32`).
"""

import argparse
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from schemas import RawArticle
from services.extraction.pipeline import Pipeline
from services.extraction.reader.network import Network
from services.extraction.thresholds import Thresholds
from training.reader.gold import module

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


def rows(name: str) -> list[dict[str, Any]]:
    """Return the annotated articles of a set."""
    return [json.loads(line) for line in (GOLD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() if line]


def readings(pipeline: Pipeline, gold: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the pipeline reads in the articles of a set, as events."""
    articles = [RawArticle(article_id=row["doc_id"], body=row["text"]) for row in gold]
    return [reading.model_dump(mode="json") for reading in pipeline.read(articles)]


def figures(pipeline: Pipeline) -> list[Any]:
    """Return the figures of one row of the table, in the order of its columns."""
    evaluate, quotes, positions = (
        module(GOLD / name) for name in ("evaluate.py", "quotes/score.py", "positions/score.py")
    )
    gold = rows(QUOTES)
    read = {each["article_id"]: evaluate.quotes(each) for each in readings(pipeline, gold)}
    found: list[Any] = []
    for options in ({}, {"speech": True}, {"view": "segment", "types": ["direct"]}):
        score = quotes.score(gold, read, **options)
        found += [score["exact"]["F1"], score["iou>=0.5"]["F1"], score["e2e_F1"]]
    for name in (POSITIONS, TEXTBOOK):
        gold = rows(name)
        for row in gold:
            row["positions"] = [each for each in row["positions"] if each.get("kind", "policy") == "policy"]
            for each in row["positions"]:
                if each.get("holder") and each.get("holder_resolved"):
                    each["holder"]["canonical"] = each["holder_resolved"]
        predicted = [
            {"doc_id": each["article_id"], "positions": evaluate.positions(each)} for each in readings(pipeline, gold)
        ]
        score = positions.score(gold, predicted)
        found += [score["end_to_end"][0], score["end_to_end"][2]]
    return found


def measured(replaced: dict[str, Any], make: Callable[[], Pipeline]) -> list[Any]:
    """Return the figures with some parts replaced."""
    with ExitStack() as stack:
        for target, replacement in replaced.items():
            stack.enter_context(mock.patch(target, replacement))
        return figures(make())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--thresholds", action="store_true", help="a row for each of several thresholds instead")
    options = parser.parse_args()
    columns = [f"{name} {figure}" for name in ("all", "speech", "direct") for figure in ("exact", "IoU", "e2e")]
    columns += ["news P", "news F1", "textbook P", "textbook F1"]
    print("| | " + " | ".join(columns) + " |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    if options.thresholds:
        for least in (0.2, 0.3, 0.4, 0.5, 0.6):
            _row(f"{least:.1f}", figures(Pipeline(least=Thresholds(least, least))))
        return
    if options.weights:
        network = Network(options.weights)
        _row("as shipped", figures(Pipeline()))
        _row(options.weights.name, measured({f"{EXTRACTION}.pipeline.Network": lambda: network}, Pipeline))
        return
    for name, replaced in PARTS.items():
        _row(name, measured(replaced, Pipeline))


def _row(name: str, numbers: list[Any]) -> None:
    print(f"| {name} | " + " | ".join(str(number) for number in numbers) + " |", flush=True)


if __name__ == "__main__":
    main()
