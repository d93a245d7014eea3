"""Write the network as the one file that the service reads: `python -m training.reader.export RUN [RUN ...] FILE`.

Of several runs, which must have begun with the same weights, the mean is written: it reads better than each of them
and costs no more ("model soup": Wortsman et al. 2022).

The file is an uncompressed ZIP of the vocabulary and of two ONNX graphs, encoder and argument head, in eight bits (see
eight_bits.py). `--fp32` keeps 32 bits, to measure what the rounding costs.
"""

import argparse
import hashlib
import itertools
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from services.extraction.reader.confidence import UNCALIBRATED
from services.extraction.reader.network import ARGUMENTS, CALIBRATION, ENCODER, VOCABULARY
from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import Window
from training.reader import gold
from training.reader.eight_bits import in_eight_bits
from training.reader.network import Reader, Sizes

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time stamp of every member: the same weights make the same file."""

ENCODER_NAMES = (("pieces", "features", "places"), ("states", "cues"))
ARGUMENT_NAMES = (("states", "anchors", "tasks"), ("roles", "edges", "verdicts"))
"""Inputs and outputs of the two graphs."""

SEEN_ARTICLES = 12
"""Articles in which the rounding looks for large columns; they are the same columns in every text."""

SEEN_PIECES = 160
"""Size of the windows in which it looks: on held-out articles eight bits then lost less against 32 than with 192."""


def load(*runs: Path) -> tuple[Reader, list[str]]:
    """Return the network that is the mean of some runs, and their vocabulary; raises ValueError where that differs."""
    vocabularies = {(run / "vocabulary.txt").read_text(encoding="utf-8") for run in runs}
    if len(vocabularies) > 1:
        raise ValueError("runs with other vocabularies cannot be averaged")
    vocabulary = vocabularies.pop().split("\n")
    network = Reader(len(vocabulary), Sizes())
    weights = [_weights(run) for run in runs]
    network.load_state_dict({name: sum(each[name] for each in weights) / len(weights) for name in weights[0]})
    return network.eval(), vocabulary


def _weights(run: Path) -> Mapping[str, Tensor]:
    """Return the weights of a run, or of its last checkpoint while it is not finished."""
    finished = run / "reader.pt"
    found: Mapping[str, Tensor] = (
        torch.load(finished) if finished.exists() else torch.load(run / "run.pt", weights_only=False)["average"]
    )
    return found


def export(network: Reader, vocabulary: Sequence[str], path: Path) -> str:
    """Write the file and return its SHA-256."""
    length, words, width = 200, 160, Sizes().width
    pieces = torch.full((1, length), 7)
    encoder = (pieces, torch.zeros_like(pieces), torch.arange(words)[None])
    anchors = torch.tensor([3, 5, 9])
    head = (torch.zeros(1, words, width), anchors, torch.tensor([0, 1, 0]))
    free = torch.export.Dim.DYNAMIC
    with tempfile.TemporaryDirectory() as folder:
        for part, inputs, shapes, names, file in (
            (network.encoder, encoder, ({1: free}, {1: free}, {1: free}), ENCODER_NAMES, ENCODER),
            (network.arguments, head, ({1: free}, {0: free}, {0: free}), ARGUMENT_NAMES, ARGUMENTS),
        ):
            torch.onnx.export(
                part,
                inputs,
                Path(folder, file),
                input_names=names[0],
                output_names=names[1],
                dynamic_shapes=shapes,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(VOCABULARY, EPOCH), "\n".join(vocabulary))
            archive.writestr(zipfile.ZipInfo(CALIBRATION, EPOCH), UNCALIBRATED.to_json())
            for name in (ENCODER, ARGUMENTS):
                archive.writestr(zipfile.ZipInfo(name, EPOCH), Path(folder, name).read_bytes())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def some_windows(data: Path, wordpieces: WordPieces) -> list[Window]:
    """Return windows of some articles that are learned from."""
    texts = itertools.islice(gold.load(data / "quotes/polnear.train.jsonl").values(), SEEN_ARTICLES)
    articles = (gold.words_of(row["text"], row.get("title"), wordpieces) for row in texts)
    return [window for words in articles for window in words.windows(SEEN_PIECES)]


def main() -> None:
    """Export a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="run")
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--fp32", action="store_true")
    options = parser.parse_args()
    network, vocabulary = load(*options.runs)
    if not options.fp32:
        wordpieces = WordPieces(vocabulary)
        network = in_eight_bits(network, some_windows(options.data, wordpieces), wordpieces)
    print(export(network, vocabulary, options.file), options.file.stat().st_size)


if __name__ == "__main__":
    main()
