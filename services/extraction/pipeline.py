"""The reading of articles: text in, entities, quotes and positions out.

A Pipeline holds one spaCy pipeline a language, loaded once. What it returns for an article depends on that article
alone, whatever is read beside it: articles are redelivered and replayed, and must come out the same every time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from spacy.language import Language
from spacy.tokens import Doc

from schemas import EnrichedArticle, Provenance, RawArticle
from services.extraction import assembly, gate, models, positions, quotes, reports, stands, thresholds, topics, truecase
from services.extraction.backend import fastest
from services.extraction.coreference import Coreference
from services.extraction.document import Document, parse
from services.extraction.quotation import passages
from services.extraction.reader.network import Network, Task
from services.extraction.reader.words import Words
from services.extraction.steps import Step, Stopwatch, Timing
from services.extraction.tokens import open_sentences

SERVICE = "onrecord"

EXTRACTORS = ("entities", "quotes", "positions")
"""Everything that can be read out of an article, in the order of an event's fields."""

READ_LANGUAGE = "en"
"""The language that the learned reader was taught. In others, entities are all that is read."""

NAMES = frozenset({"tok2vec", "ner"})
SYNTAX = NAMES | {"tagger", "attribute_ruler", "parser"}
"""For English entities: their descriptions and pronouns ("the prime minister", "he") are found by syntax."""

WORDS = SYNTAX | {"lemmatizer"}
"""For quotes and positions: whether a cue reports speech or thought is looked up by its lemma."""

BATCH_ARTICLES = 8
"""Articles that spaCy computes at once: more leave the processor's cache, fewer repeat the overhead of a batch."""


@dataclass(frozen=True, slots=True)
class _Model:
    """A loaded spaCy pipeline, and what is read with it."""

    nlp: Language
    extractors: tuple[str, ...]
    provenance: Provenance
    network: Network | None
    """The learned reader of quotes and positions; None where neither is read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read out of an article, and what that took."""

    article: EnrichedArticle
    tokens: int = 0
    """spaCy's tokens of the text; 0 where it was not read."""
    steps: tuple[Timing, ...] = ()


class Pipeline:
    """Reads articles with the extractors that it was given; loads and runs what these need, and no more."""

    def __init__(
        self,
        models: Mapping[str, str] = models.DEFAULT_MODELS,
        extractors: Collection[str] = EXTRACTORS,
        publish_text: bool = True,
        least: thresholds.Thresholds = thresholds.DEFAULT,
    ) -> None:
        """Load the models.

        `models` gives the spaCy package of each language (BCP 47 primary subtag); an article in another language is
        returned unread, with the reason in its provenance. `publish_text`: whether a reading carries the text, or its
        hash alone. `least`: the least confidence of what is published.

        Raises ModelError, with one line, for a model that cannot be read with; ValueError for an unknown extractor.
        """
        unknown = sorted(set(extractors) - set(EXTRACTORS))
        if unknown:
            raise ValueError(f"no extractor is called {', '.join(unknown)}; there are {', '.join(EXTRACTORS)}")
        wanted = tuple(name for name in EXTRACTORS if name in extractors)
        self._extractors = wanted
        self._publish_text = publish_text
        self._least = least
        self._models = {tag.lower(): _load(tag.lower(), package, wanted) for tag, package in models.items()}

    @property
    def identity(self) -> dict[str, str]:
        """What decides what is read out of an article: pipelines by language, extractors, the learned reader's weights
        (the start of their SHA-256, empty where they are not needed) and the library of matrix products."""
        loaded = [(tag, model.provenance) for tag, model in sorted(self._models.items())]
        return {
            "pipelines": ",".join(f"{tag}={each.model} {each.model_version}" for tag, each in loaded),
            "extractors": ",".join(self._extractors),
            "reader": ",".join(sorted({each.reader for _, each in loaded if each.reader})),
            "matrices": fastest().name,
        }

    def read(self, articles: Sequence[RawArticle]) -> list[EnrichedArticle]:
        """Return what is read out of `articles`, in their order."""
        return [reading.article for reading in self.measured(articles)]

    def measured(self, articles: Sequence[RawArticle]) -> list[Reading]:
        """Return the readings of `articles`, in their order, with the time that each step took."""
        readings: dict[int, Reading] = {}
        readable: dict[str, list[int]] = {}
        for index, article in enumerate(articles):
            language = article.language.partition("-")[0].lower()
            reason = self._why_unread(article, language)
            if reason is None:
                readable.setdefault(language, []).append(index)
            else:
                skipped = _provenance(skipped=reason)
                readings[index] = Reading(assembly.enriched(article, skipped, publish_text=self._publish_text))
        for language, indices in readable.items():
            for first in range(0, len(indices), BATCH_ARTICLES):
                some = indices[first : first + BATCH_ARTICLES]
                together = self._together([articles[index] for index in some], self._models[language])
                readings.update(zip(some, together, strict=True))
        return [readings[index] for index in range(len(articles))]

    def _why_unread(self, article: RawArticle, language: str) -> str | None:
        """Return why an article is not read; None when it is."""
        model = self._models.get(language)
        if model is None:
            return f"no model is configured for language {article.language}"
        if not model.extractors:
            return f"no extractor is switched on for language {article.language}"
        if len(article.text) > model.nlp.max_length:
            return f"the text has {len(article.text)} characters, and the model reads {model.nlp.max_length} at most"
        return None

    def _together(self, articles: Sequence[RawArticle], model: _Model) -> list[Reading]:
        """Return the readings of articles that spaCy computes at once."""
        watch = Stopwatch()
        documents = [parse(article.text, article.title) for article in articles]
        tokenised = [open_sentences(each, model.nlp.make_doc(truecase.readable(each))) for each in documents]
        watch.lap(Step.DOCUMENT, len(articles))
        docs = list(model.nlp.pipe(tokenised, batch_size=BATCH_ARTICLES, component_cfg=models.together(BATCH_ARTICLES)))
        watch.lap(Step.SYNTAX, len(articles))
        readings = []
        for article, document, doc in zip(articles, documents, docs, strict=True):
            alone = Stopwatch()
            enriched = self._annotate(article, document, doc, model, alone)
            readings.append(Reading(enriched, len(doc), (*watch.timings, *alone.timings)))
        return readings

    def _annotate(
        self, article: RawArticle, document: Document, doc: Doc, model: _Model, watch: Stopwatch
    ) -> EnrichedArticle:
        coreference = Coreference(document, doc, article.article_id, article.revision, article.published_at)
        watch.lap(Step.ENTITIES)
        spoken: list[quotes.Found] = []
        stated: list[positions.Stated] = []
        if model.network is not None:
            blocks = [(block.start, block.end) for block in document.spoken]
            marked = passages(document.text, blocks)
            words = Words.of(document, marked, model.network.wordpieces)
            reported, taken = candidates(model.network, words)
            watch.lap(Step.READER)
            spoken = quotes.extract(document, doc, coreference, marked, reported, least=self._least)
            watch.lap(Step.QUOTES)
            if "positions" in model.extractors:
                held = stands.likely(taken, model.network.calibration.position, self._least.position)
                stated = positions.extract(document, doc, coreference, spoken, held)
                watch.lap(Step.POSITIONS)
        enriched = assembly.enriched(
            article,
            model.provenance,
            entities=coreference.entities if "entities" in model.extractors else [],
            quotes=[assembly.quote(article, document.text, each) for each in spoken if "quotes" in model.extractors],
            positions=[assembly.position(article, document.text, each) for each in stated],
            publish_text=self._publish_text,
        )
        watch.lap(Step.ASSEMBLY)
        return enriched


def candidates(network: Network, words: Words) -> tuple[list[reports.Report], list[stands.Stand]]:
    """Return the attributions and the stands that the learned reader takes to be possible in an article."""
    reported: list[reports.Report] = []
    taken: list[stands.Stand] = []
    for predicate in network.read(words):
        if predicate.task is Task.QUOTE:
            reported.append(reports.report(predicate, network.calibration.quote))
        else:
            taken += stands.stands(predicate)
    return reported, taken


def _load(language: str, package: str, wanted: Sequence[str]) -> _Model:
    """Return the model of a language with the components that its extractors need."""
    extractors = tuple(name for name in wanted if language == READ_LANGUAGE or name == "entities")
    components = NAMES
    if language == READ_LANGUAGE:
        components = SYNTAX if extractors == ("entities",) else WORDS
    nlp = models.load(package, components)
    network = Network() if {"quotes", "positions"} & set(extractors) else None
    # Read with the rest, so that processes forked from this one share them.
    if network is not None:
        gate.weights()
    if "positions" in extractors:
        topics.shipped()
    provenance = _provenance(package, models.version(nlp), extractors, network.fingerprint if network else None)
    return _Model(nlp, extractors, provenance, network)


def _provenance(
    model: str | None = None,
    model_version: str | None = None,
    extractors: Sequence[str] = (),
    reader: str | None = None,
    skipped: str | None = None,
) -> Provenance:
    return Provenance(
        service=SERVICE,
        version=version(SERVICE),
        model=model,
        model_version=model_version,
        reader=reader,
        extractors=list(extractors),
        skipped=skipped,
    )
