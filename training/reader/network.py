"""The network: an encoder over word pieces, marks of cues on words, and a small head that reads a cue's arguments.

The encoder is the architecture of MiniLM-L6 (Wang et al. 2020) with its weights to start from. The argument head looks
at all words of a window once a cue: one narrow transformer layer over (word, cue, distance, task).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  # the name that PyTorch's own documentation gives it
from safetensors.torch import load_file
from torch import Tensor, nn

from services.extraction.reader.words import FEATURES

OTHER, SOURCE_BEGINS, SOURCE, CONTENT_BEGINS, CONTENT, CUE = range(6)
"""Role of a word under one cue."""

EDGES = ("source begins", "source ends", "content begins", "content ends")
"""Pointers of the argument head; one that points to the cue says that there is no such argument."""

CUE_CLASSES = (7, 2)
"""Classes of cues of positions (none and six modalities) and of quotes (no, yes)."""

FAR = 32
"""Distances of a word from its cue, in steps that grow, on either side."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the network. The encoder's are those of its start weights."""

    width: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1536
    longest: int = 512
    argument_width: int = 128
    argument_heads: int = 4


class Dropout(nn.Module):
    """Dropout with one mask for all words of a window (Gal and Ghahramani 2016): drawing one each costs a quarter of
    the training on a CPU."""

    def __init__(self, share: float = 0.1) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (batch, words, width) with a share of its columns zeroed while training."""
        if not self.training:
            return x
        mask = torch.rand(x.shape[0], 1, x.shape[2]) >= self.share
        return x * (mask.to(x.dtype) / (1 - self.share))


class Layer(nn.Module):
    """A transformer layer, normalised after each half as BERT is."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm_attention, self.norm_output = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.dropout = Dropout()

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """Return the states of the layer for `x` (batch, length, width); `seen` (batch, length) masks the padding."""
        batch, length, width = x.shape
        q, k, v = (
            each(x).view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for each in (self.q, self.k, self.v)
        )
        # Written out: the fused kernel's backward pass is three times as slow on a CPU.
        scores = (q * (width // self.heads) ** -0.5) @ k.transpose(-1, -2)
        if seen is not None:
            scores = scores.masked_fill(~seen[:, None, None, :], -1e4)
        mixed = scores.softmax(-1).to(v.dtype) @ v
        x = self.norm_attention(x + self.dropout(self.o(mixed.transpose(1, 2).reshape(batch, length, width))))
        return self.norm_output(x + self.dropout(self.down(F.gelu(self.up(x)))))


class Encoder(nn.Module):
    """Word pieces to states of words, and to the marks of cues of both tasks."""

    def __init__(self, vocabulary: int, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.pieces, self.places = nn.Embedding(vocabulary, width), nn.Embedding(sizes.longest, width)
        self.features, self.norm, self.dropout = (
            nn.Embedding(FEATURES, width),
            nn.LayerNorm(width, eps=1e-12),
            Dropout(),
        )
        self.layers = nn.ModuleList(Layer(width, sizes.heads, sizes.inner) for _ in range(sizes.layers))
        nn.init.zeros_(self.features.weight)
        self.cue = nn.Sequential(Dropout(), nn.Linear(width, 256), nn.GELU(), nn.Linear(256, sum(CUE_CLASSES)))
        # Nearly every word is no cue: to learn just that would take the first epoch.
        self.cue[3].bias.data[[0, CUE_CLASSES[0]]] = 4.0

    def start_from(self, folder: Path, kept: Tensor) -> None:
        """Load the weights of MiniLM in `folder`; `kept` are the numbers of the pieces that the vocabulary has."""
        weights = load_file(folder / "model.safetensors")
        self.pieces.weight.data = weights["embeddings.word_embeddings.weight"][kept].clone()
        # All text is of one segment: its embedding is a constant that belongs to the places.
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self.places.weight.data = weights["embeddings.position_embeddings.weight"] + segment
        _load(self.norm, weights, "embeddings.LayerNorm")
        for number, layer in enumerate(self.layers):
            for part, name in (
                (layer.q, "attention.self.query"),
                (layer.k, "attention.self.key"),
                (layer.v, "attention.self.value"),
                (layer.o, "attention.output.dense"),
                (layer.norm_attention, "attention.output.LayerNorm"),
                (layer.up, "intermediate.dense"),
                (layer.down, "output.dense"),
                (layer.norm_output, "output.LayerNorm"),
            ):
                _load(part, weights, f"encoder.layer.{number}.{name}")

    def forward(
        self, pieces: Tensor, features: Tensor, places: Tensor, seen: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return states (batch, words, width) and cue scores (batch, words, 9).

        `pieces`, `features` and `seen` are (batch, length); `places` (batch, words) holds each word's first piece.
        """
        x = self.pieces(pieces) + self.places.weight[: pieces.shape[1]]
        x = self.dropout(self.norm(x) + self.features(features))
        for layer in self.layers:
            x = layer(x, seen)
        x = x.gather(1, places[:, :, None].expand(-1, -1, x.shape[-1]))
        return x, self.cue(x)


class ArgumentHead(nn.Module):
    """What each word of a window is to one cue."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.argument_width
        self.word, self.cue = nn.Linear(sizes.width, width), nn.Linear(sizes.width, width)
        self.distance, self.task = nn.Embedding(2 * FAR + 1, width), nn.Embedding(2, width)
        self.norm, self.layer = nn.LayerNorm(width), Layer(width, sizes.argument_heads, 2 * width)
        self.roles, self.edges = nn.Linear(width, 6), nn.Linear(width, len(EDGES))
        self.verdict = nn.Sequential(nn.Linear(width + sizes.width, 128), nn.GELU(), nn.Linear(128, sum(CUE_CLASSES)))
        self.dropout = Dropout()

    def forward(
        self, states: Tensor, anchors: Tensor, tasks: Tensor, rows: Tensor | None = None, seen: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return roles (cues, words, 6), edges (cues, words, 4) and verdicts on the cues (cues, 9), as scores.

        `states` (batch, words, width) are the encoder's; `anchors`, `tasks` and `rows` (cues) give the word of each
        cue, its task and which window of the batch it is in; the first, when there is but one. `seen` (batch, words)
        masks the padding.
        """
        words, cues = self.word(states), self.cue(states)
        rows = torch.zeros_like(anchors) if rows is None else rows
        of_the_cue = cues[rows, anchors] + self.task(tasks)
        # What is added last has the shape of the sum: ONNX Runtime computes such a sum and its norm in one go.
        z = F.gelu(self.norm(of_the_cue[:, None] + self.distance(_steps(states.shape[1], anchors)) + words[rows]))
        z = self.layer(self.dropout(z), None if seen is None else seen[rows])
        at_cue = z.gather(1, anchors[:, None, None].expand(-1, -1, z.shape[-1]))[:, 0]
        verdict = self.verdict(torch.cat([at_cue, states[rows, anchors]], -1))
        return self.roles(z), self.edges(z), verdict


def _steps(words: int, anchors: Tensor) -> Tensor:
    """Return the distance of each word from each cue as a step (cues, words): single words up to 16, then log steps."""
    distance = torch.arange(words)[None] - anchors[:, None]
    far = 16 + 4 * torch.log2(distance.abs().clamp(min=1) / 16.0)
    step = torch.where(distance.abs() < 16, distance.abs(), far.long().clamp(16, FAR))
    return torch.sign(distance) * step + FAR


def _load(part: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    part.load_state_dict({key: weights[f"{name}.{key}"] for key in part.state_dict()})


class Reader(nn.Module):
    """Encoder and argument head."""

    def __init__(self, vocabulary: int, sizes: Sizes) -> None:
        super().__init__()
        self.encoder, self.arguments = Encoder(vocabulary, sizes), ArgumentHead(sizes)
