import asyncio
import logging
import threading

import pytest

from services.enricher.metrics import Metrics
from services.enricher.watchdog import Watchdog

PATIENCE = 60.0


class Watched:
    """A watchdog on a clock and a pool that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.children = 2
        self.dog = Watchdog(PATIENCE, Metrics(), lambda: self.children, lambda: self.now)

    def after(self, seconds: float) -> list[str]:
        self.now += seconds
        return self.dog.problems()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_idle_worker_is_well(watched: Watched) -> None:
    watched.dog.lag(0)
    assert watched.after(10 * PATIENCE) == []


def test_a_worker_that_never_had_work_is_well(watched: Watched) -> None:
    assert watched.after(10 * PATIENCE) == []


def test_a_busy_worker_is_well(watched: Watched) -> None:
    watched.dog.lag(1_000_000)
    for _ in range(10):
        assert watched.after(PATIENCE - 1) == []
        watched.dog.progress()


def test_articles_that_wait_while_nothing_is_confirmed_are_a_problem(watched: Watched) -> None:
    watched.dog.lag(5)
    assert watched.after(PATIENCE) == []
    assert watched.after(1) == ["5 messages wait and nothing was confirmed for 61 seconds"]


def test_lag_that_comes_after_a_quiet_night_gets_its_time(watched: Watched) -> None:
    watched.dog.lag(0)
    watched.after(100 * PATIENCE)
    watched.dog.lag(5)
    assert watched.after(PATIENCE) == []
    watched.dog.lag(6)  # more of it is no progress
    assert watched.after(1) != []


def test_progress_makes_it_well_again(watched: Watched) -> None:
    watched.dog.lag(5)
    assert watched.after(2 * PATIENCE) != []
    watched.dog.progress()
    assert watched.after(1) == []


def test_a_loop_that_stops_turning_is_a_problem(watched: Watched) -> None:
    watched.dog.beat()
    assert watched.after(PATIENCE + 1) == ["the event loop has not turned for 61 seconds"]
    watched.dog.beat()
    assert watched.after(1) == []


def test_children_that_stay_away_are_a_problem(watched: Watched) -> None:
    watched.children = 0
    assert watched.after(PATIENCE) == []  # one that is being replaced is away for a moment
    assert watched.after(1) == ["there has been no child for 61 seconds"]
    watched.children = 1
    assert watched.after(1) == []


def test_the_stacks_are_logged_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.dog.lag(5)
    with caplog.at_level(logging.CRITICAL):
        watched.after(2 * PATIENCE)
        watched.after(PATIENCE)
    (record,) = caplog.records
    assert "5 messages wait" in record.getMessage()
    assert "test_the_stacks_are_logged_once" in record.getMessage()


async def test_the_heart_beats_from_the_loop(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.enricher.watchdog.HEARTBEAT_SECONDS", 0.0)
    heart = asyncio.create_task(watched.dog.heart())
    for _ in range(5):
        await asyncio.sleep(0)
    heart.cancel()
    await asyncio.gather(heart, return_exceptions=True)
    assert watched.after(PATIENCE + 1) == ["the event loop has not turned for 61 seconds"]


def test_it_looks_by_itself_when_nobody_asks(caplog: pytest.LogCaptureFixture) -> None:
    asked = threading.Event()

    def children() -> int:
        asked.set()
        return 1

    dog = Watchdog(0.01, Metrics(), children)
    thread = threading.Thread(target=dog.watch)
    thread.start()
    assert asked.wait(60)
    dog.stop()
    thread.join(60)
    assert not thread.is_alive()
