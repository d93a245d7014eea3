"""The position examples: every class of `positions.yaml` must stay right."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import Position, RawArticle
from services.extraction.pipeline import Pipeline

EXAMPLES = yaml.safe_load((Path(__file__).parent / "positions.yaml").read_text(encoding="utf-8"))


def cases() -> list[Any]:
    return [
        pytest.param(example, id=f"{name}-{number}")
        for name, examples in EXAMPLES.items()
        for number, example in enumerate(examples, 1)
    ]


def fields(position: Position) -> dict[str, Any]:
    return {
        "holder": position.holder.text if position.holder else None,
        "name": position.holder_name,
        "target": position.target.text,
        "stance": position.stance.value,
        "modality": position.modality.value,
        "via": position.via.value,
        "kind": position.kind.value,
    }


@pytest.mark.parametrize("example", cases())
def test_finds_the_positions_of_the_example(pipeline: Pipeline, example: dict[str, Any]) -> None:
    (reading,) = pipeline.read([RawArticle(article_id="example", body=example["text"])])
    found = [fields(position) for position in reading.positions]
    if example.get("none"):
        assert found == []
    for wanted in example.get("positions", []):
        assert any(wanted.items() <= each.items() for each in found), found
