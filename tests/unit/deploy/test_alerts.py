"""The rules of Prometheus: promtool accepts them, each alert fires and is silent when it should, and says what to do.

The cases are in alerts/, one file an alert: series as Prometheus would have scraped them, and what comes of them.
"""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.deploy.promql import DASHBOARDS, RULES, known, metrics_in, queries_of

ROOT = Path(__file__).parents[3]
CASES = sorted((Path(__file__).parent / "alerts").glob("*.yml"))
OPERATIONS = ROOT / "docs/operations.md"
RUNBOOK = OPERATIONS.relative_to(ROOT).as_posix()

ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in RULES if "alert" in rule}


@pytest.fixture(scope="module")
def promtool() -> str:
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    return path


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_settings_and_rules(promtool: str) -> None:
    """The settings name the rules; the linter looks for two rules of one name and labels."""
    run(promtool, "check", "config", "--lint=all", "--lint-fatal", ROOT / "deploy/prometheus/prometheus.yml")
    for path in (ROOT / "deploy/prometheus/rules").glob("*.yml"):
        run(promtool, "check", "rules", "--lint=all", "--lint-fatal", path)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_alert_fires_and_is_silent_when_all_is_well(promtool: str, path: Path) -> None:
    run(promtool, "test", "rules", path)


def test_every_alert_is_tested_to_fire_to_end_and_to_stay_silent() -> None:
    fires, ends, silent = set(), set(), set()
    for path in CASES:
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            fired = [bool(at["exp_alerts"]) for at in case["alert_rule_test"]]
            [alert] = {at["alertname"] for at in case["alert_rule_test"]}
            fires |= {alert} if any(fired) else set()
            ends |= {alert} if (True, False) in pairwise(fired) else set()
            silent |= set() if any(fired) else {alert}
    assert fires == ends == silent == ALERTS.keys()


def test_every_alert_says_how_urgent_it_is_what_is_wrong_and_what_to_do() -> None:
    headings = re.findall(r"^### (Onrecord\w+)$", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"{RUNBOOK}#{name.lower()}"


def test_rules_and_dashboards_ask_for_metrics_that_there_are() -> None:
    for rule in RULES:
        assert metrics_in(rule["expr"]) <= known(), rule
    assert DASHBOARDS
    for name, dashboard in DASHBOARDS.items():
        for query in queries_of(dashboard):
            assert metrics_in(query) <= known(), (name, query)


def test_every_recorded_series_is_used() -> None:
    asked = [rule["expr"] for rule in RULES]
    asked += [query for dashboard in DASHBOARDS.values() for query in queries_of(dashboard)]
    for record in {rule["record"] for rule in RULES if "record" in rule}:
        assert any(record in metrics_in(query) for query in asked), f"nothing asks for {record}"
