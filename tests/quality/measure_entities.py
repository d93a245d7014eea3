# ruff: noqa: T201  # prints are what this module is for
"""Measure entities and coreference on the shared gold data: `python -m tests.quality.measure_entities`.

Needs the folder `../shared` beside the project. Prints the scores, what each step brings (the loss without it), how
often gold speakers resolve to the right name, and the share of the reading's time that the entity step takes.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from spacy.tokens import Doc

from schemas import MentionKind
from services.extraction import models, truecase
from services.extraction.coreference import Coreference
from services.extraction.document import Document, parse
from services.extraction.tokens import open_sentences
from training.reader.gold import module

GOLD = Path(__file__).parents[2].parent / "shared" / "eval"
SETS = ("crossner_politics.train", "crossner_politics.dev", "gum_news.all")
NOTHING: Callable[..., list[Any]] = lambda *_: []  # noqa: E731
STEPS: dict[str, dict[str, Any]] = {
    "repairs": {"entities.repaired": lambda text, tokens, names: iter(names)},
    "phrases (parties, elections, laws …)": {"entities.phrases.names": NOTHING},
    "gazetteer": {"entities._known": NOTHING},
    "credits and transcripts": {"entities.credits": NOTHING, "entities.labels": NOTHING},
    "unclaimed names": {"entities.unclaimed.names": NOTHING},
    "agreement (votes, lists, repeats)": {"entities.agreement.reached": lambda text, names: names},
}


def load(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def readings(texts: list[str], *, prepared: bool = True) -> tuple[list[Document], list[Doc]]:
    """Return documents and spaCy's readings; not `prepared`, spaCy reads the text as it comes."""
    documents = [parse(text) for text in texts]
    if not prepared:
        return documents, list(NLP.pipe(texts, batch_size=8))
    docs = (open_sentences(document, NLP.make_doc(truecase.readable(document))) for document in documents)
    return documents, list(NLP.pipe(docs, batch_size=8))


@contextmanager
def without(step: str | None) -> Iterator[None]:
    """Switch one step of recognition off."""
    patches = [mock.patch(f"services.extraction.{name}", value) for name, value in STEPS.get(step or "", {}).items()]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def predicted(documents: list[Document], docs: list[Doc]) -> list[list[dict[str, Any]]]:
    return [
        [
            {"start": m.start, "end": m.end, "label": entity.type.value, "cluster": entity.id}
            for entity in Coreference(document, doc, "measured").entities
            for m in entity.mentions
            if m.kind is MentionKind.NAME
        ]
        for document, doc in zip(documents, docs, strict=True)
    ]


def score(name: str, gold: list[dict[str, Any]], entities: list[list[dict[str, Any]]]) -> dict[str, Any]:
    found = [{"doc_id": each["doc_id"], "entities": own} for each, own in zip(gold, entities, strict=True)]
    return module(GOLD / "entities" / "score.py").score(f"{name}.jsonl", gold, found)


def recognition() -> None:
    for name in SETS:
        gold = load(GOLD / "entities" / f"{name}.jsonl")
        documents, docs = readings([each["text"] for each in gold])
        _, plain = readings([each["text"] for each in gold], prepared=False)
        spacy_alone = [
            [{"start": e.start_char, "end": e.end_char, "label": e.label_, "cluster": str(e)} for e in doc.ents]
            for doc in plain
        ]
        print(f"\n{name}: {len(gold)} texts")
        print("  spaCy as it comes", score(name, gold, spacy_alone)["strict"])
        whole = score(name, gold, predicted(documents, docs))
        print("  all steps        ", whole)
        for step in STEPS:
            with without(step):
                lost = whole["strict"]["F1"] - score(name, gold, predicted(documents, docs))["strict"]["F1"]
            print(f"  without {step:40} -{lost:.1f}")
    gold = load(GOLD / "entities" / "crossner_politics.dev.jsonl")
    shouted = [{**each, "text": each["text"].upper()} for each in gold]
    print("\ncrossner_politics.dev in capitals")
    texts = [each["text"] for each in shouted]
    documents, plain = readings(texts, prepared=False)
    alone = [
        [{"start": e.start_char, "end": e.end_char, "label": e.label_, "cluster": ""} for e in doc.ents]
        for doc in plain
    ]
    print("  spaCy as it comes ", score("crossner_politics.dev", shouted, alone)["strict"])
    print("  without truecasing", score("crossner_politics.dev", shouted, predicted(documents, plain))["strict"])
    print("  all steps         ", score("crossner_politics.dev", shouted, predicted(*readings(texts)))["strict"])


def resolution() -> None:
    quotes = module(GOLD / "quotes" / "score.py")
    gold = load(GOLD / "quotes" / "polnear.dev.jsonl")
    documents, docs = readings([each["text"] for each in gold])
    counts: Counter[str] = Counter()
    for each, document, doc in zip(gold, documents, docs, strict=True):
        coreference = Coreference(document, doc, "measured")
        for quote in each["quotes"]:
            speaker, resolved = quote.get("speaker"), quote.get("resolved")
            if not speaker or resolved is None:
                continue
            name = coreference.name(speaker["start"], speaker["end"])
            word = speaker["text"].lower()
            kind = (
                "he, she" if word in ("he", "she", "his", "her") else "other pronoun" if word in quotes.PRON else "noun"
            )
            kind = kind if resolved else "unnamed"
            counts[kind] += 1
            right = bool(name) and any(quotes.bag(name) == quotes.bag(other) for other in resolved)
            counts[f"{kind}: right"] += right
            counts[f"{kind}: none"] += name is None
    print("\npolnear.dev, gold speakers")
    for kind in ("noun", "he, she", "other pronoun"):
        print(f"  {kind:14} {counts[kind]:5}  full name right {counts[f'{kind}: right'] / counts[kind]:.1%}"
              f"  no name {counts[f'{kind}: none'] / counts[kind]:.1%}")  # fmt: skip
    print(f"  unnamed        {counts['unnamed']:5}  given a name {1 - counts['unnamed: none'] / counts['unnamed']:.1%}")


def time_share() -> None:
    texts = [each["text"] for each in load(GOLD / "quotes" / "polnear.dev.jsonl")]
    readings(texts[:4])
    started = time.process_time()
    documents = [parse(text) for text in texts]
    for document in documents:
        truecase.readable(document)
    prepared = time.process_time()
    documents, docs = readings(texts)
    read = time.process_time()
    for document, doc in zip(documents, docs, strict=True):
        Coreference(document, doc, "measured")
    done = time.process_time()
    tokens = sum(map(len, docs))
    own, model = (prepared - started) + (done - read), read - prepared
    print(f"\ntime, {tokens} tokens of polnear.dev: spaCy {model / tokens * 1e6:.1f} µs a token, document, truecasing "
          f"{(prepared - started) / tokens * 1e6:.1f}, entities and coreference {(done - read) / tokens * 1e6:.1f}; "
          f"share {own / (own + model):.1%}")  # fmt: skip


if __name__ == "__main__":
    if not GOLD.is_dir():
        sys.exit(f"{GOLD}: no such folder; the gold data is not part of the project")
    NLP = models.load(models.DEFAULT_MODELS["en"], models.OPTIONAL)
    time_share()
    recognition()
    resolution()
