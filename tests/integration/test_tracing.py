"""Traces of a worker process on a real Kafka, with OpenTelemetry's own collector and without any."""

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from schemas import topics
from services.broker import Cluster
from services.enricher.messages import traceparent
from tests.chaos.harness import ROOT, Arena, article

pytestmark = pytest.mark.kafka

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
MANIFEST = Path(__file__).with_name("otelcol.yaml")
BUILT = ROOT / "dist" / "otelcol" / "otelcol"

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
exporters: {debug: {verbosity: detailed}}
service:
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
  telemetry: {metrics: {level: none}}
"""


@asynccontextmanager
async def arena_with(kafka: Cluster, folder: Path, endpoint: str) -> AsyncIterator[Arena]:
    """Yield an arena whose workers send their spans to `endpoint`."""
    settings = {
        "ONRECORD_TRACING_ENABLED": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SERVICE_NAME": "enricher-under-test",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    arena = Arena(kafka.bootstrap, folder, settings)
    await arena.make_topics(partitions=1)
    try:
        yield arena
    finally:
        await arena.stop_workers()


async def send_with_trace(arena: Arena, key: str) -> None:
    key, value = article(key)
    headers = [("traceparent", f"00-{TRACE}-{PARENT}-01".encode())]
    async with arena.producer() as producer:
        await producer.send_and_wait(topics.RAW.name, value, key=key.encode(), headers=headers)


async def outputs(arena: Arena) -> list[ConsumerRecord[bytes, bytes]]:
    return await arena.read(topics.ENRICHED.name) + await arena.read(topics.QUOTES.name)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def collector() -> str:
    """Return the collector's program, or skip."""
    program = shutil.which("otelcol") or shutil.which("otelcol-contrib") or (str(BUILT) if BUILT.exists() else None)
    if program is None:
        pytest.skip(
            f"no OpenTelemetry Collector is on the PATH or in dist/otelcol; {MANIFEST.name} says how to build it"
        )
    return program


async def test_spans_reach_a_real_collector_in_the_raw_events_trace(kafka: Cluster, tmp_path: Path) -> None:
    program = collector()
    port = free_port()
    (tmp_path / "otelcol.yaml").write_text(CONFIG % port)
    log = tmp_path / "otelcol.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            program, "--config", str(tmp_path / "otelcol.yaml"), stdout=file, stderr=file
        )
    try:
        await until_in(log, "Everything is ready")
        async with arena_with(kafka, tmp_path, f"http://127.0.0.1:{port}") as arena:
            await send_with_trace(arena, "a")
            worker = await arena.start_worker()
            await arena.until_done(120)
            (context,) = {traceparent(list(record.headers)) for record in await outputs(arena)}
            # Before the worker is told to stop, which gives its last spans no more than seconds.
            await until_in(log, f"ID             : {str(context)[36:52]}")
            assert await worker.stop() == 0
    finally:
        process.terminate()
        await process.wait()
    spans = {span["Name"]: span for span in spans_of(log.read_text())}
    assert set(spans) == {f"process {topics.RAW.name}", "poll", "read", "publish"}
    assert {span["Trace ID"] for span in spans.values()} == {TRACE}
    process_span = spans.pop(f"process {topics.RAW.name}")
    assert process_span["Parent ID"] == PARENT
    assert {span["Parent ID"] for span in spans.values()} == {process_span["ID"]}
    assert context == f"00-{TRACE}-{spans['publish']['ID']}-01"
    starts = [span["Start time"] for span in (process_span, spans["poll"], spans["read"], spans["publish"])]
    assert starts == sorted(starts)
    assert "service.name: Str(enricher-under-test)" in log.read_text()


async def until_in(log: Path, words: str) -> None:
    async with asyncio.timeout(120):
        while words not in await asyncio.to_thread(log.read_text):  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.1)


def spans_of(text: str) -> Iterator[dict[str, str]]:
    """Yield the fields of each span that the collector's debug exporter has written."""
    for block in re.split(r"^Span #\d+$", text, flags=re.MULTILINE)[1:]:
        yield dict(re.findall(r"^ {4}(\w[\w ]*?) *: (.*)$", block, re.MULTILINE))


async def test_a_collector_that_is_away_costs_spans_and_nothing_else(kafka: Cluster, tmp_path: Path) -> None:
    async with arena_with(kafka, tmp_path, f"http://127.0.0.1:{free_port()}") as arena:
        await send_with_trace(arena, "a")
        worker = await arena.start_worker()
        await arena.until_done(60)
        assert await worker.stop() == 0
        contexts = [traceparent(list(record.headers)) for record in await outputs(arena)]
    assert len(contexts) == 2
    assert {str(context)[3:35] for context in contexts} == {TRACE}
    assert PARENT not in {str(context)[36:52] for context in contexts}
