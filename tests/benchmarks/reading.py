"""`python -m tests.benchmarks.reading`: the reading in one process on one core, in processor time.

spaCy against its plain loop, µs a token of each step, cost by length and by extractor. BENCH_ARTICLES names a file of
articles.
"""

import json
import os
import sys
import time
from collections import defaultdict
from types import SimpleNamespace

from services.extraction.threads import ONE_THREAD

if __name__ == "__main__":
    os.environ |= ONE_THREAD

import spacy

from schemas import RawArticle
from services.enricher.reading import events
from services.extraction import backend, models, steps, truecase
from services.extraction.document import parse
from services.extraction.memo import memoise
from services.extraction.pipeline import BATCH_ARTICLES, EXTRACTORS, WORDS, Pipeline
from services.extraction.steps import Step
from services.extraction.tokens import open_sentences
from tests.benchmarks.rounds import ROUNDS, interleaved, keep, medians, texts

LENGTHS = (100, 1_000, 10_000, 100_000)
"""Words of an article."""
PACKAGE = models.DEFAULT_MODELS["en"]


class Texts:
    """Articles in the form that spaCy gets them in the service."""

    def __init__(self, number: int) -> None:
        self._documents = [parse(text, None) for text in texts(number)]
        self._readable = [truecase.readable(document) for document in self._documents]

    def docs(self, nlp: spacy.Language) -> list[spacy.tokens.Doc]:
        """Return them fresh from the tokenizer."""
        pairs = zip(self._documents, self._readable, strict=True)
        return [open_sentences(document, nlp.make_doc(text)) for document, text in pairs]


def spacy_alone(number: int, rounds: int) -> dict[str, float]:
    """Return µs a token of spaCy's pipeline, a gain at a time."""
    articles = Texts(number)
    plain, ours = spacy.load(PACKAGE), models.load(PACKAGE, WORDS)
    with backend.computing_with(backend.fastest().ops):
        fast = spacy.load(PACKAGE)
        remembering = spacy.load(PACKAGE, exclude=["senter"])
    memoise(remembering)
    tokens = sum(map(len, articles.docs(plain)))

    def batches(nlp: spacy.Language, settings: dict[str, dict[str, object]]) -> None:
        docs = articles.docs(nlp)
        for first in range(0, len(docs), BATCH_ARTICLES):
            list(nlp.pipe(docs[first : first + BATCH_ARTICLES], batch_size=BATCH_ARTICLES, component_cfg=settings))

    seconds = interleaved(
        {
            "one article at a time": lambda: [plain(doc) for doc in articles.docs(plain)],
            "eight at a time": lambda: batches(plain, {}),
            "and the faster matrix library": lambda: batches(fast, {}),
            "and ruler and lemmatiser remembered": lambda: batches(remembering, {}),
            "and all eight in parser and NER (ours)": lambda: batches(ours, models.together(BATCH_ARTICLES)),
        },
        rounds,
    )
    return {name: 1e6 * each / tokens for name, each in medians(seconds).items()}


def by_step(number: int, rounds: int) -> dict[str, float]:
    """Return µs a token of each step of the whole reading."""
    reader = Pipeline()
    articles = [RawArticle(article_id=str(index), body=text) for index, text in enumerate(texts(number))]
    reader.read(articles[:BATCH_ARTICLES])
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        sums: dict[str, float] = defaultdict(float)
        tokens = 0
        for first in range(0, len(articles), BATCH_ARTICLES):
            for reading in reader.measured(articles[first : first + BATCH_ARTICLES]):
                tokens += reading.tokens
                for timing in reading.steps:
                    sums[timing.step] += timing.seconds
                started = time.process_time()
                events(reading.article, "/bench", None)
                sums[Step.SERIALISATION] += time.process_time() - started
        for step, seconds in sums.items():
            taken[step].append(1e6 * seconds / tokens)
    return medians(taken)


def by_length(lengths: tuple[int, ...], rounds: int) -> dict[str, float]:
    """Return µs a word of articles of several lengths: each a run of paragraphs of the same articles."""
    reader = Pipeline()
    paragraphs = [part for text in texts(100) for part in text.split("\n\n") if len(part.split()) > 5]
    reader.read([RawArticle(article_id="warm", body="\n\n".join(paragraphs[:50]))])
    articles = {length: _of_length(paragraphs, length) for length in lengths}
    repeats = {length: max(1, 2_000 // length) for length in lengths}
    seconds = interleaved(
        {
            str(length): lambda article=article, length=length: [  # type: ignore[misc]
                reader.read([article]) for _ in range(repeats[length])
            ]
            for length, article in articles.items()
        },
        rounds,
    )
    words = {str(length): len(article.text.split()) * repeats[length] for length, article in articles.items()}
    return {length: 1e6 * each / words[length] for length, each in medians(seconds).items()}


def _of_length(paragraphs: list[str], words: int) -> RawArticle:
    chosen: list[str] = []
    count = 0
    while count < words:
        chosen.append(paragraphs[len(chosen) % len(paragraphs)])
        count += len(chosen[-1].split())
    return RawArticle(article_id="long", body="\n\n".join(chosen))


def by_extractor(number: int, rounds: int) -> dict[str, float]:
    """Return µs a token with each extractor alone, and with all."""
    chosen = {name: (name,) for name in EXTRACTORS} | {"all": EXTRACTORS}
    readers = {name: Pipeline(extractors=each) for name, each in chosen.items()}
    articles = [RawArticle(article_id=str(index), body=text) for index, text in enumerate(texts(number))]
    for reader in readers.values():
        reader.read(articles[:4])
    tokens = sum(reading.tokens for reading in readers["entities"].measured(articles))
    seconds = interleaved(
        {name: lambda reader=reader: reader.read(articles) for name, reader in readers.items()}, rounds
    )  # type: ignore[misc]
    return {name: 1e6 * each / tokens for name, each in medians(seconds).items()}


def main(number: int = 40, rounds: int = ROUNDS, lengths: tuple[int, ...] = LENGTHS) -> dict[str, object]:
    """Measure everything, print it and keep it."""
    # Steps are timed by a clock on the wall, which other processes lengthen; here, by this process's own time.
    steps.time = SimpleNamespace(perf_counter_ns=time.process_time_ns)  # type: ignore[assignment]
    syntax = spacy_alone(number, rounds)
    parts = by_step(number, rounds)
    costly = parts.get(Step.SYNTAX, 0) + parts.get(Step.READER, 0)
    by_words = by_length(lengths, rounds)
    results: dict[str, object] = {
        "articles": number,
        "spacy_us_a_token": syntax,
        "spacy_gain": next(iter(syntax.values())) / list(syntax.values())[-1],
        "steps_us_a_token": parts,
        "rest_share": 1 - costly / sum(parts.values()),
        "us_a_word_by_length": by_words,
        "dearest_length": max(by_words.values()) / min(by_words.values()),
        "us_a_token_by_extractor": by_extractor(min(number, 16), rounds),
        "matrix_backend": backend.fastest().name,
    }
    keep("reading", results)
    return results


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*map(int, sys.argv[1:3])), indent=1) + "\n")
