"""What a position is about: major topics of the Comparative Agendas Project (CAP), the best two with their scores.

A table has a row of weights for each word and pair of words; a text is the sum of its rows, and one hidden layer looks
at what they mean together. Every text has the same length to it, however many words it has, so that headlines can teach
it what sentences are about. training/topics/README.md says how the weights were made.
"""

import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas import Topic
from services.extraction import wordlists
from services.extraction.document import Offsets

SHIPPED = Path(__file__).parent / "data" / "topics.zip"

GRAMS, RARITY, WEIGHTS, SETTINGS = "grams.txt", "rarity.f2", "weights.i1", "settings.json"
"""Members of the file of weights: words and pairs; how rare each is; its weight for each code; the rest."""

OTHER = "other"
"""Code of a position whose topic is not clear from its words."""

OPENING = 400
"""Code points of the article's beginning, its title with it, that are read for what the article is about."""

HEADLINE, POSITION = "headline", "position"
"""The kinds of text that the model was taught on: how often each topic comes differs between them."""

WORD = re.compile(r"(?:[a-z]\.){2,}|[a-z]+|\d+")
"""On lower-cased text without accents and apostrophes; "u.s." is one word."""

Floats = NDArray[np.float64]


def grams(text: str) -> Iterator[str]:
    """Yield the words of a text, and its pairs of neighbours once words of grammar are left out ("war on *drugs*")."""
    lower = re.sub(r"['’]s\b|['’]", "", text.lower())
    plain = "".join(each for each in unicodedata.normalize("NFD", lower) if unicodedata.category(each) != "Mn")
    words = [word.replace(".", "") for word in WORD.findall(plain)]
    yield from words
    for first, second in pairwise(word for word in words if word not in _grammar()):
        yield f"{first} {second}"


@cache
def _grammar() -> frozenset[str]:
    return frozenset(wordlists.words("function_words.txt"))


class Topics:
    """The weights, and what they make of a text. The same text gets the same scores on every machine."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """Load the weights in `path`. Raises OSError or zipfile.BadZipFile when there are none."""
        with zipfile.ZipFile(path) as archive:
            settings = json.loads(archive.read(SETTINGS))
            names = archive.read(GRAMS).decode("utf-8").split("\n")
            self._rarity = np.frombuffer(archive.read(RARITY), dtype="<f2")
            weights = np.frombuffer(archive.read(WEIGHTS), dtype=np.int8)
        self.codes: tuple[str, ...] = tuple(settings["codes"])
        self._places = {name: place for place, name in enumerate(names)}
        self._weights = weights.reshape(len(names), -1)
        self._steps = np.repeat(settings["steps"], [len(self.codes), self._weights.shape[1] - len(self.codes)])
        self._hidden_bias, self._out = np.array(settings["hidden_bias"]), np.array(settings["out"])
        self._biases = {kind: np.array(bias) for kind, bias in settings["biases"].items()}
        self._shares: list[float] = settings["shares"]
        self._sharpness: float = settings["sharpness"]
        self._least: float = settings["least"]

    def headline(self, text: str) -> list[Topic]:
        """Return the two likeliest of CAP's topics for a headline, arts, sports and weather among them."""
        return _best(self.codes, self._scores([text], [1.0], HEADLINE))

    def position(self, target: str, evidence: str, opening: str) -> list[Topic]:
        """Return the two likeliest topics of a position, or OTHER alone with the chance that the likeliest is wrong.

        `target`: what it is about, in the text's words; `evidence`: its sentence; `opening`: how the article begins.
        """
        scores = self._scores([target, evidence, opening], self._shares, POSITION)
        best = _best(self.codes, scores * self._sharpness)
        if best[0].score < self._least:
            return [Topic(code=OTHER, score=round(1 - best[0].score, 2))]
        return best

    def _scores(self, texts: Sequence[str], shares: Sequence[float], kind: str) -> Floats:
        """Return the score of each code for texts, each with its share of the verdict."""
        row = np.zeros(self._weights.shape[1])
        for text, share in zip(texts, shares, strict=True):
            row += share * self._row(text)
        direct, hidden = np.split(row * self._steps, [len(self.codes)])
        scores: Floats = direct + np.maximum(hidden + self._hidden_bias, 0.0) @ self._out + self._biases[kind]
        return scores

    def _row(self, text: str) -> Floats:
        """Return the sum of the rows of a text's words and pairs, rare ones the more; zeros when none is known."""
        known = sorted({self._places[gram] for gram in grams(text) if gram in self._places})
        rarity = self._rarity[known].astype(np.float64)
        length = float(np.sqrt(rarity @ rarity)) or 1.0
        row: Floats = (rarity / length) @ self._weights[known]
        return row


def _best(codes: Sequence[str], scores: Floats) -> list[Topic]:
    """Return the two likeliest, with probabilities in hundredths: no finer is known, nor the same on every machine.

    Of equals the first in the order of the codes.
    """
    powers = np.exp(scores - scores.max())
    rounded = np.round(powers / powers.sum(), 2)
    ranked = np.argsort(-rounded, kind="stable")[:2]
    return [Topic(code=codes[place], score=float(rounded[place])) for place in ranked]


@cache
def shipped() -> Topics:
    """Return the model that comes with the service, loaded once a process."""
    return Topics()


def of_position(text: str, target_name: str | None, target: Offsets, evidence: Offsets) -> list[Topic]:
    """Return the topics of a position in an article's `text`; `target_name` is what a pronoun target stands for."""
    named = target_name or text[slice(*target)]
    return shipped().position(named, text[slice(*evidence)], text[:OPENING])
