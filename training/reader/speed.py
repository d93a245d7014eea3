"""Time the reader beside the sketch it replaces: `python -m training.reader.speed FILE --sketch encoder.py`.

Both read the same articles in turn, on one thread, in processor time. The sketch is timed as it was measured: its
encoder in eight bits over batches of eight windows, the argument head in PyTorch, no decoding. Its encoder gets the
weights of FILE, so that it sees as many cues; those of its argument head do not change its time.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor

from services.extraction import reports, stands, thresholds
from services.extraction.pipeline import candidates
from services.extraction.reader.network import Network
from training.reader import gold
from training.reader.restored import restored
from training.reader.train import start_folder

ARTICLES = 24
ROUNDS = 5
BATCH = 8


def reader(network: Network, texts: list[str]) -> int:
    """Read the texts up to the records of the learned reader; return how many words they have."""
    count = 0
    for text in texts:
        words = gold.words_of(text, None, network.wordpieces)
        count += len(words.spans)
        reported, taken = candidates(network, words)
        reports.likely(reported, thresholds.DEFAULT.quote)
        stands.likely(taken, network.calibration.position, thresholds.DEFAULT.position)
    return count


def sketch(source: Path, file: Path, folder: Path) -> tuple[ModuleType, Any, Any, Callable[..., tuple[Tensor, ...]]]:
    """Return the module of the sketch, a model, its word pieces and its encoder in eight bits."""
    module = gold.module(source)
    network, vocabulary = restored(file)
    model = module.Model().eval()
    model.enc.load_bert(start_folder())
    ours = network.encoder
    pieces = module.Pieces(start_folder() / "vocab.txt")
    model.enc.word.weight.data[[pieces.vocab[piece] for piece in vocabulary]] = ours.pieces.weight.data
    model.enc.pos.weight.data, model.enc.seg.data = ours.places.weight.data, torch.zeros_like(model.enc.seg)
    model.enc.feat.weight.data = ours.features.weight.data[:6]
    model.enc.norm, model.enc.cue = ours.norm, ours.cue
    for layer, trained in zip(model.enc.layers, ours.layers, strict=True):
        layer.q, layer.k, layer.v, layer.o = trained.q, trained.k, trained.v, trained.o
        layer.up, layer.down, layer.n1, layer.n2 = trained.up, trained.down, trained.norm_attention, trained.norm_output
    pieces_in, words_in = torch.full((2, 150), 7), torch.arange(110).repeat(2, 1)
    names = ["ids", "feat", "mask", "first"]
    torch.onnx.export(  # the newer exporter makes another function of the sketch than PyTorch does
        model.enc,
        (pieces_in, torch.zeros_like(pieces_in), torch.ones_like(pieces_in), words_in),
        folder / "whole.onnx",
        input_names=names,
        dynamic_axes={name: {0: "windows", 1: "words" if name == "first" else "pieces"} for name in names},
        dynamo=False,
    )
    quantize_dynamic(
        folder / "whole.onnx", folder / "eight.onnx", weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "eight.onnx", options, providers=["CPUExecutionProvider"])

    def forward(*inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(map(torch.from_numpy, session.run(None, dict(zip(names, map(np.asarray, inputs), strict=True)))))

    return module, model, pieces, forward


def main() -> None:
    """Print words a second of both, and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sketch", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/eval"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = [row["text"] for row in list(gold.load(options.data / "quotes/polnear.dev.jsonl").values())[:ARTICLES]]
    network = Network(options.file)
    with tempfile.TemporaryDirectory() as folder:
        module, model, pieces, forward = sketch(options.sketch, options.file, Path(folder))
        ratios = []
        for _ in range(ROUNDS):
            began = time.process_time()
            count = reader(network, texts)
            between = time.process_time()
            module.predict(model, [module.Doc(text, pieces) for text in texts], batch=BATCH, forward=forward)
            ended = time.process_time()
            ratios.append((ended - between) / (between - began))
            print(f"reader {count / (between - began):.0f}, sketch {count / (ended - between):.0f} words a second")
    print(f"{statistics.median(ratios):.2f} times the sketch")


if __name__ == "__main__":
    main()
