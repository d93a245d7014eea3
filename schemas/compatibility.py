"""Whether a new JSON Schema of an event only adds to the released one, so that programs written for that still work.

A producer of raw articles must still be accepted (the schema may only widen); a consumer of outputs must still find
what it relied on (the schema may only narrow or add). Consumers are told to ignore fields and to tolerate values of
a closed list that they do not know (docs/events.md), so those may be added to an output.
"""

from collections.abc import Iterator
from typing import Any, Literal

Role = Literal["input", "output"]
Schema = dict[str, Any]

LIMITS = ("const", "format", "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems")


def breaking_changes(released: Schema, current: Schema, role: Role) -> list[str]:
    """Return what in `current` breaks programs written for `released`, each with the path to it; empty if nothing."""
    return list(_Comparison(released, current, role).at("$", released, current))


class _Comparison:
    """Walks two schemas side by side; both documents are at hand to resolve references in."""

    def __init__(self, released: Schema, current: Schema, role: Role) -> None:
        self.released, self.current, self.role = released, current, role
        self.seen: set[tuple[str, str]] = set()

    def at(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        names = (old.get("$ref", ""), new.get("$ref", ""))
        if all(names):
            if names in self.seen:  # a recursive type is compared once
                return
            self.seen.add(names)
        old, new = _resolve(self.released, old), _resolve(self.current, new)
        yield from self._types(path, old, new)
        yield from self._values(path, old, new)
        yield from self._properties(path, old, new)
        for key in ("items", "additionalProperties"):
            if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
                yield from self.at(f"{path}.{key}", old[key], new[key])
        for index, pair in enumerate(zip(old.get("prefixItems", []), new.get("prefixItems", []), strict=False)):
            yield from self.at(f"{path}[{index}]", *pair)

    def _types(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = self._alternatives(self.released, old), self._alternatives(self.current, new)
        lost = before.keys() - after.keys() if self.role == "input" else after.keys() - before.keys()
        if lost:
            yield f"{path}: was {' or '.join(sorted(before))}, is {' or '.join(sorted(after))}"
        if "anyOf" in old or "anyOf" in new:
            for name in sorted(before.keys() & after.keys()):
                yield from self.at(path, before[name], after[name])

    @staticmethod
    def _alternatives(document: Schema, schema: Schema) -> dict[str, Schema]:
        """Return the shapes a value may have, by JSON type."""
        options = [_resolve(document, option) for option in schema.get("anyOf", [schema])]
        return {str(option.get("type", "any")): option for option in options}

    def _values(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        gone = set(old.get("enum", [])) - set(new.get("enum", []))
        if self.role == "input" and "enum" in new and (gone or "enum" not in old):
            yield f"{path}: values are no longer accepted: {sorted(gone) or 'any but a closed list'}"
        for limit in LIMITS:
            if old.get(limit) == new.get(limit):
                continue
            widened = limit not in new
            if widened == (self.role == "output") or (limit in old and limit in new):
                yield f"{path}: {limit} was {old.get(limit)}, is {new.get(limit)}"

    def _properties(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before.keys() - after.keys():
            yield f"{path}.{name}: is gone"
        required_before, required_after = set(old.get("required", [])), set(new.get("required", []))
        if self.role == "input":
            for name in sorted(required_after - required_before):
                yield f"{path}.{name}: is now required"
        else:
            for name in sorted((required_before - required_after) & after.keys()):
                yield f"{path}.{name}: is no longer always there"
        for name in before.keys() & after.keys():
            yield from self.at(f"{path}.{name}", before[name], after[name])


def _resolve(document: Schema, schema: Schema) -> Schema:
    """Return what a local reference points to, with the keywords that stand beside it."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
