"""Dates and amounts of money as numbers, beside the words of the text."""

from datetime import datetime

from schemas import Money


def date(words: str, published_at: datetime | None) -> str | None:
    """Return the ISO 8601 date or interval that `words` stand for, or None when they cannot tell."""
    return None


def money(words: str) -> Money | None:
    """Return the amount and currency of `words`, or None when they do not say both."""
    return None
