import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import TopicPartition

from services.enricher.consumer import Raw
from services.enricher.health import State
from services.enricher.partitions import Partitions
from services.enricher.scope import Scope
from tests.unit.enricher.lanes import Bench, Broker, until

FIRST, SECOND = TopicPartition("raw", 0), TopicPartition("raw", 1)


class House:
    """Partitions with a broker that serves all their lanes."""

    def __init__(self, tasks: asyncio.TaskGroup, scope: Scope | None = None) -> None:
        self.bench = Bench(scope=scope)
        self.seat, self.window, self.reader = self.bench.seat, self.bench.window, self.bench.reader
        self.brokers: dict[TopicPartition, Broker] = {}
        self.partitions = Partitions(self.bench.workshop, self._delivery, tasks, State(("partitions",)))

    def _delivery(self, partition: TopicPartition, generation: int) -> Broker:
        return self.brokers.setdefault(partition, Broker())

    def values(self, partition: TopicPartition) -> list[bytes | None]:
        return self.brokers[partition].values

    async def take(self, value: str, offset: int, generation: int, partition: int = 0) -> None:
        await self.partitions.take(Raw("raw", partition, offset, generation, None, value.encode(), [], 0))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with asyncio.TaskGroup() as tasks:
        house = House(tasks)
        yield house
        await house.partitions.finish(1.0)
        assert house.window.articles == 0


async def test_each_message_goes_to_the_lane_of_its_partition(house: House) -> None:
    house.partitions.assigned([FIRST, SECOND])
    await house.take("a", 0, generation=1, partition=0)
    await house.take("b", 0, generation=1, partition=1)
    await until(lambda: (house.values(FIRST), house.values(SECOND)) == ([b"A"], [b"B"]))


async def test_a_message_of_a_former_generation_is_dropped(house: House) -> None:
    house.seat.generation = 2
    house.partitions.assigned([FIRST])
    await house.take("old", 0, generation=1)
    await house.take("a", 0, generation=2)
    await until(lambda: house.values(FIRST))
    assert house.values(FIRST) == [b"A"]


async def test_a_message_that_comes_before_its_assignment_waits_for_it(house: House) -> None:
    house.partitions.assigned([FIRST])
    await house.partitions.revoked()
    house.seat.generation = 2
    early = asyncio.create_task(house.take("a", 0, generation=2))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not early.done()
    house.partitions.assigned([FIRST])
    await early
    await until(lambda: house.values(FIRST) == [b"A"])


async def test_what_is_revoked_is_forgotten_and_what_comes_for_it_is_dropped(house: House) -> None:
    house.reader.slow[b"a"] = asyncio.get_running_loop().create_future()
    house.partitions.assigned([FIRST])
    await house.take("a", 0, generation=1)
    await until(lambda: house.reader.reading)
    await house.partitions.revoked()
    assert not house.reader.reading
    await house.take("b", 1, generation=1)
    assert (house.values(FIRST), house.window.articles) == ([], 0)


async def test_a_message_held_back_by_the_window_is_let_go_by_a_revocation(house: House) -> None:
    house.partitions.assigned([FIRST])
    house.reader.slow[b"a"] = asyncio.get_running_loop().create_future()
    await house.take("a", 0, generation=1)
    large = asyncio.create_task(house.take("b" * 10_000, 1, generation=1))
    await until(lambda: house.window.is_full)
    await house.partitions.revoked()
    await asyncio.wait_for(large, 1)
    assert house.values(FIRST) == []


async def test_a_worker_that_stops_begins_nothing_with_new_partitions(house: House) -> None:
    await house.partitions.finish(1.0)
    house.partitions.assigned([FIRST])
    await house.take("a", 0, generation=1)
    assert house.brokers == {}


async def test_a_lane_that_fails_ends_the_worker() -> None:
    with pytest.raises(ExceptionGroup) as group:
        await work_with_a_pool_that_fails()
    assert isinstance(group.value.exceptions[0], RuntimeError)


async def work_with_a_pool_that_fails() -> None:
    async with asyncio.TaskGroup() as tasks:
        house = House(tasks)
        house.partitions.assigned([FIRST])
        house.reader.slow[b"a"] = asyncio.get_running_loop().create_future()
        house.reader.slow[b"a"].set_exception(RuntimeError("pool"))
        await house.take("a", 0, generation=1)
        await asyncio.Event().wait()


async def test_what_is_beyond_the_scope_is_not_read_and_no_more_of_it_is_fetched() -> None:
    async with asyncio.TaskGroup() as tasks:
        house = House(tasks, Scope({FIRST: 1, SECOND: 2}))
        house.partitions.assigned([FIRST, SECOND])
        await house.take("a", 0, generation=1, partition=0)
        await house.take("beyond", 1, generation=1, partition=0)
        await house.take("b", 1, generation=1, partition=1)
        await house.partitions.finish(1.0)
        assert (house.values(FIRST), house.values(SECOND)) == ([b"A"], [b"B"])
        assert house.seat.paused == {FIRST}
        assert (house.window.articles, house.reader.reading) == (0, set())
