import pytest

from services.enricher.reading import Reader
from services.enricher.settings import Settings
from tests.fuzz import fuzz

MESSAGES = 100  # minutes of it: python -m tests.fuzz


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(Settings())


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_messages_have_events_that_hold_to_the_contract_or_a_failure(reader: Reader, seed: int) -> None:
    assert fuzz(reader, seed, lambda read: read < MESSAGES) == MESSAGES
