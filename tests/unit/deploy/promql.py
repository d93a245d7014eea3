"""What the rules and dashboards of deploy/ ask Prometheus for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from services.enricher.metrics import CATALOGUE

DEPLOY = Path(__file__).parents[3] / "deploy"

RULES: list[dict[str, Any]] = [
    rule
    for path in sorted((DEPLOY / "prometheus/rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
"""Every recording and alerting rule."""

DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
}
"""Every dashboard, by the name of its file."""

_STRING = re.compile(r'"[^"]*"')
_METRIC = re.compile(r"\b(?:[a-z_]+:)*(?:onrecord|process|python)_\w+(?::\w+)*|\bup\b|\bALERTS\b")

OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")
"""What the series of a histogram add to its name."""

_OF_EVERY_PROCESS = {
    "up",
    "ALERTS",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "python_gc_collections_total",
}
"""What Prometheus and its client library add to the catalogue, as far as it is used here."""


def metrics_in(query: str) -> set[str]:
    """Return the names of the series that a query asks for."""
    return set(_METRIC.findall(_STRING.sub("", query)))


def known() -> set[str]:
    """Return the names of all series that there can be: the catalogue's, the recorded ones and the processes'."""
    names = {rule["record"] for rule in RULES if "record" in rule} | _OF_EVERY_PROCESS
    for spec in CATALOGUE:
        names |= {spec.name + suffix for suffix in OF_A_HISTOGRAM} if spec.kind == "histogram" else {spec.name}
    return names


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard that show something: its rows are headings."""
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def filled_in(query: str, interval: str) -> str:
    """Return a query as Grafana would send it: every worker chosen, and rates over an interval such as "5m"."""
    return query.replace("$__rate_interval", interval).replace("$instance", ".*")


def queries_of(dashboard: dict[str, Any]) -> Iterator[str]:
    """Yield the queries of all panels."""
    return (target["expr"] for panel in panels(dashboard) for target in panel["targets"])
