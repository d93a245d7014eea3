"""Write the network as the one file that the service reads: `python -m training.reader.export RUN FILE`.

The file is an uncompressed ZIP of the vocabulary and of two ONNX graphs, encoder and argument head, with weights in
eight bits. `--fp32` keeps 32 bits, to measure what the rounding costs.
"""

import argparse
import hashlib
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from services.extraction.reader.confidence import UNCALIBRATED
from services.extraction.reader.network import ARGUMENTS, CALIBRATION, ENCODER, VOCABULARY
from training.reader.network import Reader, Sizes

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time stamp of every member: the same weights make the same file."""


def load(run: Path) -> tuple[Reader, list[str]]:
    """Return the network of a run, or of its last checkpoint while it is not finished, and its vocabulary."""
    vocabulary = (run / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    network = Reader(len(vocabulary), Sizes())
    finished = run / "reader.pt"
    weights = torch.load(finished) if finished.exists() else torch.load(run / "run.pt", weights_only=False)["average"]
    network.load_state_dict(weights)
    return network.eval(), vocabulary


def export(network: Reader, vocabulary: Sequence[str], path: Path, *, eight_bits: bool = True) -> str:
    """Write the file and return its SHA-256."""
    length, words, width = 200, 160, Sizes().width
    pieces = torch.full((1, length), 7)
    encoder = (pieces, torch.zeros_like(pieces), torch.arange(words)[None])
    anchors = torch.tensor([3, 5, 9])
    head = (torch.zeros(1, words, width), anchors, torch.tensor([0, 1, 0]))
    free = torch.export.Dim.DYNAMIC
    with tempfile.TemporaryDirectory() as folder:
        _graph(
            network.encoder,
            encoder,
            ({1: free}, {1: free}, {1: free}),
            (("pieces", "features", "places"), ("states", "cues")),
            Path(folder, ENCODER),
            eight_bits=eight_bits,
        )
        _graph(
            network.arguments,
            head,
            ({1: free}, {0: free}, {0: free}),
            (("states", "anchors", "tasks"), ("roles", "edges", "verdicts")),
            Path(folder, ARGUMENTS),
            eight_bits=eight_bits,
        )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(VOCABULARY, EPOCH), "\n".join(vocabulary))
            archive.writestr(zipfile.ZipInfo(CALIBRATION, EPOCH), UNCALIBRATED.to_json())
            for name in (ENCODER, ARGUMENTS):
                archive.writestr(zipfile.ZipInfo(name, EPOCH), Path(folder, name).read_bytes())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _graph(
    part: nn.Module,
    inputs: tuple[torch.Tensor, ...],
    shapes: tuple[dict[int, Any], ...],
    names: tuple[Sequence[str], Sequence[str]],
    path: Path,
    *,
    eight_bits: bool,
) -> None:
    """Write one part of the network as an ONNX graph."""
    whole = path.with_suffix(".whole")
    torch.onnx.export(
        part,
        inputs,
        whole,
        input_names=names[0],
        output_names=names[1],
        dynamic_shapes=shapes,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    if not eight_bits:
        whole.replace(path)
        return
    # reduce_range: on processors without VNNI sums of full eight-bit products overflow, and events would differ there
    quantize_dynamic(whole, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def main() -> None:
    """Export a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--fp32", action="store_true")
    options = parser.parse_args()
    network, vocabulary = load(options.run)
    print(export(network, vocabulary, options.file, eight_bits=not options.fp32), options.file.stat().st_size)


if __name__ == "__main__":
    main()
