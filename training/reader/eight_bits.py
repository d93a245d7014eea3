"""The network with weights and products in eight bits, close enough to the 32 it was trained in.

ONNX Runtime rounds what goes into a product to 256 steps over the whole window. Two kinds of input have a few numbers
that are far larger than the rest, so that the rest would fall on a few steps:

- what the layer norms give, in a few columns that are the same in every text: these inputs are divided, and the weights
  multiplied, by a factor a column (SmoothQuant: Xiao et al. 2023);
- what the inner layers give, in the rows of a few words: these rows are divided by their largest number, and the
  results multiplied by it.

Every word piece has a scale of its own in the table of embeddings.
"""

import copy
from collections.abc import Iterable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.onnx import ops

from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import Window
from training.reader.network import Layer, Reader

PAIR = 128
"""Most that the sizes of two neighbouring weights sum to: processors without VNNI add two products in sixteen bits,
where more would overflow and the same article read differently."""

EASED = 0.8
"""How much of the difference between columns goes over into the weights: on training text 0.7 to 0.9 lost least."""


class EightBits(nn.Module):
    """A linear layer in eight bits; only ONNX Runtime computes it."""

    def __init__(self, linear: nn.Linear, factors: Tensor | None = None, *, by_row: bool = False) -> None:
        """`factors` (inputs) are what the inputs are divided by; `by_row`: each row is, by its largest number."""
        super().__init__()
        weight = linear.weight.detach() * (1 if factors is None else factors)
        sizes = weight.abs()
        scales = torch.maximum((sizes[:, 0::2] + sizes[:, 1::2]).amax(1) / PAIR, sizes.amax(1) / 127)
        self.register_buffer("weight", torch.round(weight / scales[:, None]).to(torch.int8).T.contiguous())
        self.register_buffer("scales", scales)
        self.register_buffer("zero", torch.zeros_like(scales, dtype=torch.int8))
        self.register_buffer("bias", linear.bias.detach())
        self.register_buffer("shares", None if factors is None else 1 / factors)
        self.by_row = by_row

    def forward(self, x: Tensor) -> Tensor:
        """Return what the linear layer makes of `x` (..., inputs)."""
        if self.shares is not None:
            x = x * self.shares
        if not self.by_row:
            return self._product(x, self.bias)
        largest = x.amax(-1, keepdim=True).clamp(min=1e-6)
        return self._product(x / largest, None) * largest + self.bias

    def _product(self, x: Tensor, bias: Tensor | None) -> Tensor:
        return ops.symbolic(
            "com.microsoft::DynamicQuantizeMatMul",
            (x, self.weight, self.scales, self.zero, bias),
            dtype=torch.float32,
            shape=(*x.shape[:-1], len(self.scales)),
            version=1,
        )


class Fused(nn.Module):
    """A transformer layer over one window whose attention is one operation, a fifth faster; only ONNX Runtime computes
    it. It does not pay for the argument head, whose rows are many and narrow."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, seen: None) -> Tensor:
        """Return the states of the layer for `x` (1, length, width); nothing is masked."""
        layer = self.layer
        mixed = ops.symbolic(
            "com.microsoft::MultiHeadAttention",
            (layer.q(x), layer.k(x), layer.v(x)),
            {"num_heads": layer.heads},
            dtype=torch.float32,
            shape=x.shape,
            version=1,
        )
        x = layer.norm_attention(x + layer.o(mixed))
        return layer.norm_output(x + layer.down(F.gelu(layer.up(x))))


class Table(nn.Module):
    """A table of embeddings in eight bits, with a scale a row."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        scales = table.weight.detach().abs().amax(1, keepdim=True) / 127
        self.register_buffer("rows", torch.round(table.weight.detach() / scales).to(torch.int8))
        self.register_buffer("scales", scales)

    def forward(self, numbers: Tensor) -> Tensor:
        """Return the rows of `numbers` (...) as (..., width)."""
        return F.embedding(numbers, self.rows).float() * F.embedding(numbers, self.scales)


def in_eight_bits(network: Reader, windows: Iterable[Window], wordpieces: WordPieces) -> Reader:
    """Return the network in eight bits; `windows` of any text show which columns are large."""
    largest = _largest(network, windows, wordpieces)
    rounded = copy.deepcopy(network)
    rounded.encoder.pieces = Table(rounded.encoder.pieces)
    for layer, (attended, inner) in zip(rounded.encoder.layers, largest, strict=True):
        _round(layer, attended, inner)
    rounded.encoder.layers = nn.ModuleList(map(Fused, rounded.encoder.layers))
    _round(rounded.arguments.layer)
    for part in (rounded.encoder.cue, rounded.arguments, rounded.arguments.verdict):
        for name, child in part.named_children():
            if isinstance(child, nn.Linear):
                setattr(part, name, EightBits(child))
    return rounded


def _round(layer: Layer, attended: Tensor | None = None, inner: Tensor | None = None) -> None:
    """Put a layer in eight bits; `attended` and `inner` (width) are the largest inputs of its two halves."""
    into_attention = (layer.q, layer.k, layer.v)
    attention_factors = None if attended is None else _factors(attended, into_attention)
    inner_factors = None if inner is None else _factors(inner, (layer.up,))
    layer.q, layer.k, layer.v = (EightBits(each, attention_factors) for each in into_attention)
    layer.o, layer.up = EightBits(layer.o), EightBits(layer.up, inner_factors)
    layer.down = EightBits(layer.down, by_row=True)


def _factors(largest: Tensor, linears: Iterable[nn.Linear]) -> Tensor:
    weights = torch.stack([each.weight.detach().abs().amax(0) for each in linears]).amax(0)
    return largest.clamp(min=1e-4) ** EASED / weights.clamp(min=1e-4) ** (1 - EASED)


@torch.no_grad()
def _largest(network: Reader, windows: Iterable[Window], wordpieces: WordPieces) -> list[tuple[Tensor, Tensor]]:
    """Return for each layer the largest number in every column of what goes into attention and into the inner layer."""
    found: dict[nn.Module, Tensor] = {}

    def see(linear: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        columns = inputs[0].abs().flatten(0, 1).amax(0)
        found[linear] = torch.maximum(found.get(linear, columns), columns)

    layers = list(network.encoder.layers)
    hooks = [each.register_forward_hook(see) for layer in layers for each in (layer.q, layer.up)]
    for window in windows:
        network.encoder(*(torch.tensor([row]) for row in window.encoded(wordpieces.first, wordpieces.last)))
    for hook in hooks:
        hook.remove()
    return [(found[layer.q], found[layer.up]) for layer in layers]
