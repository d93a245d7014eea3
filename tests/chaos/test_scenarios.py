"""The short set of the chaos scenarios: fewer articles, and those faults that show most in least time.

`make chaos` runs all of them, with 2,000 articles and more, and writes the table of docs/reliability.md.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from services.broker import Cluster
from tests.chaos.run import run
from tests.chaos.scenarios import SCENARIOS

SHORT = [
    ("SIGKILL of a worker, five times", "exactly_once"),
    ("SIGKILL of a worker, five times", "at_least_once"),
    ("SIGSTOP of a worker for 10 s (session 6 s)", "exactly_once"),
]


@pytest.mark.kafka
@pytest.mark.parametrize(("name", "delivery"), SHORT)
async def test_nothing_is_lost_foreign_or_in_transactions_doubled(
    kafka: Cluster, tmp_path: Path, name: str, delivery: str
) -> None:
    scenario = next(one for one in SCENARIOS if one.name == name)
    outcome = await run(replace(scenario, articles=500, rate=40.0), delivery, kafka, tmp_path)
    assert outcome.count.sent == 500
    assert not outcome.count.lost
    assert not outcome.count.foreign
    assert outcome.went_back == 0
    assert outcome.exits == [0, 0]
    if delivery == "exactly_once":
        assert outcome.count.duplicates == 0
