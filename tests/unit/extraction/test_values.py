"""Dates and amounts of money."""

from datetime import UTC, datetime

import pytest

from services.extraction import values

MONDAY = datetime(2025, 2, 17, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("July 9, 2024", "2024-07-09"),
        ("9 July 2024", "2024-07-09"),
        ("Monday, Feb. 3", "2025-02-03"),
        ("December 6", "2024-12-06"),
        ("May 2024", "2024-05"),
        ("2016", "2016"),
        ("the 1990s", "1990/1999"),
        ("2007-08", "2007/2008"),
        ("Monday", "2025-02-17"),
        ("Tuesday night", "2025-02-11"),
        ("last Friday", "2025-02-14"),
        ("last week", "2025-W07"),
        ("next month", "2025-03"),
        ("two years ago", "2023"),
        ("yesterday", "2025-02-16"),
    ],
)
def test_date_of_words(words: str, expected: str) -> None:
    assert values.date(words, MONDAY) == expected


@pytest.mark.parametrize("words", ["the past six months", "recent years", "Feb. 31, 2024", "spring", "", "99 days"])
def test_open_words_have_no_date(words: str) -> None:
    assert values.date(words, MONDAY) is None


def test_words_that_count_from_the_day_of_writing_need_it() -> None:
    assert values.date("Monday", None) is None
    assert values.date("December 6", None) is None
    assert values.date("2016", None) == "2016"


def test_days_outside_the_calendar_have_no_date() -> None:
    assert values.date("last year", datetime(1, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("words", "amount", "currency"),
    [
        ("$700 billion", 700e9, "USD"),
        ("about 1.3 million euros", 1.3e6, "EUR"),
        ("£2bn", 2e9, "GBP"),
        ("C$3 million", 3e6, "CAD"),
        ("5,000 Canadian dollars", 5000, "CAD"),
        ("20 cents", 0.2, "USD"),
        ("Rs 500 crore", 5e9, "INR"),
    ],
)
def test_money_of_words(words: str, amount: float, currency: str) -> None:
    money = values.money(words)
    assert money is not None
    assert (money.amount, money.currency) == (amount, currency)


@pytest.mark.parametrize(
    "words", ["hundreds of millions of dollars", "between $5 million and $10 million", "700 billion"]
)
def test_open_amounts_are_none(words: str) -> None:
    assert values.money(words) is None
