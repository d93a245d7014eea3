"""From what each word is to a cue, the spans of its arguments.

The network says twice where an argument lies: by its two edges, and by the role of every word. Edges are sharp but know
nothing of what lies between them; roles are the other way round. A span is chosen that both find likely.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from services.extraction.reader.network import Floats, Predicate

SOURCE, CONTENT = 0, 1
"""The two arguments: whose columns come first and second among the edges and the roles of a predicate."""

CUE_ROLE = 5

ROLE_WEIGHT = 0.3
"""How much the role of one word counts against an edge. Chosen on articles held out from training, between 0.05, where
edges rule, and 1, where roles do; both are worse."""

LONGEST_ARGUMENT = 60
"""Words of a source, holder or target at most; what is quoted has no such bound."""

LITTLE = 1e-6

Range = tuple[int, int]
"""First word in a window, and the one after the last."""


def cue(predicate: Predicate) -> Range:
    """Return the words of the cue around its strongest one, without marks at their edges ("said:")."""
    is_cue = predicate.roles.argmax(1) == CUE_ROLE
    first, after = predicate.at, predicate.at + 1
    while first > 0 and is_cue[first - 1]:
        first -= 1
    while after < len(is_cue) and is_cue[after]:
        after += 1
    while first < predicate.at and _only_marks(predicate, first, first + 1):
        first += 1
    while after - 1 > predicate.at and _only_marks(predicate, after - 1, after):
        after -= 1
    return first, after


def argument(predicate: Predicate, which: int) -> tuple[Range | None, float]:
    """Return the likeliest span of an argument, and the probability of its two edges.

    None where the cue itself is the likeliest: so the network says that there is no such argument in the window.
    """
    begins, ends = _edges(predicate, which)
    share = _share(predicate, which)
    first, last = _best(begins, ends, share, share, LONGEST_ARGUMENT)
    likely = float(begins[first] * ends[last])
    nothing = float(begins[predicate.at] * ends[predicate.at])
    if first <= predicate.at <= last or nothing > likely:
        return None, max(likely, nothing)
    return (first, last + 1), likely


def further(predicate: Predicate, which: int, known: Range, least: float) -> Iterator[tuple[Range, float]]:
    """Yield more arguments of the same kind ("the House and *the Senate*") whose edges both have `least`."""
    begins, ends = (column.copy() for column in _edges(predicate, which))
    begins[slice(*known)] = ends[slice(*known)] = 0
    lasts = np.flatnonzero(ends > least).tolist()
    for first in np.flatnonzero(begins > least).tolist():
        last = next((each for each in lasts if first <= each < first + LONGEST_ARGUMENT), None)
        if last is not None and not first <= predicate.at <= last and not first < known[0] <= last:
            yield (first, last + 1), float(begins[first] * ends[last])


def contents(predicate: Predicate) -> list[Range]:
    """Return what is said as runs of words, in order: what lies between its edges without the attribution inside.

    Gaps of punctuation alone are closed.
    """
    begins, ends = _edges(predicate, CONTENT)
    attribution = np.maximum(predicate.roles[:, CUE_ROLE], _share(predicate, SOURCE))
    content = _share(predicate, CONTENT)
    first, last = _best(begins, ends, np.maximum(content, attribution), content, len(begins))
    role = predicate.roles.argmax(1)[first : last + 1]
    words = np.flatnonzero((role == 1 + 2 * CONTENT) | (role == 2 + 2 * CONTENT)) + first
    runs: list[list[int]] = []
    for word in words.tolist() or [first]:
        if runs and _only_marks(predicate, runs[-1][1], word):
            runs[-1][1] = word + 1
        else:
            runs.append([word, word + 1])
    runs[0][0], runs[-1][1] = first, last + 1
    return [(start, after) for start, after in runs if not _only_marks(predicate, start, after)]


def certainty(predicate: Predicate, runs: list[Range]) -> float:
    """Return the mean probability that the words of `runs` are content."""
    share = _share(predicate, CONTENT)
    return float(np.concatenate([share[first:after] for first, after in runs]).mean()) if runs else 0.0


def _edges(predicate: Predicate, which: int) -> tuple[Floats, Floats]:
    return predicate.edges[:, 2 * which], predicate.edges[:, 2 * which + 1]


def _share(predicate: Predicate, which: int) -> Floats:
    """Return the probability of every word that it is part of an argument."""
    return np.asarray(predicate.roles[:, 1 + 2 * which : 3 + 2 * which].sum(1), dtype=np.float32)


def _best(begins: Floats, ends: Floats, inside: Floats, required: Floats, longest: int) -> Range:
    """Return the first and last word of the span of at most `longest` words that edges and roles find likeliest.

    `inside` is the probability of each word to stand in such a span; outside of it only what is `required` is missed.
    """
    gain = np.log(inside + LITTLE) - np.log(1 - required + LITTLE)
    total = np.concatenate([[0.0], np.cumsum(gain)]) * ROLE_WEIGHT
    beginning, ending = np.log(begins + LITTLE) - total[:-1], np.log(ends + LITTLE) + total[1:]
    last = int((np.maximum.accumulate(beginning) + ending).argmax())
    first = int(beginning[: last + 1].argmax())
    if last - first < longest:
        return first, last
    # Seldom is the likeliest of all spans too long, and only then the first words of each last one are counted off.
    reached = sliding_window_view(np.concatenate([np.full(longest - 1, -np.inf), beginning]), longest)
    last = int((reached.max(1) + ending).argmax())
    return last - longest + 1 + int(reached[last].argmax()), last


def _only_marks(predicate: Predicate, first: int, after: int) -> bool:
    article = predicate.window.article
    return all(
        not article.text[article.spans[predicate.window.words[word]][0]].isalnum() for word in range(first, after)
    )
