"""Every example of `entities.yaml`, read by the pipeline as it comes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from schemas import Entity, MentionKind, RawArticle
from services.extraction.pipeline import Pipeline

EXAMPLES = yaml.safe_load((Path(__file__).parent / "entities.yaml").read_text(encoding="utf-8"))
CASES = [
    pytest.param(example, id=f"{kind}-{number}")
    for kind, examples in EXAMPLES.items()
    for number, example in enumerate(examples, start=1)
]
PUBLISHED = datetime(2025, 2, 17, 12, tzinfo=UTC)


def read(pipeline: Pipeline, text: str) -> list[Entity]:
    article = RawArticle(article_id="example", body=text, published_at=PUBLISHED)
    return pipeline.read([article])[0].entities


def test_there_are_eighty_examples_or_more() -> None:
    assert len(CASES) >= 80


@pytest.mark.parametrize("example", CASES)
def test_entities_of_example(pipeline: Pipeline, example: dict) -> None:
    entities = read(pipeline, example["text"])
    by_name = {entity.name: entity for entity in entities}
    names = {m.text: entity.type for entity in entities for m in entity.mentions if m.kind is MentionKind.NAME}
    shown = {name: str(kind) for name, kind in names.items()}
    for mention, kind in example.get("names", {}).items():
        assert shown.get(mention) == kind, f"{mention!r} should be {kind}: {shown}"
    for words in example.get("nobody", []):
        assert not [name for name in names if words in name], f"{words!r} is no name: {shown}"
    for name, mentions in example.get("entity", {}).items():
        assert name in by_name, f"no entity {name!r}: {sorted(by_name)}"
        found = [m.text for m in sorted(by_name[name].mentions, key=lambda m: (m.start, m.end))]
        assert found == mentions
    for name, titles in example.get("titles", {}).items():
        assert by_name[name].titles == titles
    for field, attribute in (("iso", "iso_3166"), ("wikidata", "wikidata_id"), ("date", "date")):
        for name, value in example.get(field, {}).items():
            assert name in by_name, f"no entity {name!r}: {sorted(by_name)}"
            assert getattr(by_name[name], attribute) == value
    for name, (amount, currency) in example.get("money", {}).items():
        assert name in by_name, f"no entity {name!r}: {sorted(by_name)}"
        assert by_name[name].money is not None
        assert (by_name[name].money.amount, by_name[name].money.currency) == (amount, currency)
