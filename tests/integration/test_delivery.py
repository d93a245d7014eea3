"""From the raw topic to the output topics, in both delivery modes, on a real Kafka with worker processes."""

import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from schemas import DeadLetterHeaders, EnrichedArticle, QuoteExtracted, topics
from schemas.deadletter import original_headers
from services.broker import Cluster, tool
from tests.chaos.harness import Arena, Count, Worker, article, articles, noise
from tests.chaos.scenarios import REAL

pytestmark = pytest.mark.kafka

AN_HOUR_AGO_MS = int(time.time() * 1000) - 3_600_000
"""A timestamp of its own for a message; one of years ago would be beyond the topics' retention."""

MODES = ("exactly_once", "at_least_once")
MakeArena = Callable[..., Arena]


@pytest.fixture
async def make_arena(kafka: Cluster, tmp_path: Path) -> AsyncIterator[MakeArena]:
    """Return a maker of arenas with empty topics, whose workers are stopped in the end."""
    arenas: list[Arena] = []

    def make(delivery: str = "exactly_once", reader: str | None = None, **settings: str) -> Arena:
        options = {"ONRECORD_DELIVERY": delivery, **settings}
        arena = Arena(kafka.bootstrap, tmp_path, options, **({"reader": reader} if reader else {}))
        arenas.append(arena)
        return arena

    yield make
    for arena in arenas:
        await arena.stop_workers()


@pytest.mark.parametrize("delivery", MODES)
async def test_every_article_comes_out_once_and_the_worker_stops_with_status_0(
    make_arena: MakeArena, delivery: str
) -> None:
    arena = make_arena(delivery)
    await arena.make_topics()
    worker = await arena.start_worker()
    await arena.send(articles("a", 500))
    await arena.until_done(60)
    ready, metrics = await worker.page("/readyz"), (await worker.page("/metrics"))[1]
    assert await worker.stop() == 0
    count = await arena.count()
    assert (count.sent, count.lost, count.foreign, count.duplicates) == (500, [], [], 0)
    assert ready[0] == 200, ready
    assert "onrecord_articles_enriched_total 500.0" in metrics


@pytest.mark.parametrize("delivery", MODES)
async def test_what_cannot_be_read_is_a_dead_letter_with_its_bytes_untouched(
    make_arena: MakeArena, delivery: str
) -> None:
    arena = make_arena(delivery)
    await arena.make_topics(partitions=1)
    large = b'{"article_id": "large", "body": "' + b"x" * 5_000_000 + b'"}'
    broken: list[tuple[bytes | None, bytes | None, str]] = [
        (b"k1", b"\x00 not JSON", "not_json"),
        (b"k2", b'{"article_id": "no body"}', "invalid_article"),
        (b"k3", large, "message_too_large"),
        (b"k4", None, "empty"),
        (None, b"no key", "not_json"),
        (b"k6", article("crash", "crash")[1], "worker_crash"),
        (b"k7", article("hang", "hang")[1], "deadline"),
    ]
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = [("traceparent", trace), ("own", b"\xff\x00"), ("own", b""), ("null", None)]
    async with arena.producer() as producer:
        for index, (key, value, _) in enumerate(broken):
            await producer.send_and_wait(topics.RAW.name, key=f"a-{index}".encode(), value=article(f"a-{index}")[1])
            await producer.send_and_wait(
                topics.RAW.name, key=key, value=value, headers=headers, timestamp_ms=AN_HOUR_AGO_MS + index
            )
    await arena.start_worker()
    await arena.until_done(90)

    letters = await arena.read(topics.DEAD_LETTERS.name)
    assert [(letter.key, letter.value) for letter in letters] == [(key, value) for key, value, _ in broken]
    for index, (letter, (_, _, reason)) in enumerate(zip(letters, broken, strict=True)):
        about = DeadLetterHeaders.from_kafka(list(letter.headers))
        assert (about.topic, about.partition, about.offset) == (topics.RAW.name, 0, 2 * index + 1)
        assert about.reason == reason
        assert about.attempts >= (2 if reason in ("worker_crash", "deadline") else 1)
        assert original_headers(list(letter.headers)) == headers
        assert letter.timestamp == AN_HOUR_AGO_MS + index
    enriched = [json.loads(record.value or b"")["article_id"] for record in await arena.read(topics.ENRICHED.name)]
    assert enriched == [f"a-{index}" for index in range(len(broken))]


async def test_a_message_without_key_and_value_is_a_dead_letter_too(make_arena: MakeArena) -> None:
    arena = make_arena()
    await arena.make_topics(partitions=1)
    async with arena.producer() as producer:
        batch = producer.create_batch()
        batch.append(key=None, value=None, timestamp=AN_HOUR_AGO_MS, headers=[("own", b"1")])
        await (await producer.send_batch(batch, topics.RAW.name, partition=0))
    await arena.start_worker()
    await arena.until_done(30)
    (letter,) = await arena.read(topics.DEAD_LETTERS.name)
    assert (letter.key, letter.value, letter.timestamp) == (None, None, AN_HOUR_AGO_MS)
    assert DeadLetterHeaders.from_kafka(list(letter.headers)).reason == "empty"


async def test_a_real_reading_is_what_the_console_consumer_of_kafka_shows(
    make_arena: MakeArena, kafka: Cluster
) -> None:
    arena = make_arena(reader=REAL)
    await arena.make_topics()
    body = (
        "LONDON - Finance Minister Anna Berg said on Tuesday that the government would cut the fuel duty.\n\n"
        '"We will not raise taxes on working families," Berg said.\n'
    )
    await arena.send([article("real-1", body, title="Minister rules out tax rise", source="Example News")])
    await arena.start_worker()
    await arena.until_done(90)
    (record,) = await arena.read(topics.ENRICHED.name)
    enriched = EnrichedArticle.model_validate_json(record.value or b"")
    assert "Anna Berg" in [entity.name for entity in enriched.entities]
    shown = tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", kafka.bootstrap, "--topic", topics.QUOTES.name, "--from-beginning"),
        *("--isolation-level", "read_committed", "--timeout-ms", "8000"),
    )
    quotes = [QuoteExtracted.model_validate_json(line).quote for line in shown.stdout.splitlines()]
    assert {quote.id for quote in quotes} == {quote.id for quote in enriched.quotes}
    assert "We will not raise taxes on working families" in " ".join(quote.text for quote in quotes)
    assert "Anna Berg" in [quote.speaker_name for quote in quotes]


async def test_an_event_too_large_for_its_topic_makes_its_article_a_dead_letter_and_nothing_else(
    make_arena: MakeArena,
) -> None:
    count = await too_large(make_arena("exactly_once"))
    assert (count.lost, count.foreign, count.duplicates) == ([], [], 0)


async def test_an_event_too_large_for_its_topic_loses_nothing_at_least_once(make_arena: MakeArena) -> None:
    count = await too_large(make_arena("at_least_once"))
    assert count.lost == []
    # Without a transaction the article's other events may have been confirmed before the one was refused.
    assert set(count.foreign) <= {f"{topics.QUOTES.name} poison#0"}


async def too_large(arena: Arena) -> Count:
    """Run three articles, of which one has an event that the broker refuses; return what came out."""
    await arena.make_topics(partitions=1)
    await arena.configure(topics.ENRICHED.name, {"max.message.bytes": "2000"})
    await arena.send([article("a-1"), article("poison", noise(3000)), article("a-2")])
    await arena.start_worker()
    await arena.until_done(60)
    count = await arena.count()
    assert dict(count.dead) == {"output_too_large": 1}
    return count


async def test_too_many_dead_letters_in_a_row_stop_the_worker(make_arena: MakeArena) -> None:
    arena = make_arena(ONRECORD_DEAD_LETTER_CONSECUTIVE="20", ONRECORD_TRANSACTION_ARTICLES="5")
    await arena.make_topics(partitions=1)
    await arena.send((f"poison-{index}", b"not JSON") for index in range(100))
    worker = await arena.start_worker()
    line = await worker.said("ONRECORD_DEAD_LETTER_CONSECUTIVE")
    assert "20 dead letters in a row" in line["message"]
    assert await worker.first_exit() == 1
    assert await arena.behind() >= 80


async def test_missing_topics_stop_the_start_with_a_line_that_names_the_command(make_arena: MakeArena) -> None:
    arena = make_arena()
    await arena.make_topics()
    await arena.delete_topic(topics.QUOTES.name)
    worker = await arena.start_worker()
    line = await worker.said("stopped, with nothing acknowledged")
    assert topics.QUOTES.name in line["message"]
    assert "onrecord topics create" in line["message"]


async def test_brokers_that_do_not_answer_are_asked_again_until_the_deadline(tmp_path: Path) -> None:
    arena = Arena("127.0.0.1:9", tmp_path, {"ONRECORD_RETRY_DEADLINE_SECONDS": "1"})
    worker = await arena.start_worker()
    assert "127.0.0.1:9" in (await worker.said("no broker answers"))["message"]
    assert "ONRECORD_RETRY_DEADLINE_SECONDS" in (await worker.said("stopped, with nothing"))["message"]
    assert await worker.first_exit() == 1
    await worker.stop()


async def test_what_hangs_is_given_up_at_the_drain_deadline_and_not_acknowledged(make_arena: MakeArena) -> None:
    arena = make_arena(ONRECORD_DRAIN_DEADLINE_SECONDS="1", ONRECORD_ARTICLE_DEADLINE_SECONDS="14")
    worker = await with_one_that_hangs(arena)
    assert await worker.stop(seconds=8) == 0
    assert await arena.behind() == 1


async def test_a_second_signal_ends_the_worker_at_once(make_arena: MakeArena) -> None:
    arena = make_arena(ONRECORD_DRAIN_DEADLINE_SECONDS="60", ONRECORD_ARTICLE_DEADLINE_SECONDS="14")
    worker = await with_one_that_hangs(arena)
    worker.send(signal.SIGTERM)
    await worker.said("stopping")
    assert await worker.stop(seconds=3) == 128 + signal.SIGTERM


async def with_one_that_hangs(arena: Arena) -> Worker:
    """Start a worker that has delivered one article and whose child will not let go of the next."""
    await arena.make_topics(partitions=1)
    await arena.send([article("a-1")])
    worker = await arena.start_worker()
    await arena.until_committed(1)
    await arena.send([article("hang", "hang")])
    await worker.until_metrics("onrecord_children_busy 1.0")
    return worker


@pytest.mark.parametrize("delivery", MODES)
async def test_offsets_beyond_the_end_of_a_topic_do_not_hide_what_it_holds(
    make_arena: MakeArena, delivery: str
) -> None:
    """A topic that was deleted and made anew, while the group's offsets lived on."""
    arena = make_arena(delivery)
    await arena.make_topics(partitions=1)
    await arena.send(articles("a", 50))
    await arena.commit({TopicPartition(topics.RAW.name, 0): OffsetAndMetadata(5000, "")})
    await arena.start_worker()
    await arena.until_events(topics.ENRICHED.name, 50)
    count = await arena.count()
    assert (count.lost, count.foreign, count.duplicates) == ([], [], 0)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arena = Arena("127.0.0.1:9", tmp_path, {"ONRECORD_METRICS_PORT": port})
        worker = await arena.start_worker()
        message = (await worker.said("stopped, with nothing acknowledged"))["message"]
        assert "ONRECORD_METRICS_PORT" in message
        assert port in message
        assert await worker.first_exit() == 1
        await worker.stop()
