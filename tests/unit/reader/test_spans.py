"""From probabilities to spans."""

import numpy as np
import pytest

from services.extraction import document
from services.extraction.reader import spans
from services.extraction.reader.network import Predicate, Task
from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import Words

TEXT = "We won , she said , and left ."
OTHER, SOURCE_BEGINS, SOURCE, CONTENT_BEGINS, CONTENT, CUE = range(6)


def predicate(roles: list[int], edges: tuple[int, int, int, int], at: int = 4) -> Predicate:
    """Return a predicate whose network is nearly sure of `roles` (one a word) and `edges` (a word each)."""
    words = Words.of(document.parse(TEXT), [], WordPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    (window,) = words.windows()
    sure = np.full((len(roles), 6), 0.01, dtype=np.float32)
    sure[np.arange(len(roles)), roles] = 0.95
    pointers = np.full((len(roles), 4), 0.01, dtype=np.float32)
    pointers[list(edges), np.arange(4)] = 0.9
    return Predicate(Task.QUOTE, window, at, 0.9, np.ones(1, dtype=np.float32), sure, pointers)


SAID = [CONTENT_BEGINS, CONTENT, OTHER, SOURCE_BEGINS, CUE, OTHER, CONTENT_BEGINS, CONTENT, OTHER]


def test_contents_are_what_lies_between_the_edges_without_the_attribution() -> None:
    assert spans.contents(predicate(SAID, (3, 3, 0, 7))) == [(0, 2), (6, 8)]


def test_edges_decide_where_contents_begin_and_end() -> None:
    roles = [OTHER, CONTENT, OTHER, SOURCE_BEGINS, CUE, OTHER, OTHER, OTHER, OTHER]
    assert spans.contents(predicate(roles, (3, 3, 0, 1))) == [(0, 2)]


def test_an_argument_that_points_to_the_cue_is_none() -> None:
    assert spans.argument(predicate(SAID, (4, 4, 0, 7)), spans.SOURCE)[0] is None


def test_an_argument_with_its_probability() -> None:
    found, likely = spans.argument(predicate(SAID, (3, 3, 0, 7)), spans.SOURCE)
    assert found == (3, 4)
    assert round(likely, 2) == 0.81


def test_the_cue_is_the_run_of_words_around_its_anchor() -> None:
    roles = [OTHER, OTHER, OTHER, CUE, CUE, OTHER, CUE, OTHER, OTHER]
    assert spans.cue(predicate(roles, (4, 4, 0, 1))) == (3, 5)


def test_a_second_argument_where_both_edges_are_likely() -> None:
    two = predicate(SAID, (0, 0, 6, 7))
    two.edges[7, 0] = two.edges[8, 1] = 0.4
    assert [span for span, _ in spans.further(two, spans.SOURCE, (0, 1), 0.3)] == [(7, 9)]
    assert list(spans.further(two, spans.SOURCE, (0, 1), 0.5)) == []


@pytest.mark.parametrize("words", [1, 2, 7, 40])
@pytest.mark.parametrize("longest", [1, 3, 60])
def test_the_best_span_is_the_likeliest_of_all_that_are_short_enough(words: int, longest: int) -> None:
    numbers = np.random.default_rng(0)
    for _ in range(30):
        begins, ends, inside = (numbers.random(words, dtype=np.float32) ** 3 for _ in range(3))
        gain = np.log(inside + spans.LITTLE) - np.log(1 - inside + spans.LITTLE)

        def weight(span: tuple[int, int]) -> float:
            edges = np.log(begins[span[0]] + spans.LITTLE) + np.log(ends[span[1]] + spans.LITTLE)  # noqa: B023
            return float(edges + spans.ROLE_WEIGHT * gain[span[0] : span[1] + 1].sum())  # noqa: B023

        short = [(first, last) for first in range(words) for last in range(first, min(words, first + longest))]
        assert spans._best(begins, ends, inside, inside, longest) == max(short, key=weight)


def test_a_span_that_is_too_long_gives_way_to_the_best_that_is_not() -> None:
    begins, ends, inside = np.full(6, 0.01, np.float32), np.full(6, 0.01, np.float32), np.full(6, 0.9, np.float32)
    begins[0], ends[5], begins[4] = 0.9, 0.9, 0.5
    assert spans._best(begins, ends, inside, inside, 6) == (0, 5)
    assert spans._best(begins, ends, inside, inside, 3) == (4, 5)
