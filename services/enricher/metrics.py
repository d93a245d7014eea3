"""The catalogue of metrics: the one place that says what each is called, what it means and what to do when it moves.

`docs/metrics.md` is generated from it: `python -m services.enricher.metrics > docs/metrics.md`.
Labels take values from closed lists, partition numbers and slot numbers alone, so that no input can add time series.
"""

import itertools
import platform
import sys
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from schemas import EntityType, Modality, QuoteKind, Reason, Stance
from services.enricher.messages import Result
from services.extraction.steps import Step

# The *_created series double the number of series, and promtool takes them for gauges without a unit.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From a stub's reading to the default deadline of an article.
READING_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# From the checks of a short article to the network's run over a long one.
STEP_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
# From a live article to the end of a backlog of hours.
LATENCY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
BATCH_ARTICLES = (1, 2, 3, 4, 6, 8, 12, 16, 32)
CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

LABEL_VALUES: dict[str, tuple[str, ...]] = {
    "reason": tuple(Reason),
    "step": tuple(Step),
    "cause": ("crash", "memory", "deadline", "nursery", "recycled"),
    "type": tuple(EntityType),
    "kind": tuple(QuoteKind),
    "speaker": ("known", "unknown"),
    "stance": tuple(Stance),
    "modality": tuple(Modality),
}
"""What the labels of counters and histograms may be. Each series is there from the start, at zero: Prometheus does not
see the increase that brings a series into being, and the first dead letter of its kind is the one to be told of."""

Kind = Literal["counter", "gauge", "histogram", "info"]


@dataclass(frozen=True, slots=True)
class Spec:
    """One line of the catalogue. `name` is the name on /metrics, without the suffixes of a histogram's series."""

    kind: Kind
    name: str
    meaning: str
    action: str
    """What to do when it moves."""
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _metric(kind: Kind, name: str, meaning: str, action: str, *labels: str, buckets: tuple[float, ...] = ()) -> Any:
    """Return a line of the catalogue, in whose place every Metrics has the metric itself."""
    return Spec(kind, name, meaning, action, labels, buckets)


class Metrics:
    """All metrics of one worker, in a registry of their own."""

    # The stream
    articles_received: Counter = _metric(
        "counter",
        "onrecord_articles_received_total",
        "Raw messages taken from Kafka, redelivered ones included.",
        "Its rate is the load. Zero with lag: see onrecord_last_progress_timestamp_seconds.",
    )
    articles_enriched: Counter = _metric(
        "counter",
        "onrecord_articles_enriched_total",
        "Articles whose events the brokers have confirmed.",
        "Its rate is the throughput. Below the rate of received for long: add children, then workers.",
    )
    articles_failed: Counter = _metric(
        "counter",
        "onrecord_articles_failed_total",
        "Messages whose dead letter the brokers have confirmed, by reason.",
        "`onrecord dlq list` shows them. A sudden rise of one reason: a producer that changed, or a model that fails.",
        "reason",
    )
    articles_in_flight: Gauge = _metric(
        "gauge",
        "onrecord_articles_in_flight",
        "Articles taken from Kafka and neither confirmed nor given up.",
        "At its limit all the time: the worker is busy, or brokers confirm slowly (publish seconds).",
    )
    in_flight_bytes: Gauge = _metric(
        "gauge",
        "onrecord_in_flight_bytes",
        "The same in bytes of raw messages.",
        "At its limit while the articles are not: articles are long; raise ONRECORD_IN_FLIGHT_BYTES if memory allows.",
    )
    end_to_end_seconds: Histogram = _metric(
        "histogram",
        "onrecord_end_to_end_seconds",
        "From the raw message's timestamp to the confirmation of its events.",
        "Grows with lag. Without lag: reading seconds, then publish seconds, then transaction linger.",
        buckets=LATENCY_SECONDS,
    )
    publish_seconds: Histogram = _metric(
        "histogram",
        "onrecord_publish_seconds",
        "From handing a batch of results to the producer to the brokers' confirmation.",
        "Slow brokers: look at their disks and replicas; transactions: raise ONRECORD_TRANSACTION_ARTICLES.",
        buckets=READING_SECONDS,
    )
    publish_errors: Counter = _metric(
        "counter",
        "onrecord_publish_errors_total",
        "Publishing that the brokers refused and that is tried again.",
        "Any: brokers are away, short of replicas, out of disk, or have withdrawn a right. The log names the error.",
    )
    last_progress: Gauge = _metric(
        "gauge",
        "onrecord_last_progress_timestamp_seconds",
        "When the brokers last confirmed an article's events or dead letter, in Unix time.",
        "Old while there is lag: the worker is stuck; /livez turns red after ONRECORD_WATCHDOG_SECONDS.",
    )
    consumer_lag: Gauge = _metric(
        "gauge",
        "onrecord_consumer_lag_messages",
        "Messages of a partition assigned to this worker that are not confirmed yet.",
        "Grows for long: add workers, up to one a partition. Grows in one partition alone: one key is too frequent.",
        "partition",
    )
    partitions: Gauge = _metric(
        "gauge",
        "onrecord_partitions",
        "Partitions assigned to this worker.",
        "Zero: more workers than partitions, or a group that does not settle.",
    )

    # The pool
    queue_articles: Gauge = _metric(
        "gauge",
        "onrecord_queue_articles",
        "Articles that wait for a child.",
        "Above zero all the time with all children busy: the cores are the limit.",
    )
    children: Gauge = _metric(
        "gauge",
        "onrecord_children",
        "Children that are ready or reading.",
        "Below ONRECORD_CHILDREN for more than seconds: see child restarts.",
    )
    children_busy: Gauge = _metric(
        "gauge",
        "onrecord_children_busy",
        "Children that are reading.",
        "Below the number of children with lag: raise ONRECORD_IN_FLIGHT_ARTICLES, or look at publish seconds.",
    )
    batch_articles: Histogram = _metric(
        "histogram",
        "onrecord_batch_articles",
        "Articles a child was given at once.",
        "Near 1 under full load: raise ONRECORD_IN_FLIGHT_ARTICLES.",
        buckets=BATCH_ARTICLES,
    )
    reading_seconds: Histogram = _metric(
        "histogram",
        "onrecord_reading_seconds",
        "Time a child needs for an article (its share of the batch).",
        "Compare with characters read: longer articles, or a slower machine. The steps say where it goes.",
        buckets=READING_SECONDS,
    )
    reading_step_seconds: Histogram = _metric(
        "histogram",
        "onrecord_reading_step_seconds",
        "Time that a step of the reading takes for an article; what is done for several at once, its share.",
        "All steps alike: a slower machine. One alone: a release, a model, or articles of another kind.",
        "step",
        buckets=STEP_SECONDS,
    )
    child_restarts: Counter = _metric(
        "counter",
        "onrecord_child_restarts_total",
        "Children replaced: crash, memory or deadline, the nursery they are forked from lost, or recycled by plan.",
        "Other than recycled: look at the dead letters. memory: raise ONRECORD_CHILD_MEMORY_BYTES.",
        "cause",
    )
    child_memory_bytes: Gauge = _metric(
        "gauge",
        "onrecord_child_memory_bytes",
        "Resident memory of a child after its last batch, shared pages included.",
        "Grows without end: lower ONRECORD_CHILD_ARTICLES, and report it.",
        "child",
    )

    # What was read
    articles_skipped: Counter = _metric(
        "counter",
        "onrecord_articles_skipped_total",
        "Articles passed on unread, for want of a model for their language.",
        "Configure a model for the language (ONRECORD_MODELS), or ignore it.",
    )
    characters_read: Counter = _metric(
        "counter",
        "onrecord_characters_read_total",
        "Length of the texts read, in code points.",
        "Its rate over the children is the speed of reading.",
    )
    tokens_read: Counter = _metric(
        "counter",
        "onrecord_tokens_read_total",
        "Words and marks of the texts read, as spaCy counts them.",
        "What reading time follows. Fewer characters to a token than usual: markup or another script among the text.",
    )
    entities: Counter = _metric(
        "counter",
        "onrecord_entities_total",
        "Entities found, by type.",
        "A type that falls against articles: the input changed, or the model did.",
        "type",
    )
    quotes: Counter = _metric(
        "counter",
        "onrecord_quotes_total",
        "Quotes found, by kind, and by whether the speaker is known.",
        "A falling share of known speakers, or of quotes an article: a source with a new layout.",
        "kind",
        "speaker",
    )
    quote_confidence: Histogram = _metric(
        "histogram",
        "onrecord_quote_confidence_ratio",
        "Confidence of the quotes found.",
        "Drifts down: the texts are less and less like those it was made for.",
        buckets=CONFIDENCE,
    )
    positions: Counter = _metric(
        "counter",
        "onrecord_positions_total",
        "Policy positions found, by stance and modality.",
        "A stance that vanishes is a fault; slow changes are the news.",
        "stance",
        "modality",
    )
    position_confidence: Histogram = _metric(
        "histogram",
        "onrecord_position_confidence_ratio",
        "Confidence of the positions found.",
        "Drifts down: the texts are less and less like those it was made for.",
        buckets=CONFIDENCE,
    )

    # The worker itself
    event_loop_delay_seconds: Gauge = _metric(
        "gauge",
        "onrecord_event_loop_delay_seconds",
        "How late the event loop woke a task at the last heartbeat.",
        "Above a tenth of a second: something blocks the loop; the stacks are in the log when it lasts.",
    )
    build: Info = _metric(
        "info",
        "onrecord_build_info",
        "Version of the service and of Python.",
        "Changes with a deployment.",
        "version",
        "python",
    )
    model: Info = _metric(
        "info",
        "onrecord_model_info",
        "What reads: spaCy pipelines by language, extractors, weights of the learned reader, library for matrices.",
        "Changes with a deployment; compare figures only where it is the same. The library changes with the processor.",
        "pipelines",
        "extractors",
        "reader",
        "matrices",
    )

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for attribute, spec in _SPECS.items():
            setattr(self, attribute, _make(spec, self.registry))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def count(self, result: Result) -> None:
        """Count what a reading found."""
        facts = result.facts
        if facts is None:
            return
        self.articles_skipped.inc(facts.skipped)
        self.characters_read.inc(facts.characters)
        self.tokens_read.inc(facts.tokens)
        for timing in facts.steps:
            self.reading_step_seconds.labels(step=timing.step).observe(timing.seconds)
        for entity_type in facts.entities:
            self.entities.labels(type=entity_type).inc()
        for kind, known, confidence in facts.quotes:
            self.quotes.labels(kind=kind, speaker="known" if known else "unknown").inc()
            self.quote_confidence.observe(confidence)
        for stance, modality, confidence in facts.positions:
            self.positions.labels(stance=stance, modality=modality).inc()
            self.position_confidence.observe(confidence)

    def describe(self, version: str) -> None:
        """State what runs here; what reads here is stated by the pool, once it is loaded."""
        self.build.info({"version": version, "python": platform.python_version()})


_SPECS = {attribute: spec for attribute, spec in vars(Metrics).items() if isinstance(spec, Spec)}
CATALOGUE: tuple[Spec, ...] = tuple(_SPECS.values())


def _make(spec: Spec, registry: CollectorRegistry) -> Counter | Gauge | Histogram | Info:
    if spec.kind == "gauge":
        return Gauge(spec.name, spec.meaning, spec.labels, registry=registry)
    if spec.kind == "info":
        return Info(spec.name.removesuffix("_info"), spec.meaning, registry=registry)
    metric = (
        Counter(spec.name, spec.meaning, spec.labels, registry=registry)
        if spec.kind == "counter"
        else Histogram(spec.name, spec.meaning, spec.labels, registry=registry, buckets=spec.buckets)
    )
    if spec.labels:
        for values in itertools.product(*(LABEL_VALUES[label] for label in spec.labels)):
            metric.labels(*values)
    return metric


HEADING = """# Metrics

What a worker shows on `/metrics`, beside `process_*` and `python_gc_*`.
This page is generated: `python -m services.enricher.metrics > docs/metrics.md`.

| metric | type | labels | meaning | when it moves |
|---|---|---|---|---|
"""

LABELS = """
The labels take these values and no others, whatever the articles hold; `partition` is a number of the raw topic's, and
`child` one below `ONRECORD_CHILDREN`. All series with them are there from the start.

| label | values |
|---|---|
"""


def markdown() -> str:
    """Return the page docs/metrics.md."""
    rows = [
        f"| `{spec.name}` | {spec.kind} | {', '.join(f'`{label}`' for label in spec.labels)} "
        f"| {spec.meaning} | {spec.action} |\n"
        for spec in CATALOGUE
    ]
    closed = [f"| `{label}` | {', '.join(f'`{one}`' for one in values)} |\n" for label, values in LABEL_VALUES.items()]
    return HEADING + "".join(rows) + LABELS + "".join(closed)


if __name__ == "__main__":
    sys.stdout.write(markdown())
