import asyncio
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError

from services.enricher import transactions
from services.enricher.messages import Outgoing
from services.enricher.settings import Settings
from services.enricher.transactions import ExactlyOnce

PARTITION = TopicPartition("news.article.raw.v1", 3)
OUTPUT = Outgoing("news.article.enriched.v1", b"a", b"{}", [])


class Fenced:
    """A producer whose transaction is ended in the background before `call`, and that says so as aiokafka does."""

    def __init__(self, call: str, error: Exception) -> None:
        self._call, self._error = call, error

    def __getattr__(self, name: str) -> Callable[..., object]:
        async def made(*_: object, **__: object) -> object:
            if name == self._call:
                raise self._error
            confirmation: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            confirmation.set_result(None)
            return confirmation

        return made


class Member:
    async def starting_offset(self, partition: TopicPartition) -> int:
        return 0


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("begin_transaction", AssertionError("Invalid state transition FATAL_ERROR -> IN_TRANSACTION")),
        ("send", IllegalOperation("Can't send messages while not in transaction")),
        ("send_offsets_to_transaction", IllegalOperation("Not in the middle of a transaction")),
        ("commit_transaction", AssertionError("Invalid state transition FATAL_ERROR -> COMMITTING_TRANSACTION")),
    ],
)
async def test_a_transaction_that_is_ended_behind_us_is_a_fault_of_kafka(
    monkeypatch: pytest.MonkeyPatch, call: str, error: Exception
) -> None:
    producer: AIOKafkaProducer = Fenced(call, error)  # type: ignore[assignment]
    monkeypatch.setattr(transactions, "new_producer", lambda *_: producer)
    delivery = ExactlyOnce(PARTITION, Settings(), Member())  # type: ignore[arg-type]
    await delivery.open()
    with pytest.raises(KafkaError, match=str(error)[:20]):
        await delivery.deliver([OUTPUT], 1)
