"""The network of a file of weights in PyTorch again, in 32 bits: what it would be run with by who does not export it.

Its weights are those of the file, multiplied out; it reads what the file reads, up to the rounding of what goes into
products.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor

from services.extraction.reader.network import ARGUMENTS, ENCODER, VOCABULARY
from training.reader.network import Reader, Sizes

FUSED = ".layer."
"""How the parts of an encoder's layer are called in the file, where the layer is one of eight_bits.Fused."""


def restored(path: Path) -> tuple[Reader, list[str]]:
    """Return the network in the file at `path`, written by training.reader.export in eight bits, and its vocabulary."""
    with zipfile.ZipFile(path) as archive:
        vocabulary = archive.read(VOCABULARY).decode("utf-8").split("\n")
        network = Reader(len(vocabulary), Sizes())
        for part, name in ((network.encoder, ENCODER), (network.arguments, ARGUMENTS)):
            graph = onnx.load_from_string(archive.read(name)).graph
            tensors = {each.name: torch.tensor(onnx.numpy_helper.to_array(each)) for each in graph.initializer}
            if part is network.encoder:
                tensors = {name.replace(FUSED, "."): tensor for name, tensor in tensors.items()}
            part.load_state_dict({name: _weight(tensors, name) for name in part.state_dict()})
    return network.eval(), vocabulary


def _weight(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    """Return a weight in 32 bits; `tensors` holds it so already, or in eight with scales and what its inputs are
    multiplied by."""
    part, _, which = name.rpartition(".")
    scales = tensors.get(f"{part}.scales")
    if which != "weight" or scales is None:
        return tensors[name]
    if name not in tensors:  # a table of embeddings
        return tensors[f"{part}.rows"] * scales
    weight = tensors[name].T * scales[:, None]
    shares = tensors.get(f"{part}.shares")
    if part.endswith((".k", ".v")):  # of tensors that are equal the file holds the first: all three have one input
        shares = tensors.get(f"{part[:-1]}q.shares")
    return weight if shares is None else weight * shares
