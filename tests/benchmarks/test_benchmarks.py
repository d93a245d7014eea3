"""The benchmarks run: at the tiniest size, so that a change elsewhere does not break what is run once a release."""

import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.topics import MEBIBYTE
from tests.benchmarks import alternatives, growth, latency, limit, plot, processes, rounds, service

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


@pytest.mark.skipif(not service.RIVALS.exists(), reason="PyTorch is not on this machine; `make bench` installs it")
def test_the_obvious_reading_finds_what_ours_finds() -> None:
    (_, value), *_ = service.messages(1)
    program = """
import sys
from tests.benchmarks.obvious import Obvious
print(*(output.topic for output in Obvious().read(sys.stdin.buffer.read())))
"""
    command = [str(service.RIVALS), "-c", program]
    topics = subprocess.run(command, cwd=ROOT, input=value, capture_output=True, check=True).stdout.decode().split()
    assert {"news.article.enriched.v1", "news.entity.mentioned.v1", "news.quote.extracted.v1"} <= set(topics)


def test_memory_is_told_by_whose_it_is() -> None:
    before = processes.memory(os.getpid())
    held = bytearray(os.urandom(32 * MEBIBYTE))
    after = processes.memory(os.getpid())
    assert 0.9 * len(held) < after["private"] - before["private"] < 1.5 * len(held)
    assert after["private"] <= after["proportional"] <= after["resident"]


def test_a_process_that_has_ended_is_not_running() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert processes.is_running(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.is_running(child.pid)
    child.communicate()


def test_a_child_shares_what_it_has_not_copied() -> None:
    def mark(*children: dict[str, int]) -> growth.Mark:
        return growth.Mark(0, None, None, {}, {}, list(children))

    start = mark({"inherited": 100}, {"inherited": 100})
    now = mark({"inherited": 80}, {"inherited": 70})
    assert growth.still_shared(start, now) == 0.75


def test_articles_are_due_at_random_at_the_rate_that_was_asked_for() -> None:
    moments = latency.due(2000, rate=50.0)
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert moments == latency.due(2000, rate=50.0)
    assert moments[-1] == pytest.approx(2000 / 50.0, rel=0.1)
    assert statistics.stdev(gaps) == pytest.approx(statistics.mean(gaps), rel=0.1)  # as where gaps are exponential


def test_percentiles() -> None:
    assert latency.percentiles(range(101)) == {"p50": 50, "p90": 90, "p99": 99}


def test_operations_are_counted_by_what_is_multiplied() -> None:
    def node(operator: str, left: list[int], result: list[int], name: str = "x_kernel_time") -> dict[str, object]:
        shapes = {"input_type_shape": [{"float": left}], "output_type_shape": [{"float": result}]}
        return {"name": name, "args": {"op_name": operator, **shapes}}

    profile = [
        {"name": "session_initialization"},
        node("DynamicQuantizeMatMul", [1, 10, 4], [1, 10, 8]),
        node("MatMul", [2, 10, 3], [2, 10, 10]),
        node("MatMul", [2, 10, 3], [2, 10, 10], name="x_fence_before"),
        node("Softmax", [2, 10, 10], [2, 10, 10]),
    ]
    assert limit.operations(profile) == {"int8": 2 * 10 * 4 * 8, "fp32": 2 * 2 * 10 * 3 * 10}


def test_the_simple_alternative_takes_the_nearest_said() -> None:
    text = (
        'Anna Berg said: "We will not raise any taxes." Later came "no comment".\n"It is a bad idea," said Per Dahl.\n'
    )
    quotes = alternatives.nearest_said(text)
    assert [(quote["text"], quote["speaker"]["text"]) for quote in quotes] == [
        ('"We will not raise any taxes."', "Anna Berg"),
        ('"It is a bad idea,"', "Per Dahl"),
    ]
    assert all(text[each["start"] : each["end"]] == each["text"] for quote in quotes for each in (quote, quote["cue"]))


def test_what_was_measured_is_drawn(tmp_path: Path) -> None:
    results = {"alone_ms": [10, 100], "latencies_ms": {"50 %": [100, 1000]}}
    (tmp_path / "latency.json").write_text(json.dumps(results))
    (tmp_path / "alternatives.json").write_text(json.dumps({"f1": {}, "words_a_second": {"ours": 100.0}}))
    plot.main(tmp_path, tmp_path)
    left, top, width, height = plot.BOX
    drawn = (tmp_path / "latency.svg").read_text()
    assert f"{left}.0,{top + height / 2} {left + width / 2},{top}.0" in drawn  # half of them in 10 ms, all in 100
    assert [path.name for path in tmp_path.glob("*.svg")] == ["latency.svg"]  # without F1 there is nothing to show
