"""The event that the README shows is the one that the reading gives."""

import json
import re
from pathlib import Path

import pytest

from schemas import RawArticle
from schemas.articles import ArticleReference, QuoteExtracted
from services.extraction.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "services" / "cli" / "samples" / "06-council-footbridge.txt"


def test_the_readmes_event_is_real(pipeline: Pipeline) -> None:
    shown = re.search(r"```json [^\n]*\n(?P<event>.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown, "the README shows no event"
    (article,) = pipeline.read([RawArticle(article_id=SAMPLE.stem, body=SAMPLE.read_text())])
    events = [
        QuoteExtracted(article=ArticleReference.to(article), quote=quote).model_dump(mode="json")
        for quote in article.quotes
    ]
    event = json.loads(shown["event"])
    (real,) = (each for each in events if each["quote"]["id"] == event["quote"]["id"])
    # Processors round eight-bit arithmetic differently, which may show in the last digit of a confidence.
    assert event["quote"].pop("confidence") == pytest.approx(real["quote"].pop("confidence"), abs=0.02)
    assert event == real
