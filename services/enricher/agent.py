"""The Faust app: one agent over the raw topic. Faust reads and follows rebalances; everything else is ours.

What of Faust is switched off, and why: its commits (it would commit past work in flight), its producer (ours are
idempotent and belong to a partition), its web server, sensors, leader election and reply topic (nobody asks), the
creation of topics (an administrator's), and its waiting for streams at a rebalance (it has no deadline).
"""

import logging
from collections.abc import Iterable
from typing import Any, cast

import faust
from aiokafka import TopicPartition
from faust.app.base import BootStrategy
from faust.types import StreamT
from mode import CrashingSupervisor, ServiceT

from schemas.topics import RAW
from services.enricher.consumer import Raw, Transport
from services.enricher.partitions import Partitions
from services.enricher.settings import Settings

NEVER_SECONDS = 10 * 365 * 24 * 3600.0
"""For alarms of Faust's that have no off switch; ours are in watchdog.py."""

BUFFERED_MESSAGES = 16
"""Messages that wait between Faust's consumer and the agent, and whose memory nobody else counts."""


class _Boot(BootStrategy):
    """Starts the consumer and what hangs on it, and none of the rest."""

    def server(self) -> Iterable[ServiceT]:
        return [self.app.consumer, *self.agents(), *self.kafka_conductor(), *self.tables()]


class _App(faust.App):
    logger = logging.getLogger("faust")  # else mode makes one of our name for its own chatter
    BootStrategy = _Boot

    def _create_directories(self) -> None:
        """Make no data directory: there are no tables."""


def new_app(settings: Settings) -> faust.App:
    """Return the Faust app, without an agent yet; its consumer is `services.enricher.consumer.Consumer`."""
    app = _App(
        settings.group_id,
        autodiscover=False,
        broker_commit_livelock_soft_timeout=NEVER_SECONDS,
        stream_processing_timeout=NEVER_SECONDS,
        stream_buffer_maxsize=BUFFERED_MESSAGES,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.transport = Transport(settings, app)
    return app


def connect(app: faust.App, partitions: Partitions) -> None:
    """Have the app read the raw topic into `partitions`, and tell it of every rebalance."""
    topic = app.topic(RAW.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def enrich(stream: StreamT[Any]) -> None:
        # noack: no event is ever acknowledged to Faust, which therefore never commits.
        async for event in cast(faust.Stream[Any], stream).noack().events():
            await partitions.take(Raw.of(event.message))

    async def on_assigned(_: Any, /, *args: Any, **__: Any) -> None:
        (assigned,) = args
        partitions.assigned(TopicPartition(*partition) for partition in assigned)

    async def on_revoked(*_: Any, **__: Any) -> None:
        await partitions.revoked()

    app.agent(topic, name="enrich", concurrency=1, supervisor_strategy=CrashingSupervisor)(enrich)
    app.on_partitions_assigned.connect(on_assigned)
    app.on_partitions_revoked.connect(on_revoked)


def pause(app: faust.App) -> None:
    """Fetch no more, and drop what was fetched and not yet handed over."""
    app.consumer.stop_flow()
    app.flow_control.suspend()
    app.flow_control.clear()
