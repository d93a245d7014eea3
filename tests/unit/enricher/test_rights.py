"""What is asked of brokers that do not tell all; tests/integration/test_security.py asks one that does."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import TopicAuthorizationFailedError, UnknownMemberIdError, UnknownTopicOrPartitionError

from schemas import topics
from services.enricher.rights import UNTOLD, missing_topics_and_rights

READ_AND_DESCRIBE = 1 << 3 | 1 << 8
WRITE_AND_DESCRIBE = 1 << 4 | 1 << 8


class Broker:
    """Stands for aiokafka's client: it prepares requests for the versions of a broker, as that does, and answers."""

    def __init__(self, newest_metadata: int, codes: dict[str, int], operations: int) -> None:
        self._versions = {3: (0, newest_metadata), 12: (0, 4)}
        self._codes = codes
        self._operations = operations

    def get_random_node(self) -> int:
        return 1

    async def coordinator_lookup(self, kind: int, group: str) -> int:
        return 1

    async def send(self, node: int, request: Any) -> SimpleNamespace:
        prepared = request.prepare(self._versions)
        if prepared.API_KEY == 12:
            return SimpleNamespace(error_code=UnknownMemberIdError.errno)
        rows = [(self._codes.get(topic.name, 0), topic.name, False, []) for topic in topics.CATALOGUE]
        if prepared.API_VERSION < 8:
            assert prepared.allow_auto_topic_creation is False
            return SimpleNamespace(topics=rows)
        return SimpleNamespace(topics=[(*row, self._operations) for row in rows])


async def test_a_broker_that_knows_no_operations_is_believed_what_it_hides() -> None:
    codes = {
        topics.QUOTES.name: TopicAuthorizationFailedError.errno,
        topics.ENTITIES.name: UnknownTopicOrPartitionError.errno,
    }
    found = await missing_topics_and_rights(Broker(5, codes, 0), "group")
    assert found == ([topics.ENTITIES.name], [f"Write on topic {topics.QUOTES.name}"])


@pytest.mark.parametrize(
    ("operations", "lacking"), [(UNTOLD, 0), (READ_AND_DESCRIBE, len(topics.CATALOGUE) - 1), (WRITE_AND_DESCRIBE, 1)]
)
async def test_the_operations_that_a_broker_tells_are_looked_at(operations: int, lacking: int) -> None:
    missing, rights = await missing_topics_and_rights(Broker(13, {}, operations), "group")
    assert (missing, len(rights)) == ([], lacking)
