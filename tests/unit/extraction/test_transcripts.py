"""Turns of a printed conversation are told from its layout."""

import pytest

from services.extraction.document import parse
from services.extraction.transcripts import turns


def spoken(text: str) -> list[tuple[str, str]]:
    return [(text[slice(*turn.speaker)], text[slice(*turn.words)]) for turn in turns(parse(text))]


@pytest.mark.parametrize(
    ("asking", "answering"),
    [("Q", "A"), ("ADLER", "HOLM"), ("RUTH ADLER", "PETER HOLM")],
)
def test_labels_in_capitals_open_turns(asking: str, answering: str) -> None:
    text = f"{asking}: Who sold the mill?\n\n{answering}: I did. It was mine."
    assert spoken(text) == [(asking, "Who sold the mill?"), (answering, "I did. It was mine.")]


def test_what_a_speaker_is_belongs_to_no_name() -> None:
    text = "RUTH ADLER, HOST: Who sold the mill?\n\nPETER HOLM (on the phone): I did."
    assert spoken(text) == [("RUTH ADLER", "Who sold the mill?"), ("PETER HOLM", "I did.")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("WHERE: In the hall.\n\nWHEN: On Monday at nine.", id="a list asks nothing"),
        pytest.param("LONDON: Who sold the mill? Nobody knows.\n\nThe mill was built in 1880.", id="a dateline"),
        pytest.param("Q: Who sold the mill?\n\nThe answer is not known.\n\nA: I did.", id="not in a row"),
    ],
)
def test_other_labels_do_not(text: str) -> None:
    assert spoken(text) == []
