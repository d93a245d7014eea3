"""Limits on a message before it is read, each with a reason of its own. Cheap checks come first."""

import re

from schemas import RawArticle, Reason
from services.enricher.settings import Settings

# A JSON string, escapes and all. Possessive, so that it cannot backtrack; an unclosed string reaches to the end.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class RefusedError(Exception):
    """A message is beyond a limit, or is no article. `message` names the fault without quoting the input."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def check_bytes(value: bytes | None, settings: Settings) -> bytes:
    """Return the bytes of a message that is worth parsing; raises RefusedError."""
    if not value:
        raise RefusedError(Reason.EMPTY, "the message has no value")
    if len(value) > settings.max_message_bytes:
        message = f"{len(value)} bytes, more than {settings.max_message_bytes}"
        raise RefusedError(Reason.MESSAGE_TOO_LARGE, message)
    if too_deep(value, settings.max_json_depth):
        raise RefusedError(Reason.TOO_DEEP, f"nested more than {settings.max_json_depth} levels deep")
    return value


def check_article(article: RawArticle, settings: Settings) -> None:
    """Raise RefusedError when an article is larger than what is read."""
    title, text, extra = article.title or "", article.text, article.model_extra or {}
    for reason, name, length, limit in (
        (Reason.TITLE_TOO_LONG, "title", len(title), settings.max_title_length),
        (Reason.TEXT_TOO_LONG, "text", len(text), settings.max_text_length),
    ):
        if length > limit:
            raise RefusedError(reason, f"{name}: {length} characters, more than {limit}")
    if len(extra) > settings.max_extra_fields:
        message = f"{len(extra)} fields beside those of the contract, more than {settings.max_extra_fields}"
        raise RefusedError(Reason.TOO_MANY_FIELDS, message)


def too_deep(value: bytes, deepest: int) -> bool:
    """Return whether JSON nests deeper than `deepest` levels, in time linear in its length, without parsing it.

    Of bytes that are not JSON it may say either: they are refused anyway.
    """
    if value.count(b"[") + value.count(b"{") <= deepest:  # nearly every article; it cannot be deeper then
        return False
    depth = 0
    for bracket in _STRING.sub(b"", value).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > deepest:
            return True
    return False
