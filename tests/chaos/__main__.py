"""`make chaos`: runs every scenario in both delivery modes and writes the table of docs/reliability.md.

`python -m tests.chaos [WORD...]` runs only the scenarios whose names contain one of the words, and only prints them.
"""

import asyncio
import logging
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
    good = True
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder) / "kafka") as shared:
        for scenario in chosen:
            for mode in MODES:
                began = time.monotonic()
                logs = Path(folder) / f"{SCENARIOS.index(scenario)}-{mode}"
                logs.mkdir()
                with _cluster(scenario, shared, logs) as cluster:
                    outcome = asyncio.run(run(scenario, mode, cluster, logs))
                row = _row(scenario, mode, outcome)
                sys.stderr.write(f"{row} {time.monotonic() - began:.0f} s {outcome}\n"[:600])
                rows.append(row)
                good &= _is_good(mode, outcome)
                if not good:
                    for log in sorted(logs.glob("worker-*.log")):
                        sys.stderr.write(f"--- {log}\n{log.read_text()[-5000:]}\n")
    table = "\n".join(rows)
    sys.stdout.write(table + "\n")
    if not words:
        _write(table)
    return 0 if good else 1


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
    sys.exit(main(sys.argv[1:]))
