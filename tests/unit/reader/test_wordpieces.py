"""Words fall into the longest pieces there are."""

import pytest

from services.extraction.reader.wordpieces import LONGEST_WORD, WordPieces

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##work", "##able", "##a", "b", "work", "e", "##e"]


@pytest.fixture
def wordpieces() -> WordPieces:
    return WordPieces(VOCABULARY)


def pieces(wordpieces: WordPieces, word: str) -> list[str]:
    return [VOCABULARY[number] for number in wordpieces(word)]


def test_the_longest_piece_first(wordpieces: WordPieces) -> None:
    assert pieces(wordpieces, "unworkable") == ["un", "##work", "##able"]


def test_case_and_accents_do_not_count(wordpieces: WordPieces) -> None:
    assert pieces(wordpieces, "Únwork") == ["un", "##work"]


@pytest.mark.parametrize("word", ["unworkz", "z", "\u0301", "b" + "a" * LONGEST_WORD])
def test_what_does_not_fall_into_pieces_is_unknown(wordpieces: WordPieces, word: str) -> None:
    assert pieces(wordpieces, word) == ["[UNK]"]


def test_a_full_memo_changes_nothing(wordpieces: WordPieces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.extraction.reader.wordpieces.MEMO_WORDS", 1)
    assert [pieces(wordpieces, word) for word in ("work", "unwork", "work")] == [["work"], ["un", "##work"], ["work"]]
