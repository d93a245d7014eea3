"""The same reading as everybody would write it first: what the service is measured against.

Everything that makes ours fast is left out: spaCy's pipeline as `spacy.load` returns it with all its components, and
the network in PyTorch with its own settings, which take a thread a core; one article at a time.
"""

from collections.abc import Mapping
from typing import Any
from unittest import mock

import numpy as np
import spacy
import torch

from services.enricher.messages import Outgoing
from services.enricher.reading import events, parse
from services.extraction import models, pipeline
from services.extraction.reader import network
from training.reader.restored import restored


class _Session:
    """A part of the network, called as an ONNX Runtime session is."""

    def __init__(self, part: torch.nn.Module) -> None:
        self._part = part

    def run(self, _: None, inputs: Mapping[str, Any]) -> list[Any]:
        with torch.inference_mode():
            outputs = self._part(**{name: torch.from_numpy(np.asarray(value)) for name, value in inputs.items()})
        return [output.numpy() for output in outputs]


class Obvious:
    """Reads one raw message."""

    def __init__(self) -> None:
        reader, _ = restored(network.SHIPPED)
        sessions = map(_Session, (reader.encoder, reader.arguments))  # as Network makes them
        with (
            mock.patch.object(models, "load", lambda package, _: spacy.load(package)),
            mock.patch.object(network.onnxruntime, "InferenceSession", side_effect=sessions),
        ):
            self._pipeline = pipeline.Pipeline()

    def read(self, value: bytes) -> tuple[Outgoing, ...]:
        """Return the events of one article."""
        (enriched,) = self._pipeline.read([parse(value)])
        return events(enriched, "/obvious", None)
