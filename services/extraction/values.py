"""Dates and amounts of money as numbers, beside the words of the text.

Words that leave the value open ("the past six months", "hundreds of millions") have none: a wrong date is worse
than no date.
"""

import re
from datetime import UTC, datetime, timedelta
from datetime import date as Date  # noqa: N812  # `date` is what this module offers
from functools import cache

from dateutil import parser
from dateutil.relativedelta import relativedelta
from price_parser import Price

from schemas import Money
from services.extraction.wordlists import rows

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "lakh": 1e5,
    "crore": 1e7,
    "million": 1e6,
    "m": 1e6,
    "mn": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "b": 1e9,
    "trillion": 1e12,
    "tn": 1e12,
}

MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
DAY = re.compile(
    rf"""
    (?: on\s )?
    (?: (?:{"|".join(WEEKDAYS)}) ,?\s )?
    (?: {MONTH} \s \d{{1,2}} (?:st|nd|rd|th)? | \d{{1,2}} (?:st|nd|rd|th)? \s {MONTH} )
    (?P<year> ,? \s \d{{4}} )?
    """,
    re.VERBOSE,
)
"""July 9, 2024; 9 July; Monday, Sept. 11"""
MONTH_OF_YEAR = re.compile(rf"{MONTH},?\s(?P<year>\d{{4}})")
YEAR = re.compile(r"(?P<year>1[5-9]\d\d|20\d\d)")
DECADE = re.compile(r"(?:the\s)?(?P<year>1[5-9]\d|20\d)0s")
YEARS = re.compile(r"(?P<first>1[5-9]\d\d|20\d\d)\s?[-–/]\s?(?P<last>\d{4}|\d\d)")
NEAR = re.compile(r"(?P<which>last|this|next|the\sprevious|past)\s(?P<unit>week|month|year)")
AGO = re.compile(r"(?P<number>\d{1,3}|[a-z]+)\s(?P<unit>day|week|month|year)s?\s(?:ago|earlier)")
WEEKDAY = re.compile(
    rf"(?:(?P<which>last|this|next|on|early|late)\s)?(?P<day>{'|'.join(WEEKDAYS)})"
    r"(?:\s(?:morning|afternoon|evening|night))?"
)
TODAY = {
    "today": 0,
    "tonight": 0,
    "this morning": 0,
    "this evening": 0,
    "yesterday": -1,
    "tomorrow": 1,
    "last night": -1,
}

MONEY = re.compile(
    r"(?P<number>\d[\d,.]*)\s?-?(?P<scale>hundred|thousand|million|billion|trillion|lakh|crore|[kmb]n?|tn)?\b",
    re.IGNORECASE,
)


def date(words: str, published_at: datetime | None) -> str | None:  # noqa: PLR0911  # a list of forms
    """Return the ISO 8601 date, month, week, year or interval that `words` stand for, or None when they cannot tell.

    Words that count from the day of writing ("Monday", "last week") need `published_at`. A weekday by itself is the
    latest one up to that day, as agencies use it; a day and month without a year is the one nearest to that day.
    """
    lower = " ".join(words.lower().split())
    day = published_at.date() if published_at else None
    if found := DAY.fullmatch(lower):
        return _day(lower, found["year"] is not None, day)
    if found := MONTH_OF_YEAR.fullmatch(lower):
        return _parsed(lower, int(found["year"])).isoformat()[:7]
    if YEAR.fullmatch(lower):
        return lower
    if found := DECADE.fullmatch(lower):
        return f"{found['year']}0/{found['year']}9"
    if found := YEARS.fullmatch(lower):
        first = found["first"]
        return f"{first}/{first[: 4 - len(found['last'])]}{found['last']}"
    try:
        return _relative(lower, day) if day else None
    except (ValueError, OverflowError):  # before the year 1, or after 9999
        return None


def _day(words: str, has_year: bool, day: Date | None) -> str | None:
    """Return the day of a month; without a year the one nearest to `day`."""
    words = words.removeprefix("on ")
    if not has_year and day is None:
        return None
    try:
        if has_year or day is None:
            return _parsed(words).isoformat()
        years = [_parsed(words, day.year + shift) for shift in (-1, 0, 1)]
    except ValueError:  # the 31st of a month of 30 days
        return None
    return min(years, key=lambda each: abs(each - day)).isoformat()


def _parsed(words: str, year: int = 2000) -> Date:
    """Return the day that dateutil reads; what the words leave out is the first of January of `year`."""
    parsed: datetime = parser.parse(words, default=datetime(year, 1, 1, tzinfo=UTC))
    return parsed.date()


def _relative(words: str, day: Date) -> str | None:
    """Return what words that count from `day` stand for."""
    if words in TODAY:
        return (day + timedelta(days=TODAY[words])).isoformat()
    if found := WEEKDAY.fullmatch(words):
        back = (day.weekday() - WEEKDAYS.index(found["day"])) % 7
        shift = {"last": -7 if back == 0 else 0, "next": 7}.get(found["which"] or "", 0)
        return (day + timedelta(days=shift - back)).isoformat()
    if found := NEAR.fullmatch(words):
        return _period(day, found["unit"], {"this": 0, "next": 1}.get(found["which"], -1))
    if found := AGO.fullmatch(words):
        number = NUMBERS.get(found["number"]) or (int(found["number"]) if found["number"].isdecimal() else None)
        return _period(day, found["unit"], -number) if number else None
    return None


def _period(day: Date, unit: str, shift: int) -> str:
    """Return the day, week, month or year that lies `shift` units after that of `day`."""
    moved: Date = day + relativedelta(**{f"{unit}s": shift})
    if unit == "week":
        return moved.strftime("%G-W%V")
    return moved.isoformat()[: {"day": 10, "month": 7, "year": 4}[unit]]


def money(words: str) -> Money | None:
    """Return the amount and currency of `words`, or None when they do not say both, or say a range.

    "$700 billion" is 700000000000 USD, "1.3 million euros" 1300000 EUR, "20 cents" 0.2 USD.
    """
    numbers = list(MONEY.finditer(words))
    currency = _currency(words)
    if len(numbers) != 1 or currency is None:
        return None
    amount = Price.fromstring(numbers[0]["number"]).amount_float
    if amount is None:
        return None
    scale = SCALES[numbers[0]["scale"].lower()] if numbers[0]["scale"] else 1.0
    if re.search(r"\b(?:cents?|pence)\b", words):
        scale /= 100
    return Money(amount=round(amount * scale, 2), currency=currency)


def _currency(words: str) -> str | None:
    """Return the ISO 4217 code of the currency that `words` name."""
    for form, code in _currencies():
        start = words.find(form)
        if start < 0:
            continue
        before, after = words[max(0, start - 1) : start], words[start + len(form) : start + len(form) + 1]
        if not (form[0].isalpha() and before.isalpha()) and not (form[-1].isalpha() and after.isalpha()):
            return code
    return None


def is_currency(word: str) -> bool:
    """Return whether `word` is the name of a currency ("euros")."""
    return len(word) > 2 and word.islower() and any(word == form for form, _ in _currencies())


@cache
def _currencies() -> tuple[tuple[str, str], ...]:
    """Return symbols and words with their currency, longest first, so that "C$" is found before "$"."""
    forms = [(form, code) for code, forms in rows("currencies.tsv") for form in forms.split("|")]
    return tuple(sorted(forms, key=lambda form: -len(form[0])))
