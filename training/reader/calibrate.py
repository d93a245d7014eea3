"""Make the network's confidence mean what it says: `python -m training.reader.calibrate FILE`.

Articles held out from training are read with the exported weights, every record is held against the annotation by
the evaluation's own scorer, and a logistic model is fitted to tell right records from wrong ones. The file gets its
weights; the table that is printed shows, by five-fold cross-validation over articles, how often records of a confidence
are right, and what each threshold does to precision and recall.
"""

import argparse
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.extraction.positions import STANCES
from services.extraction.reader.confidence import UNCALIBRATED, Calibration, Confidence
from services.extraction.reader.network import CALIBRATION, Network, Predicate, Task
from services.extraction.reports import likely as likely_reports
from services.extraction.reports import report
from services.extraction.stands import Stand, stands
from services.extraction.stands import likely as likely_stands
from training.reader import gold
from training.reader.gold import POSITIONS, QUOTES

FOLDS = 5
PENALTY = 1.0
"""Strength of the pull of weights towards zero: there are few records and fewer weights."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The evidence of one record, whether it is right, and in which article it stands."""

    article: int
    evidence: tuple[float, ...]
    right: bool


def judged_quotes(
    score: ModuleType, row: Mapping[str, Any], predicates: Sequence[Predicate], article: int
) -> list[Judged]:
    """Return the attributions in one article; right ones overlap a true one by half and name its source."""
    found = likely_reports([report(each, UNCALIBRATED.quote) for each in predicates if each.task is Task.QUOTE], 0.0)
    text = row["text"]
    marks = score.qmask(text)
    records = [
        {
            "start": each.content[0][0],
            "end": each.content[-1][1],
            "fragments": each.content,
            "speaker": gold.span(text, each.source),
            "type": None,
        }
        for each in found
    ]
    true = score.units(row["quotes"], text, "quote", marks)
    read = score.units(records, text, "quote", marks)
    numbers = {id(record): number for number, record in enumerate(records)}
    right = {
        numbers[id(read[other]["q"])]
        for one, other in score.match(true, read, 0.5).items()
        if score.head_ok(true[one]["q"].get("speaker"), read[other]["q"]["speaker"])
    }
    return [Judged(article, each.evidence, number in right) for number, each in enumerate(found)]


def judged_positions(
    score: ModuleType, row: Mapping[str, Any], predicates: Sequence[Predicate], article: int
) -> list[Judged]:
    """Return the positions in one article; those that meet a doubtful annotation are left out."""
    return [Judged(article, stand.evidence, right) for stand, right in judged_stands(score, row, predicates)]


def judged_stands(
    score: ModuleType, row: Mapping[str, Any], predicates: Iterable[Predicate]
) -> list[tuple[Stand, bool]]:
    """Return the stands in one article and whether each is right, but for those that meet a doubtful annotation."""
    taken = [stand for each in predicates if each.task is Task.POSITION for stand in stands(each)]
    found = likely_stands(taken, UNCALIBRATED.position, 0.0)
    text = row["text"]
    records = [
        {
            "holder": gold.span(text, each.holder),
            "target": gold.span(text, each.target),
            "stance": STANCES[each.modality],
        }
        for each in found
    ]
    true = gold.policies(row)

    def agreement(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
        near = one["evidence"]["start"] - 200 < other["target"]["start"] < one["evidence"]["end"] + 200
        if not near or one["stance"] != other["stance"] or not score.holder_match(one["holder"], other["holder"]):
            return 0.0
        return float(score.target_score(one["target"], other["target"], "f1", 0.5))

    certain = [each for each in true if not each.get("optional")]
    right = {other for _, other in score.pair(certain, records, agreement)}
    doubtful = [each for each in true if each.get("optional")]
    rest = [number for number in range(len(records)) if number not in right]
    skipped = {rest[other] for _, other in score.pair(doubtful, [records[number] for number in rest], agreement)}
    return [(each, number in right) for number, each in enumerate(found) if number not in skipped]


def fit(judged: Sequence[Judged]) -> Confidence:
    """Return the logistic model of greatest likelihood, by Newton's method."""
    x = np.array([[*each.evidence, 1.0] for each in judged])
    y = np.array([each.right for each in judged], dtype=float)
    pull = np.diag([PENALTY] * (x.shape[1] - 1) + [0.0])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (y - p) - pull @ weights
        weights += np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + pull, slope)
    return Confidence(tuple(round(float(weight), 4) for weight in weights))


def cross_validated(judged: Sequence[Judged]) -> NDArray[np.float64]:
    """Return the confidence of every record by a model fitted to the articles of the other folds."""
    found = np.zeros(len(judged))
    for fold in range(FOLDS):
        model = fit([each for each in judged if each.article % FOLDS != fold])
        for number, each in enumerate(judged):
            if each.article % FOLDS == fold:
                found[number] = model(each.evidence)
    return found


def print_tables(judged: Sequence[Judged], true: int) -> None:
    """Print how reliable confidences are, and precision and recall by threshold; `true` records could be found."""
    confidence = cross_validated(judged)
    right = np.array([each.right for each in judged])
    print("| confidence | records | mean confidence | right |\n|---|---|---|---|")
    for low in np.arange(0.0, 1.0, 0.1):
        inside = (confidence >= low) & (confidence < low + 0.1)
        if inside.any():
            said, true_share = confidence[inside].mean(), right[inside].mean()
            print(f"| {low:.1f} to {low + 0.1:.1f} | {inside.sum()} | {said:.2f} | {true_share:.2f} |")
    print("| threshold | precision | recall | F1 |\n|---|---|---|---|")
    for least in np.arange(0.2, 0.85, 0.05):
        kept = confidence >= least
        precision, recall = right[kept].mean() if kept.any() else 0.0, right[kept].sum() / true
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        print(f"| {least:.2f} | {100 * precision:.1f} | {100 * recall:.1f} | {100 * f1:.1f} |")


def write(path: Path, calibration: Calibration) -> None:
    """Put the calibration into a file of weights."""
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for info, content in members:
            archive.writestr(info, calibration.to_json() if info.filename == CALIBRATION else content)


def main() -> None:
    """Calibrate a file of weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    options = parser.parse_args()
    network = Network(options.file)
    rows = gold.annotated(options.data)
    models = {}
    held = zip((QUOTES, POSITIONS), gold.held_out(rows[QUOTES], rows[POSITIONS]), strict=True)
    for task, names in held:
        judge = judged_quotes if task == QUOTES else judged_positions
        score = gold.module(options.data / task / "score.py")
        judged: list[Judged] = []
        for article, name in enumerate(sorted(names)):
            row = rows[task][name]
            words = gold.words_of(row["text"], row.get("title"), network.wordpieces)
            judged += judge(score, row, list(network.read(words)), article)
        true = sum(not each.get("optional") for name in names for each in rows[task][name][task])
        models[task] = fit(judged)
        print(task, models[task])
        print_tables(judged, true)
    write(options.file, Calibration(models[QUOTES], models[POSITIONS]))


if __name__ == "__main__":
    main()
