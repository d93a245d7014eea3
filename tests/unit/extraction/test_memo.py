"""The components that remember give what spaCy's own give, on every token."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

import services.cli
from services.extraction import memo, models

SAMPLES = Path(services.cli.__file__).parent / "samples"

TRAPS = """There is no way. There's a war, and there are bombs; there have been talks. Let's go, let us go, let 's go.
You're gonna see, he has gotta leave, I ain't going, they ain’t, y'all know, y' all. C'mon, c'm on! It's going to rain.
   Two  spaces,\ttabs\n\n and ALL CAPS: THERE ARE NO SEATS. That that is is. Them's fighting words. He'd've gone.
"""


def texts() -> Iterator[str]:
    yield from ("", " ", "There", "Let", TRAPS)
    for path in sorted(SAMPLES.iterdir()):
        try:
            yield str(json.loads(path.read_text())["body"])
        except (ValueError, KeyError):
            yield path.read_text()


def shown(doc: Doc) -> list[tuple[object, ...]]:
    return [
        (
            token.text,
            token.tag_,
            token.pos_,
            token.dep_,
            token.head.i,
            token.lemma_,
            str(token.morph),
            token.is_sent_start,
        )
        for token in doc
    ]


@pytest.fixture(scope="module")
def plain() -> Language:
    return spacy.load(models.DEFAULT_MODELS["en"], exclude=["senter"])


@pytest.fixture
def memoised() -> Language:
    nlp = spacy.load(models.DEFAULT_MODELS["en"], exclude=["senter"])
    memo.memoise(nlp)
    return nlp


def test_nothing_of_a_token_is_different(plain: Language, memoised: Language) -> None:
    assert memoised.pipe_names[3:5] == ["memoised_attribute_ruler", "memoised_lemmatizer"]
    for _ in range(2):  # learnt, and then remembered
        for text in texts():
            assert shown(memoised(text)) == shown(plain(text))


def test_a_full_memo_starts_anew(plain: Language, memoised: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "MEMO_TOKENS", 3)
    assert shown(memoised(TRAPS)) == shown(plain(TRAPS))


def test_later_rules_win_whether_they_are_about_one_token_or_several(plain: Language) -> None:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": "new"}]], {"LEMMA": "one"})  # type: ignore[attr-defined]
    ruler.add([[{"LOWER": "new"}, {"LOWER": "york"}]], {"LEMMA": "two", "POS": "PROPN"}, index=-2)  # type: ignore[attr-defined]
    ruler.add([[{"LOWER": "new"}, {"LOWER": "york"}, {"LOWER": "city"}]], {"POS": "X"}, index=2)  # type: ignore[attr-defined]
    ruler.add([[{"LOWER": "york"}]], {"POS": "NOUN"})  # type: ignore[attr-defined]
    before = nlp("a new New York city, New York City new")
    memo.memoise(nlp)
    assert nlp.pipe_names == ["memoised_attribute_ruler"]
    assert shown(nlp(before.text)) == shown(before)


@pytest.mark.parametrize("pattern", [{"LOWER": "new", "OP": "+"}, {"_": {"known": True}}, {"ENT_TYPE": "ORG"}])
def test_a_ruler_that_looks_further_than_a_token_is_left_as_it_is(pattern: dict[str, object]) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("attribute_ruler").add([[pattern]], {"POS": "X"})  # type: ignore[attr-defined]
    memo.memoise(nlp)
    assert nlp.pipe_names == ["attribute_ruler"]
