"""Capitals read as running text, offset for offset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extraction.document import parse
from services.extraction.truecase import readable


def last_line(text: str) -> str:
    return readable(parse(text)).rsplit("\n", 1)[1]


@pytest.mark.parametrize(
    ("capitals", "expected"),
    [
        ("PUTIN'S A ‘LITTLE BIT SCARED’ OF TRUMP", "Putin's a ‘little bit scared’ of Trump"),
        ("LABOUR PARTY LOSES VOTE IN LONDON", "Labour Party loses vote in London"),
        ("THE PARTY IS OVER FOR THE PRESIDENT", "The party is over for the president"),
        ("PRESIDENT OBAMA MEETS THE PRIME MINISTER", "President Obama meets the prime minister"),
        ("UNIVERSITY OF JENA CLOSES ITS DOORS", "University of Jena closes its doors"),
        ("U.S. AND NATO TROOPS LEAVE KABUL", "U.S. and NATO troops leave Kabul"),
        ("O'NEILL AND MCCAIN CLASH OVER TAXES", "O'Neill and McCain clash over taxes"),
        ("UNITED STATES WINS 5TH MATCH OF THE YEAR", "United States wins 5th match of the year"),
        ("ELECTION (XKCD) WAS A JOKE, CRITICS SAY", "Election (XKCD) was a joke, critics say"),
    ],
)
def test_capitals_become_running_text(capitals: str, expected: str) -> None:
    assert last_line(f"Something else happened before that.\n{capitals}") == expected


def test_the_article_itself_is_asked_first() -> None:
    text = "A company called deBank said that deBank had grown.\nDEBANK GROWS AGAIN, SAYS RIVAL"
    assert last_line(text) == "deBank grows again, says rival"


def test_headline_case_is_lowered_where_words_are_common() -> None:
    text = "Trump Wants Members To Increase Spending\n\nMembers of the alliance met in Paris on Monday, officials said."
    assert readable(parse(text)).startswith("Trump wants members to increase spending")


def test_shouted_surname_in_a_caption_is_quietened() -> None:
    text = "Talks went on.\nA handshake. (Sergei PETROVSKY / POOL / AFP)"
    assert "Sergei Petrovsky / POOL / AFP" in readable(parse(text))


def test_acronyms_in_ordinary_lines_stay() -> None:
    text = "The OPEC ministers and UNESCO met in Vienna, and NATO did not."
    assert readable(parse(text)) == text


def test_word_without_end_is_broken_for_the_tokenizer() -> None:
    assert max(map(len, readable(parse("x" * 10_000)).split())) < 200


@given(st.text(max_size=300), st.booleans())
def test_length_never_changes(text: str, upper: bool) -> None:
    text = text.upper() if upper else text
    assert len(readable(parse(text))) == len(text)
