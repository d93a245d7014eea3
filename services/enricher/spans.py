"""Traces with OpenTelemetry: what happens to an article as spans, in the trace that its raw event belongs to.

    process news.article.raw.v1     consumer; child of the raw event's traceparent, or the root of a new trace
      poll                          fetched from Kafka, until there was room to read it
      read                          by a child process, with the articles of its batch
        validation ... serialisation  the steps of the reading (services/extraction/steps.py)
      publish                       producer; from its turn to the brokers' confirmation

The outputs carry the context of `publish`, so whoever reads them goes on from there. Names and attributes follow
OpenTelemetry's semantic conventions for messaging; no attribute holds text of an article.

Where spans go, and how many, is for OpenTelemetry's own environment variables to say (docs/operations.md, Tracing).
"""

import os
import threading
import time
from dataclasses import replace
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.cloudevents import TRACEPARENT
from services.enricher.consumer import Raw
from services.enricher.messages import Failure, Outgoing, ReadSpan, Result, traceparent
from services.enricher.settings import SettingsError
from services.enricher.tracing import Trace, Tracing

SERVICE = "onrecord-enricher"
"""The service's name in traces unless OpenTelemetry's variables give it another."""

BATCH = "onrecord.batch.articles"
"""Attribute of a reading and of its steps: how many articles were read at once."""

CLOSE_SECONDS = 5.0
"""How long the last spans may take to leave when the worker ends: a collector that is away must not hold it up."""

_W3C = TraceContextTextMapPropagator()


class Spans(Tracing):
    """Records the traces of a worker with the tracers of `provider`; closing it closes the provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("onrecord", version("onrecord"))

    def begin(self, raw: Raw) -> Trace:
        """Go on with the trace of the raw event, from the moment that it was fetched."""
        now_ns = time.time_ns()
        fetched_ns = raw.fetched_ns or now_ns
        context = traceparent(raw.headers)
        span = self._tracer.start_span(
            f"process {raw.topic}",
            # An empty context otherwise: whatever else this process does, the article has no part in it.
            _W3C.extract({TRACEPARENT: context}, Context()) if context is not None else Context(),
            SpanKind.CONSUMER,
            {
                **_operation("process", "process"),
                "messaging.destination.name": raw.topic,
                "messaging.destination.partition.id": str(raw.partition),
                "messaging.kafka.offset": raw.offset,
                "messaging.message.body.size": len(raw.value or b""),
            },
            start_time=fetched_ns,
        )
        around = trace.set_span_in_context(span, Context())
        polled = _operation("poll", "receive")
        self._tracer.start_span("poll", around, SpanKind.CLIENT, polled, start_time=fetched_ns).end(now_ns)
        return _Recorded(self._tracer, span, around)

    def close(self) -> None:
        """Send the last spans."""
        # In a thread that does not keep the process from ending: the SDK would wait for half a minute.
        closing = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


class _Recorded(Trace):
    """The trace of one article: a span around it, and the one of its publishing when that has begun."""

    def __init__(self, tracer: Tracer, span: Span, around: Context) -> None:
        self._tracer = tracer
        self._span = span
        self._around = around
        self._publishing: Span | None = None
        self.trace_id = trace.format_trace_id(span.get_span_context().trace_id)

    def read(self, result: Result) -> tuple[Outgoing, ...]:
        if result.span is not None:
            self._record(result, result.span)
        sent = _operation("publish", "send")
        self._publishing = self._tracer.start_span("publish", self._around, SpanKind.PRODUCER, sent)
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(self._publishing, Context()))
        if TRACEPARENT not in carrier:  # OTEL_SDK_DISABLED: no trace was begun, and that of the raw event goes on
            return result.outputs
        return tuple(_with(output, carrier[TRACEPARENT]) for output in result.outputs)

    def _record(self, result: Result, read: ReadSpan) -> None:
        """Record the reading, and each of its steps."""
        reading = self._tracer.start_span("read", self._around, start_time=read.began_ns)
        reading.set_attribute(BATCH, read.articles)
        if result.failure is not None:
            _fail(reading, result.failure)
        if result.facts is not None and reading.is_recording():
            within = trace.set_span_in_context(reading, Context())
            for step in result.facts.steps:
                began_ns, ended_ns = step.began_ns + read.epoch_ns, step.ended_ns + read.epoch_ns
                attributes = {BATCH: step.articles}
                self._tracer.start_span(step.step.value, within, attributes=attributes, start_time=began_ns).end(
                    ended_ns
                )
        reading.end(read.ended_ns)

    def retried(self, error: str) -> None:
        if self._publishing is not None:
            self._publishing.add_event("retry", {"error.type": error})

    def delivered(self, articles: int, failure: Failure | None) -> None:
        if failure is not None:
            _fail(self._span, failure)
        if self._publishing is not None:
            self._publishing.set_attribute("messaging.batch.message_count", articles)
            self._publishing.end()
        self._span.end()

    def dropped(self, reason: str) -> None:
        self._span.add_event("dropped", {"onrecord.reason": reason})
        if self._publishing is not None:
            self._publishing.end()
        self._span.end()


def _operation(name: str, kind: str) -> dict[str, str]:
    return {"messaging.system": "kafka", "messaging.operation.name": name, "messaging.operation.type": kind}


def _fail(span: Span, failure: Failure) -> None:
    span.set_attribute("error.type", failure.reason.value)
    span.set_status(StatusCode.ERROR, failure.message)


def _with(output: Outgoing, context: str) -> Outgoing:
    headers = [header for header in output.headers if header[0] != TRACEPARENT]
    return replace(output, headers=[*headers, (TRACEPARENT, context.encode())])


def exporting() -> Spans:
    """Return tracing that sends its spans as OpenTelemetry's variables say; raises SettingsError for what it cannot."""
    # A resource that is handed over would outdo the variables that name it.
    named = OTELResourceDetector().detect().attributes
    about = {SERVICE_NAME: named.get(SERVICE_NAME, SERVICE), SERVICE_VERSION: version("onrecord")}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    if _asked("OTEL_TRACES_EXPORTER", "otlp", ("otlp", "none")) == "otlp":
        protocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
        name = protocol if os.environ.get(protocol) else "OTEL_EXPORTER_OTLP_PROTOCOL"
        _asked(name, "http/protobuf", ("http/protobuf",))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


def _asked(name: str, default: str, possible: tuple[str, ...]) -> str:
    """Return the value of one of OpenTelemetry's variables that can be had; raises SettingsError for another."""
    value = os.environ.get(name) or default
    if value not in possible:
        raise SettingsError(f"{name}: must be {' or '.join(possible)} here (it is {value[:80]!r})")
    return value
