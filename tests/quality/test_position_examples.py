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
        pytest.param(
            example,
            id=f"{name}-{number}",
            marks=pytest.mark.xfail(reason=example["fails"], strict=True) if "fails" in example else (),
        )
        for name, examples in EXAMPLES.items()
        for number, example in enumerate(examples, 1)
    ]


def fields(position: Position) -> dict[str, Any]:
    return {
        "holder": position.holder.text if position.holder else None,
        "name": position.holder_name,
        "target": position.target.text,
        "target_name": position.target_name,
        "stance": position.stance.value,
        "modality": position.modality.value,
        "via": position.via.value,
        "status": position.status.value,
        "contested": position.contested,
        "conditional": position.conditional,
        "kind": position.kind.value,
    }


@pytest.mark.parametrize("example", cases())
def test_finds_the_positions_of_the_example(pipeline: Pipeline, example: dict[str, Any]) -> None:
    (reading,) = pipeline.read([RawArticle(article_id="example", body=example["text"])])
    found = [fields(position) for position in reading.positions]
    wanted = example.get("positions", [])
    assert wanted or example["none"]
    assert len(found) == len(wanted), found
    for each in wanted:
        assert any(each.items() <= position.items() for position in found), found
