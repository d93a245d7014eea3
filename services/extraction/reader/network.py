"""The learned network, run by ONNX Runtime: cues of an article with their class, and what each word is to each cue.

Every window is computed by itself, on one thread: eight-bit arithmetic scales its numbers over all that is computed at
once, so that in company an article would be read differently, and a redelivered one would come out with other ids.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.extraction.reader.confidence import Calibration
from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import Window, Words

VOCABULARY, ENCODER, ARGUMENTS, CALIBRATION = "vocabulary.txt", "encoder.onnx", "arguments.onnx", "calibration.json"
"""Members of the file of weights."""

SHIPPED = Path(__file__).parent / "weights.zip"
"""The weights that come with the service; training/README.md says how they were made."""

FINGERPRINT_DIGITS = 12
"""Hexadecimal digits of the SHA-256 of the weights by which a reading names them."""

SECOND_LOOK = 0.5
"""Share of the argument head's word on a cue's class; the rest is the encoder's. Scores are added, so odds multiply."""

Floats = NDArray[np.float32]


class Task(IntEnum):
    """What a cue is a cue of, in the order of the network's outputs."""

    POSITION = 0
    QUOTE = 1


CANDIDATE = {Task.POSITION: 0.05, Task.QUOTE: 0.2}
"""Least probability of a cue for its arguments to be read, which costs as much as encoding thirty words.

Cues of quotes that are less likely end below every useful threshold; those of positions are less sure of themselves."""

CLASSES = {Task.POSITION: slice(0, 7), Task.QUOTE: slice(7, 9)}
"""Where the scores of a task's classes stand; the first class of each is "no cue"."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A word that may be a cue, and what the words of its window are to it."""

    task: Task
    window: Window
    at: int
    """Which word of the window it is."""
    probability: float
    """That it is a cue at all."""
    classes: Floats
    """Probability of each class, given that it is a cue."""
    roles: Floats
    """(words, 6): probability that a word is nothing, begins or goes on the source, the content, or is of the cue."""
    edges: Floats
    """(words, 4): probability that the source begins or ends, the content begins or ends here; on the cue itself that
    there is none."""


class Network:
    """Encoder and argument head."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """Load the weights in `path`. Raises OSError or zipfile.BadZipFile when there are none."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        content = path.read_bytes()
        self.fingerprint = hashlib.sha256(content).hexdigest()[:FINGERPRINT_DIGITS]
        with zipfile.ZipFile(BytesIO(content)) as archive:
            self.wordpieces = WordPieces(archive.read(VOCABULARY).decode("utf-8").split("\n"))
            self.calibration = Calibration.from_json(archive.read(CALIBRATION))
            self._encoder, self._arguments = (
                onnxruntime.InferenceSession(archive.read(name), options, providers=["CPUExecutionProvider"])
                for name in (ENCODER, ARGUMENTS)
            )

    def read(self, words: Words) -> Iterator[Predicate]:
        """Yield the candidates for cues in an article, in its order; those of positions first within a window.

        One holds some kilobytes of numbers, and a long article has thousands: use each, and let it go.
        """
        for window in words.windows():
            yield from self._predicates(window)

    def _predicates(self, window: Window) -> Iterator[Predicate]:
        pieces, features, places = window.encoded(self.wordpieces.first, self.wordpieces.last)
        states, scores = _run(self._encoder, pieces=[pieces], features=[features], places=[places])
        found = [
            (task, int(word))
            for task in Task
            for word in np.flatnonzero(1 - softmax(scores[0, :, CLASSES[task]])[:, 0] > CANDIDATE[task])
        ]
        if not found:
            return
        anchors, tasks = [word for _, word in found], [int(task) for task, _ in found]
        roles, edges, verdicts = _run(self._arguments, states=states, anchors=anchors, tasks=tasks)
        roles, edges = softmax(roles), softmax(edges, axis=1)
        for row, (task, word) in enumerate(found):
            both = (1 - SECOND_LOOK) * scores[0, word, CLASSES[task]] + SECOND_LOOK * verdicts[row, CLASSES[task]]
            classes = softmax(np.asarray(both, dtype=np.float32))
            yield Predicate(
                task, window, word, float(1 - classes[0]), classes[1:] / classes[1:].sum(), roles[row], edges[row]
            )


def _run(session: onnxruntime.InferenceSession, **inputs: Floats | list[int] | list[list[int]]) -> list[Floats]:
    """Return what a graph makes of its inputs; lists are whole numbers."""
    arrays = {
        name: value if isinstance(value, np.ndarray) else np.asarray(value, dtype=np.int64)
        for name, value in inputs.items()
    }
    outputs: list[Floats] = session.run(None, arrays)
    return outputs


def softmax(scores: Floats, axis: int = -1) -> Floats:
    """Return scores as probabilities that sum to one along an axis."""
    powers = np.exp(scores - scores.max(axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis, keepdims=True), dtype=np.float32)
