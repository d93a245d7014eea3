"""What the topics are learned from: headlines with their topic, and positions with theirs."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.extraction.topics import HEADLINE, OPENING, POSITION

HEADLINES, POSITIONS = "positions/cap_nyt.train.jsonl", "positions/positions_news.train.jsonl"

ARTICLE_FOLDS = 5
"""One article in so many is held out, by a hash of its name, to see how positions fare that were not learned from."""


@dataclass(frozen=True, slots=True)
class Example:
    """Stretches of text with the topic that they are about."""

    stretches: tuple[str, ...]
    """A headline; or target, evidence and opening of a position."""
    code: str
    kind: str
    year: int | None
    """Of a headline; None for positions."""
    held_out: bool


def headlines(path: Path, held_out_year: int | None = None) -> list[Example]:
    """Return the headlines of a file; those of a year are held out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        short = int(row["date"].rsplit("/", 1)[1])
        year = short + (1900 if short > 50 else 2000)
        found.append(Example((row["text"],), row["topic"], HEADLINE, year, year == held_out_year))
    return found


def positions(path: Path) -> list[Example]:
    """Return the positions of a file that have a topic."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text: str = row["text"]
        name_hash = hashlib.sha256(row["doc_id"].encode()).digest()
        for each in row["positions"]:
            if each.get("topic") is None:
                continue
            target, evidence = (text[each[key]["start"] : each[key]["end"]] for key in ("target", "evidence"))
            held = name_hash[0] % ARTICLE_FOLDS == 0
            found.append(Example((target, evidence, text[:OPENING]), str(each["topic"]), POSITION, None, held))
    return found


def weights(examples: Sequence[Example], half_life_years: float, position_weight: float) -> list[float]:
    """Return how much each example counts: headlines the less, the older they are."""
    newest = max(each.year for each in examples if each.year is not None)
    return [
        position_weight if each.year is None else 0.5 ** ((newest - each.year) / half_life_years) for each in examples
    ]
