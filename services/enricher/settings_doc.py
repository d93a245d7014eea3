"""Writes docs/settings.md from the settings: `python -m services.enricher.settings_doc > docs/settings.md`."""

import sys
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.enricher.settings import KAFKA_PREFIX, PREFIX, KafkaSettings, Settings

HEADING = """# Settings

Every setting is an environment variable. A wrong one stops the start with a line that names it.
This page is generated: `python -m services.enricher.settings_doc > docs/settings.md`.
"""


def markdown() -> str:
    """Return the page: one table of the worker's settings, one of those that every Kafka client reads."""
    kafka = _table("Kafka (worker and command line)", KAFKA_PREFIX, KafkaSettings)
    worker = _table("Worker", PREFIX, Settings)
    return "\n".join([HEADING, kafka, worker])


def _table(title: str, prefix: str, settings: type[BaseSettings]) -> str:
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {_extra(field)['unit']} | {field.description} |"
        for name, field in settings.model_fields.items()
        if field.description
    ]
    return "\n".join([f"## {title}", "", "| variable | default | unit | effect |", "|---|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:
    shown = _extra(field).get("shown", field.default)
    if shown is None:
        return "unset"
    return f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"


def _extra(field: FieldInfo) -> dict[str, Any]:
    assert isinstance(field.json_schema_extra, dict)
    return field.json_schema_extra


if __name__ == "__main__":
    sys.stdout.write(markdown())
