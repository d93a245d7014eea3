import pytest
from aiokafka.errors import KafkaConnectionError

from services.enricher import retry
from services.enricher.retry import Backoff, GaveUpError
from services.enricher.settings import Settings


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        monkeypatch.setattr(retry.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(retry.asyncio, "sleep", self.sleep)
        monkeypatch.setattr(retry.random, "uniform", lambda _, most: most)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


async def test_pauses_double_up_to_the_longest_and_end_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    backoff = Backoff(Settings(retry_first_seconds=1, retry_most_seconds=5, retry_deadline_seconds=20))
    error = KafkaConnectionError("away")
    for _ in range(6):
        await backoff.pause(error)
    assert clock.pauses == [1, 2, 4, 5, 5, 5]
    with pytest.raises(GaveUpError, match=r"ONRECORD_RETRY_DEADLINE_SECONDS.*away") as gave_up:
        await backoff.pause(error)
    assert gave_up.value.__cause__ is error


def test_an_error_is_described_in_one_line() -> None:
    assert retry.describe(ValueError("a\n b")) == "ValueError: a b"
    assert retry.describe(TimeoutError()) == "TimeoutError"
