from typing import Any

import pytest

from schemas.compatibility import Role, breaking_changes

NAME = {"type": "string", "maxLength": 10}
RELEASED: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"$ref": "#/$defs/Name"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "pairs": {"type": "array", "items": {"prefixItems": [{"type": "integer"}, {"type": "integer"}]}},
    },
    "$defs": {"Name": NAME},
}


def changed(**properties: Any) -> dict[str, Any]:
    return {**RELEASED, "properties": {**RELEASED["properties"], **properties}}


@pytest.mark.parametrize("role", ["input", "output"])
@pytest.mark.parametrize("new", [RELEASED, changed(more={"type": "string"})])
def test_the_same_or_more_fields_break_nothing(role: Role, new: dict[str, Any]) -> None:
    assert breaking_changes(RELEASED, new, role) == []


@pytest.mark.parametrize("role", ["input", "output"])
def test_a_field_that_is_gone_breaks(role: Role) -> None:
    new = {**RELEASED, "properties": {"name": NAME}}
    assert "$.note: is gone" in breaking_changes(RELEASED, new, role)


@pytest.mark.parametrize(
    ("role", "new", "said"),
    [
        ("input", {**RELEASED, "required": ["name", "kind"]}, "$.kind: is now required"),
        ("output", {**RELEASED, "required": []}, "$.name: is no longer always there"),
        ("input", changed(note={"type": "string"}), "$.note: was null or string, is string"),
        ("output", changed(kind={"anyOf": [{"type": "string"}, {"type": "null"}]}), "$.kind: was string, is null or"),
        ("input", changed(kind={"type": "string", "enum": ["a"]}), "$.kind: values are no longer accepted: ['b']"),
        ("input", {**RELEASED, "$defs": {"Name": {**NAME, "maxLength": 5}}}, "$.name: maxLength was 10, is 5"),
        ("input", {**RELEASED, "$defs": {"Name": {**NAME, "pattern": "^a"}}}, "$.name: pattern was None, is ^a"),
        ("output", {**RELEASED, "$defs": {"Name": {"type": "string"}}}, "$.name: maxLength was 10, is None"),
        (
            "output",
            changed(pairs={"type": "array", "items": {"prefixItems": [{"type": "string"}, {"type": "integer"}]}}),
            "$.pairs.items[0]: was integer, is string",
        ),
    ],
)
def test_what_breaks_a_partner_is_named(role: Role, new: dict[str, Any], said: str) -> None:
    assert any(change.startswith(said) for change in breaking_changes(RELEASED, new, role))


@pytest.mark.parametrize(
    ("role", "new"),
    [
        ("input", {**RELEASED, "required": []}),
        ("output", {**RELEASED, "required": ["name", "kind"]}),
        ("output", changed(note={"type": "string"})),
        ("input", changed(kind={"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]})),
        ("output", changed(kind={"type": "string", "enum": ["a", "b", "c"]})),
        ("input", {**RELEASED, "$defs": {"Name": {"type": "string"}}}),
    ],
)
def test_what_only_widens_or_adds_passes(role: Role, new: dict[str, Any]) -> None:
    assert breaking_changes(RELEASED, new, role) == []
