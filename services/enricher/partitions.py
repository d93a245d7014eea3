"""The partitions that this worker has at the moment, each with its lane, and how they come and go."""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.enricher.consumer import Raw
from services.enricher.delivery import MakeDelivery
from services.enricher.health import State
from services.enricher.lane import Lane, Workshop
from services.enricher.retry import Backoff, describe

log = logging.getLogger(__name__)

HAND_OVER_SECONDS = 5.0
"""How long a delivery that is under way may take when its partition is revoked. The whole group waits for it; what is
given up is delivered by the next owner."""

SURVEY_SECONDS = 0.5
"""How often lag and what is in flight are measured."""

ENDS_SECONDS = 5.0
"""How often the brokers are asked where the partitions end: a scrape sees no more, and fetches tell it sooner."""


class Partitions:
    """Routes messages to the lanes, and follows the rebalances of the group.

    The lanes run in `tasks`: one that fails ends the worker.
    """

    def __init__(self, workshop: Workshop, make_delivery: MakeDelivery, tasks: asyncio.TaskGroup, state: State) -> None:
        self._shop = workshop
        self._make_delivery = make_delivery
        self._tasks = tasks
        self._state = state
        self._lanes: dict[TopicPartition, Lane] = {}
        self._running: dict[TopicPartition, asyncio.Task[None]] = {}
        self._generation = -1
        self._assignment = asyncio.Event()
        self._settled = False
        self._last_orders = False
        self._measured: set[TopicPartition] = set()
        """The partitions whose lag is shown."""

    async def take(self, raw: Raw) -> None:
        """Hand a message to its lane when there is room for it; one of a former generation is dropped.

        It comes again, to whoever has its partition now: nothing of it was acknowledged.
        """
        partition = TopicPartition(raw.topic, raw.partition)
        if not self._shop.scope.includes(partition, raw.offset):
            self._shop.consumer.pause(partition)  # what comes after it is none of ours either
            return
        await self._shop.scope.pace()
        await self._shop.window.enter(raw.size_bytes)
        # Messages of a new generation may come before Faust has told us of it.
        while raw.generation != self._generation and raw.generation == self._shop.consumer.generation:
            self._assignment.clear()
            await self._assignment.wait()
        lane = self._lanes.get(partition)
        if lane is None or lane.generation != raw.generation:
            self._shop.window.leave(raw.size_bytes)
        else:
            lane.take(raw)

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Begin to work on these partitions, and on no others."""
        self._generation = self._shop.consumer.generation
        if not self._last_orders:
            for partition in partitions:
                lane = Lane(partition, self._generation, self._make_delivery(partition, self._generation), self._shop)
                self._lanes[partition] = lane
                name = f"lane {partition.partition}"
                self._running[partition] = self._tasks.create_task(lane.run(), name=name)
            self._settled = True
        self._assignment.set()
        self._shop.metrics.partitions.set(len(self._lanes))
        log.info("generation %d: partitions %s", self._generation, _numbers(self._lanes))

    async def revoked(self) -> None:
        """End all lanes: a rebalance takes all partitions away before it gives some back."""
        self._settled = False
        self._state.unready("partitions", "the consumer group is rebalancing")
        for lane in self._lanes.values():
            lane.forget()
        await self._end(HAND_OVER_SECONDS)

    async def finish(self, deadline_seconds: float) -> None:
        """Deliver what was taken, as far as that can be done within the deadline, and take no more."""
        self._last_orders, self._settled = True, False
        self._state.unready("partitions", "the worker is stopping")
        for lane in self._lanes.values():
            lane.finish()
        await self._end(deadline_seconds)

    async def survey(self) -> None:
        """Measure lag and what is in flight, again and again.

        Raises GaveUpError when the group membership has been in trouble for too long.
        """
        backoff = Backoff(self._shop.settings)
        consumer = self._shop.consumer
        asked_at = -ENDS_SECONDS
        while True:
            await asyncio.sleep(SURVEY_SECONDS)
            if not consumer.is_started:
                continue
            try:
                async with asyncio.timeout(self._shop.settings.kafka.request_timeout_seconds):
                    await consumer.check()
                    if time.monotonic() - asked_at >= ENDS_SECONDS:
                        await consumer.ask_ends(list(self._lanes))
                        asked_at = time.monotonic()
            except (KafkaError, TimeoutError) as error:
                log.warning("the consumer group has trouble: %s", describe(error))
                await backoff.pause(error)
                continue
            if self._settled:
                backoff = Backoff(self._shop.settings)
            self._measure()
            if self._settled and all(lane.connected for lane in self._lanes.values()):
                self._state.ready("partitions")

    def _measure(self) -> None:
        window, metrics = self._shop.window, self._shop.metrics
        metrics.articles_in_flight.set(window.articles)
        metrics.in_flight_bytes.set(window.bytes)
        lags = {
            partition: self._shop.consumer.lag(
                partition, None if lane.idle else lane.next_offset, self._shop.scope.end(partition)
            )
            for partition, lane in self._lanes.items()
        }
        # Not clear(): a scrape from the server's thread would find nothing in between.
        for partition in self._measured - lags.keys():
            metrics.consumer_lag.remove(str(partition.partition))
        for partition, lag in lags.items():
            metrics.consumer_lag.labels(partition=str(partition.partition)).set(lag)
        self._measured = set(lags)
        self._shop.watchdog.lag(sum(lags.values()))

    async def _end(self, deadline_seconds: float) -> None:
        """Wait for the lanes, which were told to end, and cancel those that do not within the deadline."""
        running = self._running
        self._lanes, self._running = {}, {}
        if not running:
            return
        _, late = await asyncio.wait(running.values(), timeout=deadline_seconds)
        if late:
            log.warning(
                "partitions %s: given up with work in flight", _numbers(p for p in running if running[p] in late)
            )
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)


def _numbers(partitions: Collection[TopicPartition] | Iterable[TopicPartition]) -> list[int]:
    return sorted(partition.partition for partition in partitions)
