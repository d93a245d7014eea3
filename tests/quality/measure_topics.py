# ruff: noqa: T201  # prints are what this module is for
"""Measure the topics on headlines and on the positions marked by hand: `python -m tests.quality.measure_topics`.

Needs the folder `../shared` beside the project. Prints how often the likeliest topic is right and how often one of the
two likeliest is, the recall of every topic with what it is taken for most, and what a position costs in time.
"""

import sys
import time
from collections import Counter

from schemas import Topic
from services.extraction.topics import OTHER, Topics
from tests.quality.measure_entities import GOLD
from training.topics import examples


def shares(found: list[list[Topic]], wanted: list[str]) -> str:
    """Return both figures in percent."""
    top = sum(each[0].code == code for each, code in zip(found, wanted, strict=True))
    two = sum(code in [topic.code for topic in each] for each, code in zip(found, wanted, strict=True))
    return f"top-1 {top / len(wanted):.1%}, top-2 {two / len(wanted):.1%}"


def headlines(model: Topics) -> None:
    gold = examples.headlines(GOLD / "positions" / "cap_nyt.dev.jsonl")
    wanted = [each.code for each in gold]
    found = [model.headline(each.stretches[0]) for each in gold]
    print(f"cap_nyt.dev, {len(gold)} headlines: {shares(found, wanted)}")
    taken = Counter((code, each[0].code) for each, code in zip(found, wanted, strict=True))
    for code in sorted(set(wanted), key=lambda code: taken[code, code] / wanted.count(code)):
        mistakes = Counter({other: n for (one, other), n in taken.items() if one == code != other}).most_common(2)
        confused = ", ".join(f"{other} {count}" for other, count in mistakes)
        print(f"  {code:>2}: {wanted.count(code):4} headlines, {taken[code, code] / wanted.count(code):.0%} right; "
              f"taken for {confused}")  # fmt: skip


def positions(model: Topics) -> None:
    gold = examples.positions(GOLD / "positions" / "positions_news.dev.jsonl")
    started = time.process_time()
    found = [model.position(*each.stretches) for each in gold]
    spent = time.process_time() - started
    named = [(each, one.code) for each, one in zip(found, gold, strict=True) if each[0].code != OTHER]
    print(f"positions_news.dev, {len(gold)} positions, gold spans: {shares(found, [one.code for one in gold])}; "
          f"{len(named) / len(gold):.0%} named, of these "
          f"{shares([each for each, _ in named], [code for _, code in named])}")  # fmt: skip
    print(f"time: {spent / len(gold) * 1e6:.0f} µs a position")


if __name__ == "__main__":
    if not GOLD.is_dir():
        sys.exit(f"{GOLD}: no such folder; the gold data is not part of the project")
    headlines(Topics())
    positions(Topics())
