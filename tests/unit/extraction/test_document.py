"""What part of an article each paragraph is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extraction.document import Zone, parse

ARTICLE = (
    "Ministers agree on new tax\n"
    "Opposition calls the plan a mistake\n"
    "The finance minister explains the plan on ‘Morning Talk.’\n"
    "By Jane Roe and John Doe\n"
    "OSLO, May 3 (Reuters) - The government agreed on Monday to raise the tax on oil.\n"
    "OIL PRICES FALL AFTER SURPRISE VOTE\n"
    "The vote came after weeks of debate.\n"
    "Ministers leave the building. (Anna Berg/Getty Images)\n"
    "Jane Roe is a reporter at the Daily Example."
)


def zones(text: str, title: str | None = None) -> list[tuple[str, Zone]]:
    return [(text[block.start : block.end], block.zone) for block in parse(text, title).blocks]


def test_knows_the_parts_of_a_wire_story() -> None:
    assert [zone for _, zone in zones(ARTICLE)] == [
        Zone.HEADLINE,
        Zone.DECK,
        Zone.CAPTION,
        Zone.BYLINE,
        Zone.DATELINE,
        Zone.BODY,
        Zone.RELATED_LINK,
        Zone.BODY,
        Zone.CAPTION,
        Zone.BYLINE,
    ]


def test_dateline_is_a_block_of_its_own() -> None:
    assert ("OSLO, May 3 (Reuters) -", Zone.DATELINE) in zones(ARTICLE)
    assert ("The government agreed on Monday to raise the tax on oil.", Zone.BODY) in zones(ARTICLE)


def test_single_sentence_is_body() -> None:
    assert zones("Merkel spoke.") == [("Merkel spoke.", Zone.BODY)]


def test_title_tells_the_headline_even_when_it_ends_like_a_sentence() -> None:
    text = "It is over now.\n\nThe talks failed on Monday, officials said."
    assert zones(text)[0][1] is Zone.BODY
    assert zones(text, title="It is over now.")[0][1] is Zone.HEADLINE


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85", "\n \n\t\n"])
def test_every_kind_of_line_end_divides_paragraphs(end: str) -> None:
    assert [words for words, _ in zones(f"One came first.{end}Two came next.")] == ["One came first.", "Two came next."]


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    text = (
        "The committee met on Monday and decided, after a long\n"
        "and at times heated debate in which all members spoke,\n"
        "that the matter should be put off until the next year,\n"
        "when a new report is due.\n"
        "\n"
        "The chairman was not satisfied with that decision and\n"
        "said so in public."
    )
    assert len(zones(text)) == 2


def test_zone_between_blocks_is_that_of_the_block_before() -> None:
    document = parse("Headline here\n\n\nThe body begins here, and ends.")
    assert document.zone_at(14) is Zone.HEADLINE
    assert document.zone_at(17) is Zone.BODY
    assert parse("").zone_at(0) is Zone.BODY


@given(st.text(max_size=300))
def test_blocks_cover_everything_but_white_space_in_order(text: str) -> None:
    last = 0
    for block in parse(text).blocks:
        assert last <= block.start < block.end
        assert not text[last : block.start].strip()
        last = block.end
    assert not text[last:].strip()
