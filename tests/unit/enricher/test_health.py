import json
import socket
import sys
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from services.enricher.health import HealthServer, State
from services.enricher.metrics import Metrics
from services.enricher.settings import Settings


class Site:
    """A server under test and what it reports about."""

    def __init__(self) -> None:
        self.state = State(["children", "partitions"])
        self.problems: list[str] = []
        self.metrics = Metrics()
        self.server = HealthServer("127.0.0.1", 0, self.metrics.registry, self.state, lambda: self.problems)

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, bytes]:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.headers["Content-Type"], response.read()
        finally:
            connection.close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    with made.server:
        yield made


def test_readiness_names_what_is_missing(site: Site) -> None:
    assert site.get("/readyz")[0] == 503
    site.state.ready("children")
    status, content_type, body = site.get("/readyz")
    assert (status, content_type) == (503, "application/json")
    assert json.loads(body) == {"status": "failing", "missing": {"partitions": "not started"}}


def test_readiness_comes_and_goes(site: Site) -> None:
    site.state.ready("children")
    site.state.ready("partitions")
    assert site.get("/readyz?verbose")[0] == 200
    site.state.unready("partitions", "revoked")
    assert json.loads(site.get("/readyz")[2])["missing"] == {"partitions": "revoked"}


def test_liveness_names_the_problems(site: Site) -> None:
    assert site.get("/livez")[0] == 200
    site.problems = ["stuck"]
    status, _, body = site.get("/livez")
    assert (status, json.loads(body)) == (503, {"status": "failing", "problems": ["stuck"]})


def test_metrics_are_served_as_text(site: Site) -> None:
    site.metrics.articles_received.inc(7)
    status, content_type, body = site.get("/metrics")
    assert status == 200
    assert content_type.startswith("text/plain")
    assert b"\nonrecord_articles_received_total 7.0\n" in body


def test_openmetrics_are_served_to_who_asks_for_them(site: Site) -> None:
    _, content_type, body = site.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_other_pages_are_not_found(site: Site) -> None:
    assert site.get("/")[0] == 404
    assert site.get("/metrics", method="POST")[0] == 501


def test_a_head_request_has_no_body(site: Site) -> None:
    assert site.get("/livez", method="HEAD") == (200, "application/json", b"")


def test_a_client_that_says_nothing_holds_up_nobody(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.server.port)):
        assert site.get("/livez")[0] == 200


def test_the_port_is_free_again_afterwards() -> None:
    made = Site()
    with made.server:
        port = made.server.port
    again = HealthServer("127.0.0.1", port, made.metrics.registry, made.state, list)
    with again:
        assert again.port == port


def test_it_answers_on_the_given_address_alone(site: Site) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", site.server.port), timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
@pytest.mark.parametrize(("setting", "status"), [(None, None), ("0.0.0.0", 200)])
def test_only_the_loopback_address_listens_unless_set_otherwise(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, status: int | None
) -> None:
    monkeypatch.delenv("ONRECORD_METRICS_HOST", raising=False)
    if setting:
        monkeypatch.setenv("ONRECORD_METRICS_HOST", setting)
    with HealthServer(Settings().metrics_host, 0, Metrics().registry, State([]), list) as server:
        connection = HTTPConnection("127.0.0.2", server.port, timeout=60)
        if status is None:
            with pytest.raises(ConnectionRefusedError):
                connection.connect()
            return
        connection.request("GET", "/livez")
        assert connection.getresponse().status == status
        connection.close()
