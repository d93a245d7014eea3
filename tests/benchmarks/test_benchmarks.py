"""The benchmarks run: at the tiniest size, so that a change elsewhere does not break what is run once a release."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import obvious, rounds, service

ROOT = Path(__file__).parents[2]


def test_candidates_take_turns() -> None:
    turns: list[str] = []
    clock = iter(range(100))
    candidates = {name: (lambda name=name: turns.append(name)) for name in "ab"}
    seconds = rounds.interleaved(candidates, 2, clock=lambda: float(next(clock)))
    assert (turns, rounds.medians(seconds)) == (["a", "b", "b", "a"], {"a": 1.0, "b": 1.0})


def test_the_reading_is_measured(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from tests.benchmarks import reading, rounds
rounds.RESULTS = Path({str(tmp_path)!r})
reading.main(1, 1, (100,))
"""
    environment = {name: value for name, value in os.environ.items() if name != "BENCH_ARTICLES"}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)
    results = json.loads((tmp_path / "reading.json").read_text())
    assert results["machine"]["cores"] >= 1
    assert set(results["steps_us_a_token"]) >= {"document", "syntax", "entities", "reader", "serialisation"}
    assert 0 < results["rest_share"] < 1


def test_the_obvious_reading_finds_what_ours_finds() -> None:
    (_, value), *_ = service.messages(1)
    run = obvious.Obvious().read(value)
    assert {output.topic for output in run} >= {"news.article.enriched.v1", "news.entity.mentioned.v1"}
