import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from schemas import Reason
from services.enricher.messages import Facts, Failure, Result
from services.enricher.metrics import CATALOGUE, Metrics, markdown

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


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
    metrics.count(Result(facts=Facts(10, True, ("ORG",), (("direct", False, 0.9),), (("oppose", "reject", 0.4),))))
    metrics.articles_failed.labels(reason=Reason.NOT_JSON).inc()
    metrics.consumer_lag.labels(partition="0").set(3)
    metrics.child_restarts.labels(cause="crash").inc()
    metrics.child_memory_bytes.labels(child="0").set(1)
    metrics.describe("0.1.0", {"en": "model", "de": "modell"}, ("entities",))
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
    assert value("onrecord_articles_skipped_total") == 1
    assert value("onrecord_entities_total", {"type": "ORG"}) == 1
    assert value("onrecord_quotes_total", {"kind": "direct", "speaker": "unknown"}) == 1
    assert value("onrecord_quote_confidence_ratio_bucket", {"le": "0.9"}) == 1
    assert value("onrecord_positions_total", {"stance": "oppose", "modality": "reject"}) == 1
    assert value("onrecord_model_info", {"pipelines": "de=modell,en=model", "extractors": "entities"}) == 1


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
