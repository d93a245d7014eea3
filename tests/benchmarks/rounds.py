"""What the benchmarks share: the articles, interleaved rounds, and where raw results go.

Only ratios within one run mean something: what else the machine does falls on all candidates alike, as each has its
turn in every round. Work of one process is measured in its processor time, which waiting does not lengthen.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "dist" / "bench"
SAMPLES = ROOT / "services" / "cli" / "samples"
ROUNDS = 5


def texts(number: int) -> list[str]:
    """Return the texts of articles: those of BENCH_ARTICLES (JSON lines with a field `text`), or else our samples."""
    path = os.environ.get("BENCH_ARTICLES")
    if path:
        with Path(path).open(encoding="utf-8") as lines:
            found = [json.loads(line)["text"] for line in lines]
    else:
        found = [json.loads(each.read_text())["body"] for each in sorted(SAMPLES.glob("*.json")) if _is_english(each)]
    return [found[index % len(found)] for index in range(number)]


def _is_english(path: Path) -> bool:
    try:
        article = json.loads(path.read_text())
    except ValueError:  # the sample of a broken article
        return False
    return "body" in article and article.get("language", "en").startswith("en")


def interleaved(
    candidates: Mapping[str, Callable[[], object]], rounds: int = ROUNDS, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Return the seconds of each candidate in each round; every second round goes backwards."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        for name in list(candidates) if number % 2 == 0 else reversed(candidates):
            started = clock()
            candidates[name]()
            seconds[name].append(clock() - started)
    return seconds


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the median of each candidate."""
    return {name: statistics.median(each) for name, each in seconds.items()}


def keep(name: str, results: Mapping[str, Any]) -> None:
    """Write raw results to dist/bench, with the machine that they were measured on."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    machine = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }
    document = json.dumps({"machine": machine, **results}, indent=1)
    (RESULTS / f"{name}.json").write_text(document + "\n", encoding="utf-8")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
