"""Annotated articles as predicates over words: what the network is to find.

A predicate is a cue with its arguments: source and content of an attribution, holder and target of a position. Several
annotations with one cue are one predicate with several arguments.
"""

import hashlib
import importlib.util
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from services.extraction import document, quotation
from services.extraction.document import Offsets
from services.extraction.reader.wordpieces import WordPieces
from services.extraction.reader.words import WORD, Words
from services.extraction.stands import MODALITIES as CUED

QUOTES, POSITIONS = "quotes", "positions"
TASKS = (POSITIONS, QUOTES)
"""In the order of the network's outputs."""

MODALITIES = ("none", *CUED)
"""Classes of a position's cue; the first stands for no cue. A quote's cue has but two: no and yes."""

HELD_OUT = 60
"""Articles with quotes, and as many with positions, that choose thresholds and calibrate: never trained on."""

MODALS = frozenset(
    {"will", "would", "shall", "should", "must", "can", "could", "may", "might", "cannot", "not", "no", "going", "need"}
    | {"needs"}
)
FUNCTION_WORDS = frozenset(
    {"to", "for", "on", "of", "in", "about", "at", "by", "with", "from", "up", "out", "as", "the", "a", "an", "i", "we"}
    | {
        "he",
        "she",
        "it",
        "they",
        "you",
        "his",
        "her",
        "their",
        "our",
        "my",
        "its",
        "this",
        "that",
        "who",
        "has",
        "have",
    }
    | {
        "had",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "am",
        "do",
        "does",
        "did",
        "don",
        "doesn",
        "didn",
        "won",
    }
    | {"also", "just", "never", "t", "s", "ll", "ve", "re", "too", "very", "and", "or"}
)
"""Words that stand in many cues and mark none: the cue is its verb, noun or adjective."""


@dataclass(slots=True)
class Predicate:
    """A cue and its arguments, as ranges of words."""

    anchor: int
    """The word that stands for the cue: the one that marks cues most."""
    cls: int
    cue: tuple[int, int]
    optional: bool
    """Annotators doubt it: neither right nor wrong to find."""
    sources: set[tuple[int, int]] = field(default_factory=set)
    contents: set[tuple[int, int]] = field(default_factory=set)


@dataclass(slots=True)
class Example:
    """An article's words with what is annotated in it; a task that is missing was not annotated."""

    name: str
    words: Words
    predicates: dict[str, list[Predicate]]


def load(path: Path) -> dict[str, dict[str, Any]]:
    """Return the articles of a JSON Lines file by their ids."""
    with path.open(encoding="utf-8") as lines:
        return {row["doc_id"]: row for row in map(json.loads, lines)}


def annotated(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the articles in `folder` that people have annotated to learn from, by task and id."""
    return {
        QUOTES: load(folder / "quotes/polnear.train.jsonl"),
        POSITIONS: load(folder / "positions/positions_news.train.jsonl"),
    }


def span(text: str, offsets: Offsets | None) -> dict[str, Any] | None:
    """Return a span of `text` as annotations have it."""
    return {"text": text[slice(*offsets)], "start": offsets[0], "end": offsets[1]} if offsets is not None else None


def policies(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the annotated positions on policies, with the full names of their holders where the evaluation looks."""
    found = [each for each in row[POSITIONS] if each.get("kind", "policy") == "policy"]
    for each in found:
        if each.get("holder") and each.get("holder_resolved"):
            each["holder"]["canonical"] = each["holder_resolved"]
    return found


def module(path: Path) -> ModuleType:
    """Return the evaluation's module at `path`: its scorers are files beside the data, and no package."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def held_out(quoted: Mapping[str, Any], positioned: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return the names of the articles held out for quotes and for positions; those with both come first.

    Which they are is decided by a hash of their names, so that more data does not move an article into training.
    """

    def order(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    both = sorted(quoted.keys() & positioned.keys(), key=order)[: HELD_OUT * 2 // 3]
    rest = HELD_OUT - len(both)
    return (
        {*both, *sorted(quoted.keys() - positioned.keys(), key=order)[:rest]},
        {*both, *sorted(positioned.keys() - quoted.keys(), key=order)[:rest]},
    )


def anchor_strengths(rows: Iterable[Mapping[str, Any]], task: str) -> dict[str, float]:
    """Return how strongly each word marks a cue: the share of its uses that lie in cues, less for function words."""
    inside: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row in rows:
        total.update(word.lower() for word in WORD.findall(row["text"]))
        for annotation in row[task]:
            if annotation.get("cue"):
                inside.update({word.lower() for word in WORD.findall(annotation["cue"]["text"])})
    return {word: _weight(word) * count / (total[word] + 10) for word, count in inside.items()}


def _weight(word: str) -> float:
    if not word[0].isalpha() or word in FUNCTION_WORDS:
        return 0.02
    return 0.3 if word in MODALS else 1.0


def words_of(text: str, title: str | None, wordpieces: WordPieces) -> Words:
    """Return the words of an article as the service would read them."""
    parsed = document.parse(text, title)
    blocks = [(block.start, block.end) for block in parsed.spoken]
    return Words.of(parsed, quotation.passages(text, blocks), wordpieces)


def predicates(
    words: Words, annotations: Sequence[Mapping[str, Any]], task: str, strengths: Mapping[str, float]
) -> list[Predicate]:
    """Return the predicates of one task in an article."""
    found: dict[int, Predicate] = {}
    for annotation in annotations:
        cue = annotation.get("cue")
        if not cue or cue.get("start") is None:
            continue
        first, after = words.between(cue["start"], cue["end"])
        if first == after:
            continue
        anchor = max(
            range(first, after), key=lambda word: strengths.get(words.text[slice(*words.spans[word])].lower(), 0)
        )
        cls = MODALITIES.index(annotation["modality"]) if task == POSITIONS else 1
        predicate = found.setdefault(anchor, Predicate(anchor, cls, (first, after), bool(annotation.get("optional"))))
        predicate.optional &= bool(annotation.get("optional"))
        _add_arguments(words, annotation, task, predicate)
    return list(found.values())


def _add_arguments(words: Words, annotation: Mapping[str, Any], task: str, predicate: Predicate) -> None:
    source = annotation["holder"] if task == POSITIONS else annotation.get("speaker")
    if task == POSITIONS:
        contents = [(annotation["target"]["start"], annotation["target"]["end"])]
    else:
        contents = annotation.get("fragments") or [(annotation["start"], annotation["end"])]
    if source and source.get("start") is not None:
        predicate.sources.add(words.between(source["start"], source["end"]))
    predicate.contents.update(words.between(start, end) for start, end in contents)
    predicate.sources = {span for span in predicate.sources if span[0] < span[1]}
    predicate.contents = {span for span in predicate.contents if span[0] < span[1]}
