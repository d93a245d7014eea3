"""Whatever the text: every span is the text's own, nothing is raised, and the work grows with the length alone."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import EnrichedArticle, RawArticle
from services.extraction import quotation
from services.extraction.pipeline import Pipeline

ODD = [
    "", " ", "\n", "\r\n", "\r\n\r\n", "\u200b", "\ufeff", "\u200f", "\u202e", "\u00a0", "\u2028", "\t", "\x00", "\x0b",
    "\u0301", "é", "ß", "İ", "ﬃ", "𝔘𝔫", "👩‍👩‍👧", "🇳🇴", "שלום", "مرحبا", "新闻", "ǅ",
    '"', "“", "”", "‘", "’", "'", "''", "``", "«", "»", "„", "<", ">", "=", "(", ")", "—", "…", "%", "$", "\\",
]  # fmt: skip
WORDS = [
    "said", "Anna Keller", "PUTIN", "he", "who", "They", "that", "will not", "should", "according to", "The minister",
    "We must raise taxes", "opposes", "the bill", "Mr.", "U.S.", "5%", ":", ",", ".", "?", "Q:", "By Jane Roe",
    "(Photo by A. Writer/Getty Images)", "WASHINGTON (Reuters) -", "called for", "if", "and", "“Yes,” she said.",
]  # fmt: skip
PIECES = st.one_of(st.sampled_from(ODD), st.sampled_from(WORDS), st.text(max_size=12))
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", " ", "\n", "\n\n"])), max_size=60).map(
    lambda pieces: "".join(piece + space for piece, space in pieces)
)


def spans(node: Any) -> Iterator[dict[str, Any]]:
    """Yield everything in an event that has a text and offsets."""
    if isinstance(node, dict):
        if {"start", "end", "text"} <= node.keys():
            yield node
        for value in node.values():
            yield from spans(value)
    elif isinstance(node, list):
        for value in node:
            yield from spans(value)


def check(reading: EnrichedArticle, text: str) -> None:
    assert reading.text == text
    event = reading.model_dump(mode="json")
    for part in ("entities", "quotes", "positions"):
        for span in spans(event[part]):
            assert text[span["start"] : span["end"]] == span["text"]
    for quote in reading.quotes:
        assert quote.fragments[0][0] == quote.start
        assert quote.fragments[-1][1] == quote.end
        assert all(start < end for start, end in quote.fragments)
        assert [start for start, _ in quote.fragments] == sorted(start for start, _ in quote.fragments)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=TEXTS)
def test_every_span_is_the_texts_own(pipeline: Pipeline, body: str) -> None:
    (reading,) = pipeline.read([RawArticle(article_id="a", body=body)])
    check(reading, body)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=TEXTS, body=TEXTS)
def test_with_a_title_too(pipeline: Pipeline, title: str, body: str) -> None:
    article = RawArticle(article_id="a", body=body, title=title)
    check(pipeline.read([article])[0], article.text)


@pytest.mark.timeout(600)  # half a minute of computing, on whatever machine
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("Bridge", id="one word"),
        pytest.param('"', id="one mark"),
        pytest.param('"Yes," said Anna Keller. ' * 1_000, id="24 kB of quotes"),
        pytest.param("word " * 5_000, id="25 kB without a full stop"),
        pytest.param("“We must, he said. " * 1_000, id="19 kB of marks that nobody closes"),
        pytest.param('He said "no" and “yes ‘maybe\r\n' * 7_000, id="200 kB of broken lines"),
    ],
)
def test_large_and_small_bodies(pipeline: Pipeline, body: str) -> None:
    (reading,) = pipeline.read([RawArticle(article_id="a", body=body)])
    check(reading, body)


def lines_run(work: Callable[[], object]) -> int:
    """Return how many lines of the extraction's code run in `work`: what it costs, whatever the machine."""
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        if "services/extraction" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("unit", ['"', "'", "“", "‘", "’ ", "''", "``", '" a', "'s a", "as' a ", "«", '= "', "“a ‘b "])
def test_marks_cost_what_their_number_says(unit: str) -> None:
    def cost(times: int) -> int:
        text = unit * times
        return lines_run(lambda: quotation.passages(text, [(0, len(text))]))

    assert cost(8_000) <= 4.2 * cost(2_000) + 200


@pytest.mark.parametrize(
    "unit",
    [
        '"Yes," said Anna Keller. ',
        '"Yes" and "no", she said, ',
        "“We must, he said. ",
        'He said "no" and “yes ‘maybe\n',
        "Paul said that Anna said that ",
        "He wants and wants to want and ",
        "word ",
    ],
)
def test_reading_costs_what_the_length_says(pipeline: Pipeline, unit: str) -> None:
    def cost(times: int) -> int:
        article = RawArticle(article_id="a", body=unit * times)
        return lines_run(lambda: pipeline.read([article]))

    cost(1)  # word lists are read once
    assert cost(400) <= 4.8 * cost(100) + 2_000


def test_two_hundred_kilobytes_of_marks_are_pairs() -> None:
    text = '"' * 200_000
    assert len(quotation.passages(text, [(0, len(text))])) == 100_000


def test_marks_around_nothing_are_no_quotes(pipeline: Pipeline) -> None:
    body = '"' * 20_000
    (reading,) = pipeline.read([RawArticle(article_id="a", body=body)])
    check(reading, body)
    assert reading.quotes == []
