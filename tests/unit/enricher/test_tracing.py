"""What becomes of an article as spans, in memory."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from aiokafka.errors import KafkaConnectionError
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, Sampler
from opentelemetry.trace import SpanKind, StatusCode

from schemas.deadletter import original_headers
from services.enricher.app import new_tracing
from services.enricher.consumer import Raw
from services.enricher.messages import Facts, Outgoing, ReadSpan, Result, traceparent
from services.enricher.settings import Settings, SettingsError
from services.enricher.spans import Spans, exporting
from services.enricher.tracing import Tracing
from services.extraction.steps import Step, Timing
from tests.unit.enricher.lanes import Bench, until

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = [("own", b"1"), ("traceparent", f"00-{TRACE}-{PARENT}-01".encode())]


@dataclass
class Recorder:
    """Tracing into memory."""

    tracing: Spans
    exporter: InMemorySpanExporter

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """The finished spans by name; of several of one name the last."""
        return {span.name: span for span in self.exporter.get_finished_spans()}


def recorder(sampler: Sampler | None = None) -> Recorder:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Recorder(Spans(provider), exporter)


@pytest.fixture
def recorded() -> Iterator[Recorder]:
    found = recorder()
    yield found
    found.tracing.close()


def raw(headers: list[tuple[str, bytes]], offset: int = 7, fetched_ns: int = 0) -> Raw:
    return Raw("raw", 3, offset, 1, b"k", b"value", headers, 0, fetched_ns)


def contexts(outputs: list[Outgoing]) -> set[str | None]:
    return {traceparent(output.headers) for output in outputs}


async def test_the_raw_events_trace_goes_on_into_every_output(recorded: Recorder) -> None:
    bench = Bench(tracing=recorded.tracing)
    bench.start()
    await bench.take("a", headers=HEADERS)
    await bench.finish()
    spans = recorded.spans
    assert set(spans) == {"process raw", "poll", "publish"}
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE}
    process, publish = spans["process raw"], spans["publish"]
    assert process.parent is not None
    assert f"{process.parent.span_id:016x}" == PARENT
    assert {span.parent and span.parent.span_id for span in (spans["poll"], publish)} == {process.context.span_id}
    assert (process.kind, publish.kind) == (SpanKind.CONSUMER, SpanKind.PRODUCER)
    (batch,) = bench.broker.batches
    assert contexts(batch) == {f"00-{TRACE}-{publish.context.span_id:016x}-01"}


async def test_an_article_without_a_trace_begins_one_and_a_broken_header_is_none(recorded: Recorder) -> None:
    bench = Bench(tracing=recorded.tracing)
    bench.start()
    await bench.take("a")
    await bench.take("b", first_offset=1, headers=[("traceparent", f"00-{'0' * 32}-{PARENT}-01".encode())])
    await bench.take("c", first_offset=2, headers=[("traceparent", b"not one")])
    await bench.finish()
    roots = [span for span in recorded.exporter.get_finished_spans() if span.name == "process raw"]
    assert [span.parent for span in roots] == [None, None, None]
    outputs = [output for batch in bench.broker.batches for output in batch]
    assert [str(traceparent(output.headers))[3:35] for output in outputs] == [
        f"{span.context.trace_id:032x}" for span in roots
    ]


async def test_a_trace_that_is_not_sampled_goes_on_unsampled_and_records_nothing() -> None:
    recorded = recorder(ParentBased(ALWAYS_OFF))
    bench = Bench(tracing=recorded.tracing)
    bench.start()
    await bench.take("a", headers=[("traceparent", f"00-{TRACE}-{PARENT}-00".encode())])
    await bench.finish()
    recorded.tracing.begin(raw([("traceparent", f"00-{TRACE}-{PARENT}-00".encode())])).read(read_in_steps(0))
    (context,) = contexts(bench.broker.batches[0])
    assert context is not None
    assert (context[3:35], context[-2:]) == (TRACE, "00")
    assert recorded.spans == {}


async def test_the_spans_have_the_times_of_fetching_reading_and_confirming(recorded: Recorder) -> None:
    fetched_ns = time.time_ns() - 5_000_000_000
    trace = recorded.tracing.begin(raw(HEADERS, fetched_ns=fetched_ns))
    began_ns, ended_ns = fetched_ns + 1_000, fetched_ns + 2_000
    trace.read(Result(span=ReadSpan(began_ns, ended_ns, articles=4, epoch_ns=0)))
    trace.delivered(2, None)
    poll, reading, publish, process = (recorded.spans[name] for name in ("poll", "read", "publish", "process raw"))
    assert (process.start_time, poll.start_time) == (fetched_ns, fetched_ns)
    assert (reading.start_time, reading.end_time) == (began_ns, ended_ns)
    assert dict(reading.attributes or {}) == {"onrecord.batch.articles": 4}
    assert poll.end_time is not None
    assert publish.start_time is not None
    assert process.end_time is not None
    assert publish.end_time is not None
    assert fetched_ns < poll.end_time <= publish.start_time <= publish.end_time <= process.end_time
    attributes = process.attributes or {}
    assert (attributes["messaging.destination.partition.id"], attributes["messaging.kafka.offset"]) == ("3", 7)


def read_in_steps(began_ns: int) -> Result:
    """A reading that began at a time of the day, when the clock of its steps stood at 50."""
    steps = (Timing(Step.SYNTAX, 60, 80, articles=4), Timing(Step.ENTITIES, 85, 90))
    span = ReadSpan(began_ns, began_ns + 100, articles=4, epoch_ns=began_ns - 50)
    return Result(facts=Facts(1, 1, False, (), (), (), steps), span=span)


async def test_the_steps_of_a_reading_are_its_children_with_their_own_times(recorded: Recorder) -> None:
    began_ns = time.time_ns()
    trace = recorded.tracing.begin(raw(HEADERS))
    trace.read(read_in_steps(began_ns))
    trace.delivered(1, None)
    spans = recorded.spans
    assert set(spans) == {"process raw", "poll", "read", "syntax", "entities", "publish"}
    assert {span.parent and span.parent.span_id for span in (spans["syntax"], spans["entities"])} == {
        spans["read"].context.span_id
    }
    syntax, entities = spans["syntax"], spans["entities"]
    assert (syntax.start_time, syntax.end_time) == (began_ns + 10, began_ns + 30)
    assert (entities.start_time, entities.end_time) == (began_ns + 35, began_ns + 40)
    assert [dict(span.attributes or {}) for span in (syntax, entities)] == [
        {"onrecord.batch.articles": 4},
        {"onrecord.batch.articles": 1},
    ]


async def test_a_dead_letter_keeps_its_headers_and_its_trace_says_why(recorded: Recorder) -> None:
    bench = Bench(tracing=recorded.tracing)
    bench.start()
    await bench.take("poison", headers=HEADERS)
    await bench.finish()
    (letter,) = bench.broker.batches[0]
    assert original_headers(letter.headers) == HEADERS
    process = recorded.spans["process raw"]
    assert process.status.status_code is StatusCode.ERROR
    assert (process.attributes or {})["error.type"] == "not_json"


async def test_a_delivery_that_is_tried_again_is_one_publish_with_each_failure_in_it(recorded: Recorder) -> None:
    bench = Bench(tracing=recorded.tracing)
    bench.broker.failures = [KafkaConnectionError(), TimeoutError()]
    bench.start()
    await bench.take("a")
    await bench.finish()
    publishing = [span for span in recorded.exporter.get_finished_spans() if span.name == "publish"]
    assert [[(event.attributes or {})["error.type"] for event in span.events] for span in publishing] == [
        ["KafkaConnectionError", "TimeoutError"]
    ]


async def test_what_is_given_up_or_was_delivered_before_ends_its_trace_and_says_so(recorded: Recorder) -> None:
    bench = Bench(tracing=recorded.tracing)
    bench.broker.committed = 1
    bench.reader.slow[b"b"] = asyncio.get_running_loop().create_future()
    bench.start()
    await bench.take("a", "b")
    await until(lambda: bench.lane.connected and bench.reader.reading == {b"b"})
    bench.lane.forget()
    assert bench.task is not None
    await bench.task
    ended = [span for span in recorded.exporter.get_finished_spans() if span.name == "process raw"]
    assert [[event.name for event in span.events] for span in ended] == [["dropped"], ["dropped"]]
    assert bench.broker.values == []


def test_tracing_is_off_by_default_and_then_loads_nothing() -> None:
    program = (
        "import sys; import services.enricher.app; from services.enricher.settings import Settings;"
        "from services.enricher.app import new_tracing; new_tracing(Settings());"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    trace = Tracing().begin(raw(HEADERS))
    outputs = (Outgoing("out", None, b"", HEADERS),)
    assert trace.read(Result(outputs=outputs)) is outputs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
    ],
)
def test_what_cannot_be_exported_as_asked_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}: .*{value}"):
        new_tracing(Settings(tracing_enabled=True))


def test_without_the_packages_the_setting_names_the_group_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "services.enricher.spans", None)
    with pytest.raises(SettingsError, match=r"ONRECORD_TRACING_ENABLED .*onrecord\[tracing\]"):
        new_tracing(Settings(tracing_enabled=True))


def test_the_service_has_a_name_that_opentelemetrys_variables_can_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    named = []
    for variables in ({}, {"OTEL_SERVICE_NAME": "desk"}, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=wire,a=b"}):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            tracing = exporting()
            named.append(tracing._provider.resource.attributes["service.name"])
            tracing.close()
    assert named == ["onrecord-enricher", "desk", "wire"]


async def test_opentelemetrys_own_switch_leaves_the_trace_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    trace = exporting().begin(raw(HEADERS))
    outputs = (Outgoing("out", None, b"", HEADERS),)
    assert contexts(list(trace.read(Result(outputs=outputs)))) == {HEADERS[1][1].decode()}
