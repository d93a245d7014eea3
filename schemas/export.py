"""The contract as files for programs in other languages: JSON Schema 2020-12 and AsyncAPI 3, made from the models.

`python -m schemas.export` writes them beside this file; they are committed, and a test fails when they differ.
"""

import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas import cloudevents
from schemas.deadletter import PREFIX, DeadLetterHeaders
from schemas.topics import CATALOGUE, DEAD_LETTERS, RAW, Topic

HERE = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
KAFKA_BINDING_VERSION = "0.5.0"
DEAD_LETTER_HEADERS = "onrecord.dead-letter-headers.v1"
CONTRACT_VERSION = "1.0.0"


def _mode(model: type[BaseModel]) -> Literal["validation", "serialization"]:
    """An input is described by what is accepted, an output by what is written (where defaults are always there)."""
    return "validation" if model in (RAW.carries, DeadLetterHeaders) else "serialization"


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every event, by event type, and of the dead-letter headers."""
    models = {topic.name: topic.carries for topic in CATALOGUE if topic.carries is not None}
    models[DEAD_LETTER_HEADERS] = DeadLetterHeaders
    return {
        name: {
            "$schema": DIALECT,
            "$id": cloudevents.schema_uri(name),
            **model.model_json_schema(mode=_mode(model)),
        }
        for name, model in models.items()
    }


def _headers(topic: Topic) -> dict[str, Any]:
    """Return the schema of a message's Kafka headers; what a raw article carries is up to its producer."""
    text = {"type": "string"}
    if topic is RAW:
        return {"type": "object", "properties": {cloudevents.TRACEPARENT: text}}
    if topic is DEAD_LETTERS:
        names = [PREFIX + field.replace("_", "-") for field in DeadLetterHeaders.model_fields]
        return {"type": "object", "required": names, "properties": dict.fromkeys(names, text)}
    attributes = ("id", "source", "time", "subject")
    fixed = {"ce_specversion": "1.0", "ce_type": topic.name, "ce_dataschema": cloudevents.schema_uri(topic.name)}
    properties: dict[str, Any] = {f"ce_{name}": text for name in attributes}
    properties |= {name: {"type": "string", "const": value} for name, value in fixed.items()}
    properties["content-type"] = {"type": "string", "const": cloudevents.CONTENT_TYPE}
    required = sorted(properties)
    return {"type": "object", "required": required, "properties": {**properties, cloudevents.TRACEPARENT: text}}


def _channel_name(topic: Topic) -> str:
    return "".join(word.title() for word in topic.name.split("."))


def _channel(topic: Topic, name: str) -> dict[str, Any]:
    """Return the AsyncAPI channel of a topic, with its Kafka settings as bindings."""
    config: dict[str, Any] = {
        "cleanup.policy": [topic.cleanup],
        "retention.ms": int(topic.config["retention.ms"]),
        "max.message.bytes": topic.max_message_bytes,
    }
    binding = {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": config,
        "bindingVersion": KAFKA_BINDING_VERSION,
    }
    return {
        "address": topic.name,
        "description": topic.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"kafka": binding},
    }


def _message(topic: Topic) -> dict[str, Any]:
    """Return the AsyncAPI message of a topic: key, headers and value."""
    key = {"type": "string", "description": "the article's id; a dead letter keeps the key it came with"}
    message: dict[str, Any] = {
        "name": topic.name,
        "summary": topic.summary,
        "headers": _headers(topic),
        "bindings": {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING_VERSION}},
    }
    if topic.carries is None:
        return {**message, "contentType": "application/octet-stream", "payload": {}}
    payload = {"$ref": f"#/components/schemas/{topic.carries.__name__}"}
    return {**message, "contentType": cloudevents.CONTENT_TYPE, "payload": payload}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document: what the enricher receives and sends, with the Kafka bindings."""
    models = [(topic.carries, _mode(topic.carries)) for topic in CATALOGUE if topic.carries is not None]
    _, shared = models_json_schema(models, ref_template="#/components/schemas/{model}")
    names = {topic: _channel_name(topic) for topic in CATALOGUE}
    operations = {
        ("receive" if topic is RAW else "send") + name: {
            "action": "receive" if topic is RAW else "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": topic.summary,
        }
        for topic, name in names.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "onrecord",
            "version": CONTRACT_VERSION,
            "description": "Events read from news articles: who is named, who said what, where they stand on policy.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": cloudevents.CONTENT_TYPE,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The cluster that ONRECORD_KAFKA_BOOTSTRAP names.",
                "variables": {"bootstrap": {"default": "localhost:9092"}},
            }
        },
        "channels": {name: _channel(topic, name) for topic, name in names.items()},
        "operations": operations,
        "components": {
            "messages": {name: _message(topic) for topic, name in names.items()},
            "schemas": shared["$defs"],
        },
    }


def files() -> dict[str, str]:
    """Return every generated file: its path relative to the schemas folder, and its text."""
    made = {f"jsonschema/{name}.json": json.dumps(schema, indent=2) + "\n" for name, schema in json_schemas().items()}
    made["asyncapi.yaml"] = yaml.safe_dump(asyncapi(), sort_keys=False, width=120, allow_unicode=True)
    return made


def write(directory: Path) -> list[Path]:
    """Write the generated files into `directory` and return their paths."""
    paths = []
    for name, text in files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def differences(directory: Path) -> list[str]:
    """Return the names of the generated files that are missing from `directory` or differ from the models."""
    return [
        name
        for name, text in files().items()
        if not (directory / name).is_file() or (directory / name).read_text(encoding="utf-8") != text
    ]


if __name__ == "__main__":
    write(HERE)
