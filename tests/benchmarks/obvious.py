"""The same reading as everybody would write it first: what the service is measured against.

Everything that makes ours fast is left out: spaCy's pipeline as `spacy.load` returns it with all its components, one
article at a time, and the network with ONNX Runtime's own settings, which take a thread a core. The network is the
eight-bit one that ships: the repository holds no other, and PyTorch would be slower.
"""

from typing import Any
from unittest import mock

import onnxruntime
import spacy

from services.enricher.messages import Outgoing
from services.enricher.reading import events, parse
from services.extraction import models, pipeline
from services.extraction.reader import network

Session = onnxruntime.InferenceSession


def _session(graph: Any, *_: Any, **__: Any) -> Any:
    return Session(graph, providers=["CPUExecutionProvider"])


class Obvious:
    """Reads one raw message."""

    def __init__(self) -> None:
        with (
            mock.patch.object(models, "load", lambda package, _: spacy.load(package)),
            mock.patch.object(network.onnxruntime, "InferenceSession", _session),
        ):
            self._pipeline = pipeline.Pipeline()

    def read(self, value: bytes) -> tuple[Outgoing, ...]:
        """Return the events of one article."""
        (enriched,) = self._pipeline.read([parse(value)])
        return events(enriched, "/obvious", None)
