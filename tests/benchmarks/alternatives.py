"""`python -m tests.benchmarks.alternatives EVAL [ARTICLES [ROUNDS]]`: our reading against what one would pick instead.

Words a second of processor time in one process, beside the end-to-end F1 of the quotes (span and speaker right) on the
annotated articles of EVAL, quotes/polnear.dev.jsonl, scored by its own evaluate.py. Without these the speed is measured
on our samples, and there is no F1. Run in the environment of the benchmarks: it has textacy.

BBC's Citron and the Gender Gap Tracker are not here: PyPI has neither (its `citron` is something else).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from services.extraction.threads import ONE_THREAD

if __name__ == "__main__":
    os.environ |= ONE_THREAD

import spacy

from schemas import RawArticle
from services.extraction.pipeline import BATCH_ARTICLES, Pipeline
from tests.benchmarks.reading import PACKAGE
from tests.benchmarks.rounds import ROUNDS, interleaved, keep, medians, texts

GOLD = Path("quotes") / "polnear.dev.jsonl"
VIEWS = {"all": (), "direct": ("--view", "segment", "--types", "direct")}
"""What is scored, with the options of evaluate.py for it."""

PARAGRAPH = re.compile(r"[^\n]+")
QUOTED = re.compile(r"[\"“](?:[^\"“”\s]+\s+){4,}[^\"“”\s]+[\"”]")
"""A quoted string of five words or more."""
NAME = r"(?P<{}>he|she|they|(?:[A-Z][\w.’'-]+ ?)+)"
VERB = r"(?P<{}>said|says|told|added)"
SAID = re.compile(
    rf"\b(?:{NAME.format('before')} {VERB.format('verb')}|{VERB.format('first')} {NAME.format('after')})\b"
)

Span = dict[str, Any]
Quotes = list[dict[str, Any]]
Candidate = Callable[[Sequence[str]], list[Quotes]]


def span(text: str, start: int, end: int) -> Span:
    """Return a span as events have it."""
    return {"text": text[start:end], "start": start, "end": end}


def nearest_said(text: str) -> Quotes:
    """Return the quoted strings of five words or more, each spoken by whoever stands at the nearest "said"."""
    cues = list(SAID.finditer(text))
    found = []
    for quoted in QUOTED.finditer(text):
        nearest = min(cues, key=lambda cue: max(cue.start() - quoted.end(), quoted.start() - cue.end()), default=None)
        quote = {**span(text, *quoted.span()), "speaker": None, "cue": None}
        if nearest is not None:
            name, verb = ("before", "verb") if nearest["verb"] else ("after", "first")
            quote |= {"speaker": span(text, *nearest.span(name)), "cue": span(text, *nearest.span(verb))}
        found.append(quote)
    return found


def ours() -> Candidate:
    """Return our reading, with everything that it reads."""
    reader = Pipeline()

    def read(articles: Sequence[str]) -> list[Quotes]:
        raw = [RawArticle(article_id=str(number), body=text) for number, text in enumerate(articles)]
        return [[quote.model_dump(mode="json") for quote in article.quotes] for article in reader.read(raw)]

    return read


def textacy() -> Candidate:
    """Return textacy's direct quotations, a paragraph at a time: it refuses a text with an odd number of marks."""
    from textacy.extract import direct_quotations  # not in the environment of the project

    nlp = spacy.load(PACKAGE)

    def triples(doc: spacy.tokens.Doc, text: str, offset: int) -> Iterator[dict[str, Any]]:
        try:
            found = list(direct_quotations(doc))
        except ValueError:
            return
        for speaker, cue, content in found:
            who, how = (
                span(text, offset + words[0].idx, offset + words[-1].idx + len(words[-1])) for words in (speaker, cue)
            )
            yield {
                **span(text, offset + content.start_char, offset + content.end_char), "speaker": who, "cue": how
            }  # fmt: skip

    def read(articles: Sequence[str]) -> list[Quotes]:
        quotes = []
        for text in articles:
            paragraphs = [(match.group(), match.start()) for match in PARAGRAPH.finditer(text)]
            docs = nlp.pipe(paragraphs, as_tuples=True)
            quotes.append([quote for doc, offset in docs for quote in triples(doc, text, offset)])
        return quotes

    return read


def plain_spacy() -> Candidate:
    """Return spaCy's pipeline as it comes, eight articles at a time; it finds no quotes."""
    nlp = spacy.load(PACKAGE)
    return lambda articles: [[] for _ in nlp.pipe(articles, batch_size=BATCH_ARTICLES)]


def f1(gold: Path, quotes: Sequence[Quotes]) -> dict[str, float]:
    """Return the end-to-end F1 of the quotes of all articles of `gold`, by view."""
    with tempfile.TemporaryDirectory() as place:
        events = Path(place) / "events.jsonl"
        with events.open("w", encoding="utf-8") as lines:
            for article, found in zip(_articles(gold), quotes, strict=True):
                event = {"article_id": article["doc_id"], "text": article["text"], "quotes": found}
                lines.write(json.dumps(event | {"entities": [], "positions": []}) + "\n")
        command = [sys.executable, str(gold.parents[1] / "evaluate.py"), "quotes", str(gold), str(events), "--json"]
        scores = {
            view: subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE).stdout
            for view, options in VIEWS.items()
        }
    return {view: json.loads(score)["e2e_F1"] for view, score in scores.items()}


def _articles(gold: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines()]


def main(data: Path, number: int = 24, rounds: int = ROUNDS) -> None:
    """Measure, print and keep."""
    gold = data / GOLD
    candidates: dict[str, Candidate] = {
        "onrecord": ours(),
        "textacy": textacy(),
        "quoted strings, nearest “said”": lambda articles: [nearest_said(text) for text in articles],
        "spaCy as it comes (no quotes)": plain_spacy(),
    }
    scores: dict[str, dict[str, float]] = {}
    articles = texts(number)
    if gold.exists():
        everything = [article["text"] for article in _articles(gold)]
        articles = everything[:number]
        scores = {name: f1(gold, read(everything)) for name, read in candidates.items() if "no quotes" not in name}
    else:
        sys.stdout.write(
            f"NO F1: the annotated articles are not at {gold}; only the speed is measured, on our samples\n"
        )
    words = sum(len(text.split()) for text in articles)
    turns = {name: lambda read=read: read(articles) for name, read in candidates.items()}
    seconds = interleaved(turns, rounds)
    speed = {name: words / each for name, each in medians(seconds).items()}
    keep("alternatives", {"words": words, "words_a_second": speed, "seconds": seconds, "f1": scores})
    for name, each in speed.items():
        sys.stdout.write(f"{name}: {each:.0f} words a second, end-to-end F1 {scores.get(name, 'not measured')}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:4]))
