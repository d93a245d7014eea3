"""What the pages name is there: files, sections, settings and metrics."""

import re
from itertools import chain
from pathlib import Path

import pytest

from services.enricher.metrics import CATALOGUE
from services.enricher.settings import KAFKA_PREFIX, PREFIX, KafkaSettings, Settings
from tests.integration.docs import ROOT, pages

LINK = re.compile(r"\]\((?!https?:)(?P<file>[^)#\s]*)#?(?P<section>[^)\s]*)\)")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
SETTING = re.compile(rf"\b{PREFIX}[A-Z_]*[A-Z]\b")
METRIC = re.compile(r"\bonrecord_[a-z_]+\b")

every_page = pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())


def anchors(page: Path) -> set[str]:
    """Return what a link can name in a page: its headings as a repository's host makes anchors of them."""
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_a_link_leads_somewhere(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target = page.parent / link["file"] if link["file"] else page
        assert target.exists(), link[0]
        assert not link["section"] or link["section"] in anchors(target), link[0]


@every_page
def test_settings_and_metrics_are_called_what_they_are_called(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    settings |= {f"{KAFKA_PREFIX}{name.upper()}" for name in KafkaSettings.model_fields}
    assert {name for name in SETTING.findall(text) if not text.count(f"{name}_...")} <= settings
    metrics = set(chain.from_iterable((spec.name, f"{spec.name}_count", f"{spec.name}_sum") for spec in CATALOGUE))
    assert set(METRIC.findall(text)) <= metrics
