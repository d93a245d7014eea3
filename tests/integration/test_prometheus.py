"""Prometheus with the project's settings, rules and dashboards, on a worker that reads from a real Kafka.

The tests go on from each other: what was sent stays sent, and the last one stops the worker.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from services.broker import Cluster
from services.cli.demo import SAMPLES
from services.extraction.steps import Step
from tests.chaos.harness import POISON, Arena, Worker
from tests.chaos.scenarios import REAL
from tests.fuzz import Fuzzer
from tests.integration.prometheus import Prometheus, running
from tests.unit.deploy.promql import DASHBOARDS, RULES, filled_in, queries_of

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]

ARTICLES = [json.loads(path.read_bytes()) for path in sorted(SAMPLES.glob("*[!n].json"))]
"""The samples that are articles in JSON; the one that is broken ends in n."""
BROKEN = 3
HOSTILE = 40


@dataclass(frozen=True)
class Scene:
    """A worker that has read the samples, and the Prometheus that watches it."""

    arena: Arena
    worker: Worker
    prometheus: Prometheus


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(kafka: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("prometheus")
    settings = {"ONRECORD_ARTICLE_DEADLINE_SECONDS": "14"}  # of a machine that has much else to do
    arena = Arena(kafka.bootstrap, folder, settings, reader=REAL)
    await arena.make_topics()
    worker = await arena.start_worker()
    try:
        line = await worker.said("metrics and health on")
        with running(folder, line["message"].rpartition("//")[2]) as prometheus:
            await prometheus.until("up == 1")
            await arena.send([(article["article_id"], json.dumps(article).encode()) for article in ARTICLES])
            await arena.send([(f"{POISON}-{number}", b"\xff{") for number in range(BROKEN)])
            await arena.until_done(180)
            yield Scene(arena, worker, prometheus)
    finally:
        await arena.stop_workers()


async def test_prometheus_sees_what_was_sent(scene: Scene) -> None:
    [(labels, _)] = await scene.prometheus.until(f"onrecord_articles_enriched_total == {len(ARTICLES)}")
    assert labels["job"] == "onrecord"
    ask = scene.prometheus.ask
    [(_, received)] = ask("onrecord_articles_received_total")
    assert received == len(ARTICLES) + BROKEN
    assert [(labels["reason"], value) for labels, value in ask("onrecord_articles_failed_total > 0")] == [
        ("not_json", BROKEN)
    ]
    await scene.prometheus.until("job:onrecord_consumer_lag_messages:sum == 0")
    [(_, skipped)] = ask("onrecord_articles_skipped_total")
    assert skipped == 1  # the German one
    assert ask("sum(onrecord_quotes_total) > 0")
    assert ask("sum(onrecord_entities_total) > 0")
    assert ask("sum(onrecord_positions_total) > 0")
    [(_, tokens)] = ask("onrecord_tokens_read_total")
    [(_, characters)] = ask("onrecord_characters_read_total")
    assert 3 < characters / tokens < 8
    [(_, observed)] = ask("onrecord_end_to_end_seconds_count")
    assert observed == len(ARTICLES) + BROKEN


async def test_the_steps_of_the_reading_make_up_the_time_that_it_takes(scene: Scene) -> None:
    """Those of the one child, which reads a batch after the other; the rest is what lies between the steps."""
    done = scene.prometheus.ask("onrecord_reading_step_seconds_count > 0")
    assert {labels["step"] for labels, _ in done} == set(Step)
    share = "sum(onrecord_reading_step_seconds_sum) / sum(onrecord_reading_seconds_sum)"
    [(_, explained)] = scene.prometheus.ask(share)
    assert 0.8 < explained <= 1


async def test_every_rule_is_evaluated_and_no_alert_fires(scene: Scene) -> None:
    for record in sorted({rule["record"] for rule in RULES if "record" in rule}):
        await scene.prometheus.until(record)
    rules = [rule for group in scene.prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {rule.get("record") or rule["alert"] for rule in RULES}
    assert {(rule["name"], rule["health"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"} == set()
    assert scene.prometheus.ask('ALERTS{alertstate="firing"}') == []


@pytest.mark.parametrize("name", DASHBOARDS)
async def test_every_panel_shows_numbers(scene: Scene, name: str) -> None:
    for query in queries_of(DASHBOARDS[name]):
        await scene.prometheus.until(filled_in(query, interval="5m"))


async def test_hostile_messages_add_no_series(scene: Scene) -> None:
    count = 'count({job="onrecord", __name__=~"onrecord_.*"})'
    [(_, before)] = scene.prometheus.ask(count)
    fuzzer = Fuzzer(seed=7)
    await scene.arena.send([(f"h-{number}", fuzzer.message().value) for number in range(HOSTILE)])
    await scene.arena.until_done(180)
    total = len(ARTICLES) + BROKEN + HOSTILE
    await scene.prometheus.until(f"onrecord_end_to_end_seconds_count == {total}")
    [(_, after)] = scene.prometheus.ask(count)
    assert after == before


async def test_a_worker_that_is_gone_is_noticed(scene: Scene) -> None:
    assert await scene.worker.stop() == 0
    await scene.prometheus.until('up{job="onrecord"} == 0')
    await scene.prometheus.until('ALERTS{alertname="OnrecordNoWorker", alertstate="pending"}')
