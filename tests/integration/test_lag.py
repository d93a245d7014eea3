"""The lag that a worker shows, when it works and when it stands still."""

import re
from pathlib import Path

import pytest

from services.broker import Cluster
from tests.chaos.harness import Arena, article, articles

pytestmark = pytest.mark.kafka


async def test_the_lag_of_a_worker_that_is_stuck_grows_with_what_comes(kafka: Cluster, tmp_path: Path) -> None:
    """One article holds up all others, and the worker has taken all that it may take: it fetches no more."""
    settings = {
        "ONRECORD_IN_FLIGHT_ARTICLES": "2",
        "ONRECORD_ARTICLE_DEADLINE_SECONDS": "600",
        "ONRECORD_REBALANCE_TIMEOUT_SECONDS": "601",
        "ONRECORD_DRAIN_DEADLINE_SECONDS": "1",
        "ONRECORD_DELIVERY": "at_least_once",  # without the markers of transactions, which count as messages
    }
    arena = Arena(kafka.bootstrap, tmp_path, settings)
    await arena.make_topics(partitions=1)
    await arena.send([article("stuck", "hang")])
    try:
        worker = await arena.start_worker()
        await arena.send(articles("a", 200))
        await worker.until_metrics('onrecord_consumer_lag_messages{partition="0"} 201.0')
        await arena.send(articles("b", 1000))
        await worker.until_metrics('onrecord_consumer_lag_messages{partition="0"} 1201.0')
        page = (await worker.page("/metrics"))[1]
        assert re.search(r"^onrecord_articles_in_flight 2\.0$", page, re.MULTILINE)
    finally:
        await arena.stop_workers()
