"""The image and the composed system, for real: from a raw article to its events, with two workers and Prometheus.

Images from a registry are stood in for, so that it runs wherever packages can be had (see tests/containers). Grafana is
left out: nothing waits for it, and no package of Debian's or of Maven's holds it.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import EnrichedArticle, RawArticle
from tests.containers import standins
from tests.containers.engine import Engine, running_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "services" / "cli" / "samples"
SERVICES = ("kafka", "topics", "enricher", "prometheus")
FILES = ("--file", ROOT / "docker-compose.yml", "--file", ROOT / "tests" / "containers" / "stand-ins.yml")
PROJECT = (*FILES, "--project-name", "onrecord-test")
SCRAPED_SECONDS = 120
READ_SECONDS = 300
CONTAINED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running_engine() as engine:
        standins.build(engine)
        yield engine


@pytest.fixture(scope="module")
def system(engine: Engine) -> Iterator[Engine]:
    """Bring the composed system up, health-gated; take it down with its volumes."""
    try:
        engine.compose(*PROJECT, "up", "--no-build", "--wait", "--wait-timeout", "900", "enricher", "prometheus")
        yield engine
    finally:
        engine.compose(*PROJECT, "down", "--volumes", "--timeout", "45")


def command(system: Engine, *arguments: str, stdin: bytes | None = None) -> str:
    """Return what the `onrecord` command prints in a container beside the workers."""
    interactive = ("--interactive",) if stdin else ()
    return system.compose(
        *PROJECT, "run", "--rm", "--no-deps", "--no-TTY", *interactive, "enricher", *arguments,
        stdin=stdin, seconds=READ_SECONDS,
    )  # fmt: skip


def test_the_image_reads_an_article_with_no_rights_and_no_network(engine: Engine) -> None:
    article = json.dumps({"article_id": "a", "body": "Mayor Anna Berg said: “We must build the bridge.”"})
    said = engine.docker(
        "run", "--rm", "--interactive", *CONTAINED, "--network", "none", standins.ONRECORD, "extract", "--jsonl", "-",
        stdin=article.encode(),
    )  # fmt: skip
    read = EnrichedArticle.model_validate_json(said)
    [quote] = read.quotes
    assert "We must build the bridge." in quote.text


def test_the_image_says_what_it_is_and_runs_as_a_number(engine: Engine) -> None:
    [image] = json.loads(engine.docker("image", "inspect", standins.ONRECORD))
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["Labels"]["org.opencontainers.image.title"] == "onrecord"
    assert config["Labels"]["org.opencontainers.image.base.name"] == standins.PYTHON
    who = engine.docker("run", "--rm", "--entrypoint", "id", standins.ONRECORD, "-u")
    assert who.strip() == "10001"


def test_the_same_sources_make_the_same_files(engine: Engine) -> None:
    standins.build_onrecord(engine, "onrecord-test/again", "--no-cache")
    list_files = "tar --directory /opt --sort=name --create onrecord | sha256sum"
    sums = {
        engine.docker("run", "--rm", "--entrypoint", "sh", image, "-c", list_files)
        for image in (standins.ONRECORD, "onrecord-test/again")
    }
    assert len(sums) == 1


def test_a_raw_article_becomes_its_events(system: Engine) -> None:
    """Sent by one container, read by the workers, and seen by another that reads committed events alone."""
    articles = [json.loads(path.read_bytes()) for path in sorted(SAMPLES.glob("0[1-4]-*.json"))]
    lines = "".join(json.dumps(article) + "\n" for article in articles)
    command(system, "produce", "-", stdin=lines.encode())
    count = str(len(articles))
    events = command(system, "tail", "enriched", "--from-beginning", "--json", "-n", count).splitlines()
    read = {event["article_id"]: event for event in map(json.loads, events)}
    assert set(read) == {RawArticle.model_validate(article).article_id for article in articles}
    assert all(event["quotes"] for event in read.values())
    [quote] = command(system, "tail", "quotes", "--from-beginning", "--json", "-n", "1").splitlines()
    assert json.loads(quote)["article"]["article_id"] in read


def test_two_workers_share_the_partitions_and_prometheus_sees_both(system: Engine) -> None:
    workers = system.compose(*PROJECT, "ps", "--quiet", "enricher").split()
    assert len(workers) == 2
    question = "http://127.0.0.1:9090/api/v1/query?query=count(up%7Bjob%3D%22onrecord%22%7D%20%3D%3D%201)"
    deadline = time.monotonic() + SCRAPED_SECONDS
    while True:
        answer = system.compose(*PROJECT, "exec", "--no-TTY", "prometheus", "wget", "-qO-", question)
        result = json.loads(answer)["data"]["result"]
        if result and result[0]["value"][1] == "2":
            break
        assert time.monotonic() < deadline, answer
        time.sleep(2)


def test_a_worker_that_is_stopped_drains_and_ends_well(system: Engine) -> None:
    [worker, _] = system.compose(*PROJECT, "ps", "--quiet", "enricher").split()
    system.docker("stop", "--time", "45", worker)
    [state] = json.loads(system.docker("inspect", "--format", "[{{json .State}}]", worker))
    assert state["ExitCode"] == 0
    assert not state["OOMKilled"]
