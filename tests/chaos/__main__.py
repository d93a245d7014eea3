"""`make chaos`: runs every scenario in both delivery modes and writes the table of docs/reliability.md.

`python -m tests.chaos [WORD...]` runs only the scenarios whose names contain one of the words, and only prints them.
"""

import asyncio
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.broker import Cluster
from tests.chaos.run import Outcome, run
from tests.chaos.scenarios import SCENARIOS, Scenario

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN = "<!-- chaos table: written by `make chaos` -->"
END = "<!-- end of the chaos table -->"
MODES = ("exactly_once", "at_least_once")


def main(words: list[str]) -> int:
    """Return 0 if nothing was lost, foreign, or (exactly once) duplicated."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    chosen = [one for one in SCENARIOS if not words or any(word in one.name for word in words)]
    rows = [HEAD]
    bad = 0
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder) / "kafka") as shared:
        for scenario in chosen:
            for mode in MODES:
                logs = Path(folder) / f"{SCENARIOS.index(scenario)}-{mode}"
                logs.mkdir()
                row, is_good = _run(scenario, mode, shared, logs)
                rows.append(row)
                bad += not is_good
    table = "\n".join(rows)
    sys.stdout.write(table + "\n")
    if not words:
        _write(table)
    return 1 if bad else 0


def _run(scenario: Scenario, mode: str, shared: Cluster, logs: Path) -> tuple[str, bool]:
    """Return the scenario's row, and whether all is well; what is not goes to standard error with the workers' logs."""
    began = time.monotonic()
    try:
        with _cluster(scenario, shared, logs) as cluster:
            outcome = asyncio.run(run(scenario, mode, cluster, logs))
    except* TimeoutError:
        row, is_good = f"| {scenario.name} | {mode} | did not end | | | | | |", False
    else:
        row, is_good = _row(scenario, mode, outcome), _is_good(mode, outcome)
    sys.stderr.write(f"{row} {time.monotonic() - began:.0f} s\n")
    if not is_good:
        for log in sorted(logs.glob("worker-*.log")):
            sys.stderr.write(f"--- {log}\n{log.read_text()[-5000:]}\n")
    return row, is_good


HEAD = (
    "| scenario | mode | articles | lost | foreign | duplicates | dead letters | longest standstill, s |\n"
    "|---|---|---|---|---|---|---|---|"
)


def _row(scenario: Scenario, mode: str, outcome: Outcome) -> str:
    count = outcome.count
    return (
        f"| {scenario.name} | {mode} | {count.sent} | {len(count.lost)} | {len(count.foreign)} | {count.duplicates} "
        f"| {count.dead.total()} | {outcome.standstill_seconds:.1f} |"
    )


def _is_good(mode: str, outcome: Outcome) -> bool:
    count = outcome.count
    once = mode == "at_least_once" or count.duplicates == 0
    return not count.lost and not count.foreign and once and not outcome.went_back


@contextmanager
def _cluster(scenario: Scenario, shared: Cluster, folder: Path) -> Iterator[Cluster]:
    if not scenario.own_cluster:
        yield shared
        return
    with Cluster(folder / "kafka", nodes=scenario.nodes) as cluster:
        yield cluster


def _write(table: str) -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that brokers and workers are stopped with us
    sys.exit(main(sys.argv[1:]))
