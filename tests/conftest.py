"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest

from services.broker import Cluster


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a real Apache Kafka of one node, empty at the start of the session; clients connect to `.bootstrap`.

    It serves the whole session: use topics and groups with names of your own, and start a `Cluster` of your own to
    stop it or to kill it.
    """
    with Cluster(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster
