"""Readings in words: complete, plain, and harmless to a terminal."""

import pytest

from schemas import PositionStatus, Span
from services.cli import report
from tests.unit.cli.readings import reading


def test_a_quote_is_shown_without_the_cue_that_splits_it() -> None:
    [quote] = reading().quotes
    assert report.quote(quote).plain == "Ann <Lee> said: “We will build it,” … “by May & June.” (direct)"


def test_a_quote_without_a_speaker_is_still_a_quote() -> None:
    [quote] = reading().quotes
    unnamed = quote.model_copy(update={"speaker": None, "speaker_name": None, "cue": None})
    assert report.quote(unnamed).plain.startswith("somebody unnamed: “We will build it,”")
    mentioned = quote.model_copy(update={"speaker": Span(text="He", start=0, end=2), "speaker_name": None})
    assert report.quote(mentioned).plain.startswith("He said: ")


def test_a_position_names_holder_stance_target_and_how_it_is_stated() -> None:
    first, second = reading().positions
    assert report.position(first).plain == (
        "Ann <Lee> supports: build it [the bridge] (commit, direct quote, conditional)"
    )
    assert report.position(second).plain == "Ann <Lee> opposes: the toll [31m plan (reject, narration)"


def test_a_position_that_is_over_or_a_reproach_says_so() -> None:
    [first, _] = reading().positions
    told = first.model_copy(update={"status": PositionStatus.SUPERSEDED, "contested": True, "conditional": False})
    assert report.position(told).plain.endswith("(commit, direct quote, former, a reproach)")


def test_an_entity_is_counted() -> None:
    [entity] = reading().entities
    assert report.entity(entity).plain == "PERSON      Ann <Lee> (mayor) ×2"


def test_the_whole_reading_is_printed_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    report.show_article(reading())
    printed = capsys.readouterr().out
    assert "Bridge vote [a <1>, revision 1]" in printed
    assert "evidence: She[/b] rejected the toll [31m plan." in printed
    assert "\x1b" not in printed
    assert "×2" in printed


def test_an_article_that_was_not_read_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    article = reading()
    skipped = article.provenance.model_copy(update={"skipped": "no model is configured for language de"})
    report.show_article(article.model_copy(update={"provenance": skipped}))
    assert "not read: no model is configured for language de" in capsys.readouterr().out
