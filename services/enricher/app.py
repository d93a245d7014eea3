"""The worker: puts the parts together, starts them, watches over them, and stops them in order."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from importlib.metadata import version
from typing import Any, cast

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.enricher import agent, logs
from services.enricher.acks import AtLeastOnce
from services.enricher.admission import BrokerError
from services.enricher.consumer import Consumer
from services.enricher.deadletter import TooManyDeadLettersError
from services.enricher.delivery import Delivery, MakeDelivery
from services.enricher.health import HealthServer, State
from services.enricher.lane import Workshop
from services.enricher.metrics import Metrics
from services.enricher.partitions import Partitions
from services.enricher.preflight import check_brokers
from services.enricher.retry import GaveUpError, describe
from services.enricher.scope import Scope
from services.enricher.settings import PREFIX, Settings, SettingsError
from services.enricher.settings import Delivery as Mode
from services.enricher.tracing import Tracing
from services.enricher.transactions import ExactlyOnce
from services.enricher.watchdog import Watchdog
from services.enricher.window import Window
from services.enricher.workers import PoolError, StartError, WorkerPool

log = logging.getLogger(__name__)

READER = "services.enricher.reading:Reader"

EXPLAINED = (BrokerError, GaveUpError, PoolError, SettingsError, StartError, TooManyDeadLettersError)
"""Ends of a worker that explain themselves in one line."""

EXPECTED = (*EXPLAINED, KafkaError, OSError)
"""Ends of a worker that one line explains; any other is a fault of the program and shows its stack."""

LEAVE_SECONDS = 10.0
"""How long Faust may take to leave the group. The work is committed by then."""


class Task:
    """What a worker is there for: to read whatever comes, and to be done never."""

    scope = Scope()

    async def until_done(self, stop: asyncio.Event) -> None:
        """Set `stop` when there is nothing more to do."""


class StreamDiedError(Exception):
    """Faust has stopped by itself."""


def run_worker(settings: Settings, reader: str = READER, task: Task | None = None) -> int:
    """Work until told to stop by SIGTERM or SIGINT; return the exit status: 0, or 1 after a fault, which is logged.

    A second signal ends the process at once. `reader` is the factory of what the children read with (see WorkerPool).
    With a `task` it is also told to stop when that is done.
    """
    logs.setup(settings.log_level)
    try:
        asyncio.run(_work(settings, reader, task or Task()))
    except* EXPECTED as group:
        for error in _leaves(group):
            line = str(error) if isinstance(error, EXPLAINED) else describe(error)
            log.error("stopped, with nothing acknowledged that was not delivered: %s", line)  # noqa: TRY400
        status = 1
    except* Exception:
        log.exception("stopped by a fault, with nothing acknowledged that was not delivered")
        status = 1
    else:
        log.info("stopped")
        status = 0
    return status


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves


async def _work(settings: Settings, reader: str, task: Task) -> None:
    stop = _stop_signal()
    metrics = Metrics()
    metrics.describe(version("onrecord"))
    state = State(("brokers", "children", "partitions"))
    pool = WorkerPool(settings, metrics, reader)
    tracing = new_tracing(settings)
    watchdog = Watchdog(settings.watchdog_seconds, metrics, children=lambda: pool.alive)
    server = _health_server(settings, metrics, state, watchdog)
    async with AsyncExitStack() as stack:
        stack.callback(tracing.close)
        stack.enter_context(server)
        log.info("metrics and health on http://%s:%d", settings.metrics_host, server.port)
        if not await _unless(stop, _start(settings, pool, state, stack)):
            return
        stack.enter_context(_watching(watchdog))
        async with asyncio.TaskGroup() as tasks:
            app = agent.new_app(settings)
            consumer = cast(Consumer, app.consumer)
            stack.push_async_callback(_leave, app)
            window = Window(settings.in_flight_articles, settings.in_flight_bytes)
            workshop = Workshop(settings, pool, consumer, window, metrics, watchdog, tracing, task.scope)
            partitions = Partitions(workshop, _new_delivery(settings, consumer, task.scope), tasks, state)
            agent.connect(app, partitions)
            duties = (_stream(app), _pool(pool), watchdog.heart(), partitions.survey(), task.until_done(stop))
            watches = [tasks.create_task(duty) for duty in duties]
            await stop.wait()
            log.info("stopping: what is in flight may take %g seconds", settings.drain_deadline_seconds)
            agent.pause(app)
            await partitions.finish(settings.drain_deadline_seconds)
            for watch in watches:
                watch.cancel()


def _health_server(settings: Settings, metrics: Metrics, state: State, watchdog: Watchdog) -> HealthServer:
    host, port = settings.metrics_host, settings.metrics_port
    try:
        return HealthServer(host, port, metrics.registry, state, watchdog.problems)
    except OSError as error:
        raise SettingsError(
            f"ONRECORD_METRICS_HOST, ONRECORD_METRICS_PORT: cannot listen on {host}:{port}: {error.strerror}"
        ) from None


async def _start(settings: Settings, pool: WorkerPool, state: State, stack: AsyncExitStack) -> None:
    """Check the brokers and warm the children up."""
    await check_brokers(settings)
    state.ready("brokers")
    stack.push_async_callback(pool.stop)
    await pool.start()
    state.ready("children")


def _new_delivery(settings: Settings, consumer: Consumer, scope: Scope) -> MakeDelivery:
    def make(partition: TopicPartition, generation: int) -> Delivery:
        if settings.delivery is Mode.EXACTLY_ONCE:
            return ExactlyOnce(partition, settings, consumer, scope.note(partition))
        return AtLeastOnce(partition, generation, settings, consumer, scope.note(partition))

    return make


async def _stream(app: faust.App) -> None:
    """Run Faust; raises when it stops by itself, which it does when it has crashed."""
    await app.start()
    await app.wait_until_stopped()
    raise app.crash_reason or StreamDiedError("Faust has stopped")


async def _pool(pool: WorkerPool) -> None:
    """Raise when the pool has failed for good."""
    await pool.failed


async def _leave(app: faust.App) -> None:
    """Leave the consumer group. Everything is committed by now, so a Faust that does not stop is left behind.

    It blocks the event loop while it waits for its thread, hence the timer.
    """
    last_resort = threading.Timer(LEAVE_SECONDS, _give_up)
    last_resort.daemon = True
    last_resort.start()
    await app.stop()
    last_resort.cancel()


def _give_up() -> None:
    log.critical("Faust does not stop; the process ends without it")
    os._exit(1)


@contextmanager
def _watching(watchdog: Watchdog) -> Iterator[None]:
    """Run the watchdog in a thread of its own, which a stuck event loop cannot stop."""
    thread = threading.Thread(target=watchdog.watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watchdog.stop()
        thread.join()


def _stop_signal() -> asyncio.Event:
    """Return the event that the first SIGTERM or SIGINT sets; the second ends the process at once."""
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    return stop


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do `work`, unless told to stop first; return whether it was done."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set() and not working.done():
        working.cancel()
        await asyncio.wait({working})
        return False
    await working
    return True


def new_tracing(settings: Settings) -> Tracing:
    """Return the tracing that the settings ask for; raises SettingsError when it cannot be had as it is set up."""
    if not settings.tracing_enabled:
        return Tracing()
    try:
        from services.enricher.spans import exporting  # noqa: PLC0415 - the packages are optional
    except ImportError as error:
        raise SettingsError(
            f"{PREFIX}TRACING_ENABLED needs the optional group tracing: pip install 'onrecord[tracing]' ({error})"
        ) from None
    return exporting()
