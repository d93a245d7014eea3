"""Deterministic ids: the same article always yields the same ids, so a redelivered one overwrites and never adds."""

import json
from uuid import NAMESPACE_URL, UUID, uuid5

NAMESPACE: UUID = uuid5(NAMESPACE_URL, "urn:onrecord:ids:v1")
"""Root of every id. Changing it changes every id that was ever published."""


def item_id(article_id: str, revision: int, kind: str, *fields: str | int | None) -> str:
    """Return the uuid5 of an item as text.

    `kind` is what the item is ("entity", "quote", "position", "enriched"); `fields` are those that tell it from the
    other items of its kind in the article. JSON joins them, so that no two different lists give the same name.
    """
    return str(uuid5(NAMESPACE, json.dumps([article_id, revision, kind, *fields])))
