import asyncio

import pytest
from aiokafka import TopicPartition

from services.enricher.scope import Scope

FIRST, SECOND = TopicPartition("raw", 0), TopicPartition("raw", 1)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_a_worker_as_a_rule_reads_everything_at_once() -> None:
    scope = Scope(clock=lambda: 0.0)
    assert scope.includes(FIRST, 10**12)
    assert (scope.end(FIRST), scope.note(FIRST)) == (None, "")
    async with asyncio.timeout(60):
        await scope.pace()


def test_a_scope_ends_below_its_bound_and_holds_nothing_of_other_partitions() -> None:
    scope = Scope({FIRST: 3}, notes={FIRST: "note"})
    assert [scope.includes(FIRST, offset) for offset in (2, 3)] == [True, False]
    assert not scope.includes(SECOND, 0)
    assert (scope.end(FIRST), scope.end(SECOND), scope.note(FIRST)) == (3, 0, "note")


async def test_no_more_than_the_rate_is_let_through_and_a_pause_is_not_made_up_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    scope = Scope(rate=4, clock=clock)
    times = []
    for _ in range(3):
        await scope.pace()
        times.append(clock.now)
    clock.now += 10
    for _ in range(2):
        await scope.pace()
        times.append(clock.now)
    assert times == [100.0, 100.25, 100.5, 110.5, 110.75]
