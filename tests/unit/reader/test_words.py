"""What the encoder sees of an article: words, their features, and windows that hold every word once."""

from hypothesis import given
from hypothesis import strategies as st

from services.extraction import document, quotation
from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import Words

LETTERS = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
WORDPIECES = WordPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + each for each in LETTERS)])


def words_of(text: str) -> Words:
    parsed = document.parse(text)
    return Words.of(parsed, quotation.passages(text, [(b.start, b.end) for b in parsed.blocks]), WORDPIECES)


def test_features_tell_shape_and_quotation() -> None:
    text = "The council met in Oslo on Monday.\n\nKeller of NATO said: “We left.” He did."
    words = words_of(text)
    features = {text[slice(*span)]: feature for span, feature in zip(words.spans, words.features, strict=True)}
    assert [features[word] for word in ("of", "Keller", "NATO", "left", "We", "did")] == [0, 1, 2, 3, 4, 0]


def test_between_takes_words_that_are_cut() -> None:
    text = "One two three."
    words = words_of(text)
    assert words.between(0, 3) == (0, 1)
    assert words.between(5, 9) == (1, 3)
    assert words.between(3, 4) == (1, 1)


@given(st.lists(st.text("ab .\n“”", max_size=60), max_size=12), st.integers(16, 64))
def test_windows_hold_every_word_once_and_no_more_pieces_than_they_may(paragraphs: list[str], size: int) -> None:
    words = words_of("\n".join(paragraphs))
    windows = list(words.windows(size))
    assert [word for window in windows for word in window.words] == list(range(len(words.spans)))
    for window in windows:
        pieces, features, places = window.encoded(WORDPIECES.first, WORDPIECES.last)
        assert len(pieces) == len(features)
        # One word of sixty letters is the longest thing that cannot be cut.
        assert len(pieces) <= max(size, 62)
        assert [pieces[place] for place in places] == [words.pieces[word][0] for word in window.words]


def test_the_windows_of_a_paragraph_do_not_depend_on_what_comes_after() -> None:
    text = "A man said that it was so. " * 60
    short, long = words_of(text + "\n\nEnd of it."), words_of(text + "\n\nEnd of it.\n\nAnd more to come.")
    assert [window.words for window in short.windows()][:-1] == [window.words for window in long.windows()][:-1]
