import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from schemas import Reason
from services.enricher.messages import Facts, Failure, Result
from services.enricher.metrics import CATALOGUE, LABEL_VALUES, Metrics, markdown
from services.enricher.reading import Reader
from services.enricher.settings import Settings
from services.extraction.steps import Step, Timing
from tests.fuzz import Fuzzer

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"
HOSTILE = 60


def test_the_page_of_the_docs_is_the_catalogue() -> None:
    assert DOCS.read_text(encoding="utf-8") == markdown(), "python -m services.enricher.metrics > docs/metrics.md"


def test_every_metric_has_a_name_by_the_rules_and_says_what_to_do() -> None:
    for spec in CATALOGUE:
        assert spec.name.startswith("onrecord_")
        assert spec.name.endswith("_total") == (spec.kind == "counter")
        assert spec.meaning.endswith(".")
        assert spec.action.endswith(".")
        assert bool(spec.buckets) == (spec.kind == "histogram")
    assert len({spec.name for spec in CATALOGUE}) == len(CATALOGUE)


def filled() -> Metrics:
    """Metrics in which every series of the catalogue has a sample."""
    metrics = Metrics()
    quotes, positions = (("direct", False, 0.9),), (("oppose", "reject", 0.4),)
    steps = (Timing(Step.SYNTAX, 0, 80_000_000, articles=8), Timing(Step.QUOTES, 80_000_000, 83_000_000))
    metrics.count(Result(facts=Facts(10, 3, True, ("ORG",), quotes, positions, steps)))
    metrics.articles_failed.labels(reason=Reason.NOT_JSON).inc()
    metrics.consumer_lag.labels(partition="0").set(3)
    metrics.child_restarts.labels(cause="crash").inc()
    metrics.child_memory_bytes.labels(child="0").set(1)
    metrics.describe("0.1.0")
    metrics.model.info({"pipelines": "en=model 1", "extractors": "quotes", "reader": "9f62", "matrices": "blis"})
    return metrics


def test_every_metric_of_the_catalogue_is_shown() -> None:
    page = generate_latest(filled().registry).decode()
    for spec in CATALOGUE:
        kind = "gauge" if spec.kind == "info" else spec.kind
        assert f"# TYPE {spec.name} {kind}\n" in page
        assert f"# HELP {spec.name} {spec.meaning}\n" in page


def test_two_workers_in_one_process_do_not_share_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.articles_received.inc()
    assert other.registry.get_sample_value("onrecord_articles_received_total") == 0


def test_facts_are_counted() -> None:
    value = filled().registry.get_sample_value
    assert value("onrecord_characters_read_total") == 10
    assert value("onrecord_tokens_read_total") == 3
    assert value("onrecord_reading_step_seconds_sum", {"step": "syntax"}) == 0.01
    assert value("onrecord_reading_step_seconds_sum", {"step": "quotes"}) == 0.003
    assert value("onrecord_articles_skipped_total") == 1
    assert value("onrecord_entities_total", {"type": "ORG"}) == 1
    assert value("onrecord_quotes_total", {"kind": "direct", "speaker": "unknown"}) == 1
    assert value("onrecord_quote_confidence_ratio_bucket", {"le": "0.9"}) == 1
    assert value("onrecord_positions_total", {"stance": "oppose", "modality": "reject"}) == 1


def test_every_series_is_there_before_it_counts_so_that_its_first_increase_is_seen() -> None:
    value = Metrics().registry.get_sample_value
    for reason in Reason:
        assert value("onrecord_articles_failed_total", {"reason": reason}) == 0
    assert value("onrecord_positions_total", {"stance": "oppose", "modality": "reject"}) == 0
    assert value("onrecord_reading_step_seconds_count", {"step": "quotes"}) == 0
    closed = {label for spec in CATALOGUE if spec.kind in {"counter", "histogram"} for label in spec.labels}
    assert closed == LABEL_VALUES.keys()


def series(metrics: Metrics) -> set[str]:
    """Names and labels of all samples on the page."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}


def test_hostile_messages_add_no_series() -> None:
    metrics = Metrics()
    before = series(metrics)
    fuzzer, reader = Fuzzer(seed=3), Reader(Settings())
    for result in reader.read([fuzzer.message() for _ in range(HOSTILE)]):
        metrics.count(result)
        if result.failure is not None:
            metrics.articles_failed.labels(reason=result.failure.reason).inc()
    assert series(metrics) == before
    counted = generate_latest(metrics.registry).decode()
    for name in ("articles_failed", "entities", "quotes"):
        assert re.search(rf"^onrecord_{name}_total{{.*}} [1-9]", counted, re.MULTILINE), f"no {name} to judge by"


def test_a_failure_counts_nothing_as_read() -> None:
    metrics = Metrics()
    metrics.count(Result(failure=Failure(Reason.EMPTY, "empty", attempts=1)))
    assert metrics.registry.get_sample_value("onrecord_characters_read_total") == 0


def test_promtool_has_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    page = generate_latest(filled().registry)
    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
