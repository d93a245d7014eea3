"""The quote examples: every class of `quotes.yaml` must stay right, and what is known to fail must be said to."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import RawArticle
from services.extraction.pipeline import Pipeline

EXAMPLES = yaml.safe_load((Path(__file__).parent / "quotes.yaml").read_text(encoding="utf-8"))


def cases() -> list[Any]:
    return [
        pytest.param(
            example,
            id=f"{name}-{number}",
            marks=[pytest.mark.xfail(strict=True, reason=example["fails"])] if "fails" in example else [],
        )
        for name, examples in EXAMPLES.items()
        for number, example in enumerate(examples, 1)
    ]


@pytest.mark.parametrize("example", cases())
def test_finds_the_quotes_of_the_example_and_no_others(pipeline: Pipeline, example: dict[str, Any]) -> None:
    text = example["text"]
    (reading,) = pipeline.read([RawArticle(article_id="example", body=text)])
    found = [
        {
            "words": [text[start:end] for start, end in quote.fragments],
            "speaker": quote.speaker.text if quote.speaker else None,
            "kind": quote.kind.value,
            "act": quote.act.value,
        }
        for quote in reading.quotes
    ]
    assert found == [
        {"act": "say"} | {key: value for key, value in quote.items() if key != "name"} for quote in example["quotes"]
    ]
    for quote, wanted in zip(reading.quotes, example["quotes"], strict=True):
        assert wanted.get("name", quote.speaker_name) == quote.speaker_name
