"""Workers as Faust's own documentation writes them, with the stub reader: what the five losses are shown on.

PLAIN_PATTERN names the pattern. Each awaits what it sends, as careful code would, and has Faust's default supervisor,
which starts an agent again that an exception has ended: the worker lives on, and commits what the exception has
acknowledged.

mode's CrashingSupervisor, which ends the worker instead, loses the same messages. But then the last commit runs beside
the end of the consumer's thread. If the thread ends first, that commit never ends, nor does the worker: the outcome of
a test would depend on which is faster.
"""

import asyncio
import os
from typing import Any

import faust
import orjson

from schemas import topics
from services.enricher.messages import Message
from services.enricher.settings import Settings, load_settings
from tests.chaos.stub import Reader


def make_app(settings: Settings) -> faust.App:
    """Return a Faust app that is set up like a worker of ours as far as Faust's own settings go."""
    return faust.App(
        settings.group_id,
        broker=f"kafka://{settings.kafka.bootstrap}",
        broker_commit_interval=0.2,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=1.0,
        consumer_auto_offset_reset="earliest",
        producer_request_timeout=5.0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        datadir=os.environ["PLAIN_DATA"],
    )


def add_agent(app: faust.App, pattern: str, reader: Reader) -> None:
    """Have the app read the raw topic with one of the plain patterns."""

    async def publish(value: bytes) -> None:
        result = reader.read([Message(value, [])])[0]
        assert result.failure is None, "no pattern here knows dead letters"
        for output in result.outputs:
            topic = app.topic(output.topic, key_serializer="raw", value_serializer="raw")
            await topic.send(key=output.key, value=output.value)

    async def one_by_one(stream: Any) -> None:
        async for value in stream:
            message = value if isinstance(value, bytes) else orjson.dumps(value)
            if b'"slow"' in message:
                await asyncio.sleep(3600)
            await publish(message)

    async def in_batches(stream: Any) -> None:
        async for values in stream.take(10, within=1):
            for value in values:
                await publish(value)

    kind: dict[str, Any] = {"value_serializer": "raw", "value_type": bytes}
    if pattern == "json":
        kind = {"value_serializer": "json"}
    raw = app.topic(topics.RAW.name, key_type=bytes, key_serializer="raw", **kind)
    concurrency = 5 if pattern == "concurrent" else 1
    decorate = app.agent(raw, concurrency=concurrency)
    decorate(in_batches if pattern == "batches" else one_by_one)


def main() -> None:
    settings = load_settings()
    app = make_app(settings)
    add_agent(app, os.environ["PLAIN_PATTERN"], Reader(settings))
    faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
