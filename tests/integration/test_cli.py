"""The command against a real Apache Kafka: produce, tail, topics, dlq and the demo."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from secrets import token_hex

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from schemas import ArticleReference, DeadLetterHeaders, QuoteExtracted, Reason
from schemas.deadletter import REPLAYS_HEADER
from schemas.topics import CATALOGUE, DEAD_LETTERS, QUOTES, RAW
from services.broker import Cluster
from services.cli.demo import SAMPLES
from tests.chaos.harness import administering
from tests.unit.cli.readings import reading

pytestmark = pytest.mark.kafka

ONRECORD = [sys.executable, "-m", "services.cli.main"]
Run = Callable[..., subprocess.CompletedProcess[str]]
Headers = list[tuple[str, bytes]]


@pytest.fixture
async def bootstrap(kafka: Cluster) -> str:
    """Return the address of a broker without any of the catalogue's topics."""
    async with administering(kafka.bootstrap) as client:
        names = {topic.name for topic in CATALOGUE}
        await client.delete_topics(list(names & set(await client.list_topics())))
        while names & set(await client.list_topics()):  # noqa: ASYNC110 - a broker sends no events
            await asyncio.sleep(0.1)
    return kafka.bootstrap


@pytest.fixture
def onrecord(bootstrap: str) -> Run:
    """Return a function that runs the command on that broker."""

    def run(*arguments: str | Path, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        command = [*ONRECORD, *map(str, arguments)]
        environment = os.environ | {"ONRECORD_KAFKA_BOOTSTRAP": bootstrap, **settings}
        return subprocess.run(command, input=stdin, env=environment, capture_output=True, text=True, check=False)

    return run


async def sent(bootstrap: str, topic: str, *messages: tuple[bytes | None, bytes | None, Headers]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for key, value, headers in messages:
            await producer.send_and_wait(topic, value, key=key, headers=headers)


async def read(bootstrap: str, topic: str, count: int) -> list[ConsumerRecord[bytes, bytes]]:
    """Return the first `count` messages of a topic; waits for them."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        async with asyncio.timeout(30):
            return [await consumer.getone() for _ in range(count)]


async def test_topics_are_made_once_listed_and_compared(onrecord: Run) -> None:
    names = [topic.name for topic in CATALOGUE]
    assert "not there" in onrecord("topics", "list").stdout
    missing = onrecord("tail", "quotes")
    assert missing.returncode == 1
    assert missing.stderr.startswith(f"onrecord: there is no topic {QUOTES.name}")
    assert "onrecord topics create" in missing.stderr

    first = onrecord("topics", "create")
    assert (first.returncode, first.stdout.splitlines()) == (0, [f"{name}: created" for name in names])
    again = onrecord("topics", "create")
    assert (again.returncode, again.stdout) == (0, "")

    other = onrecord("topics", "create", "--partitions", "3")
    assert other.returncode == 1
    assert f"onrecord: {RAW.name}: partitions is 6, should be 3" in other.stderr.splitlines()
    listed = [line.split("\t") for line in onrecord("topics", "list").stdout.splitlines()]
    assert [line[:3] for line in listed[1:]] == [[name, "6", "0"] for name in names]
    described = onrecord("topics", "describe", QUOTES.name).stdout
    assert f"{QUOTES.name}\tretention.ms\t7776000000\t7776000000" in described.splitlines()

    refused = onrecord("topics", "create", "--replication-factor", "3")
    assert refused.returncode == 1
    assert f"onrecord: {RAW.name}: replication factor is 1, should be 3" in refused.stderr.splitlines()


async def test_topics_that_cannot_be_made_are_explained(onrecord: Run) -> None:
    done = onrecord("topics", "create", "--replication-factor", "3")
    assert done.returncode == 1
    assert re.fullmatch(rf"onrecord: {RAW.name} cannot be made: .*replication factor.*\n", done.stderr)


async def test_files_are_produced_and_each_that_is_no_article_is_reported(
    bootstrap: str, onrecord: Run, tmp_path: Path
) -> None:
    onrecord("topics", "create")
    large = tmp_path / "large.txt"
    large.write_text(token_hex(RAW.max_message_bytes))  # which compresses to half of its size, and a little more
    samples = sorted(SAMPLES.iterdir())
    done = onrecord("produce", large, *samples)
    assert done.returncode == 1
    assert done.stdout == ""
    reports = done.stderr.splitlines()
    assert f"onrecord: {large}: larger than the topic's max.message.bytes" in reports
    assert any(line.startswith(f"onrecord: {samples[-1]}: Invalid JSON") for line in reports)
    assert reports[-1] == f"{len(samples) - 1} sent to {RAW.name} and confirmed, 2 not sent"

    records = await read(bootstrap, RAW.name, len(samples) - 1)
    values = {record.value for record in records}
    assert all(path.read_bytes() in values for path in samples[:-1] if path.suffix == ".json")
    for record in records:
        assert record.key.decode() == json.loads(record.value)["article_id"]
        assert ("ce_type", RAW.name.encode()) in record.headers
        assert ("ce_subject", record.key) in record.headers


async def test_raw_bytes_are_produced_as_they_are(bootstrap: str, onrecord: Run, tmp_path: Path) -> None:
    onrecord("topics", "create")
    (tmp_path / "broken.json").write_bytes(b"\xff{not JSON\n\x00")
    assert onrecord("produce", "--raw", tmp_path / "broken.json").returncode == 0
    [record] = await read(bootstrap, RAW.name, 1)
    assert (record.key, record.value, list(record.headers)) == (b"broken", b"\xff{not JSON\n\x00", [])


async def test_a_line_of_a_live_stdin_is_sent_before_the_next_one_comes(bootstrap: str, onrecord: Run) -> None:
    onrecord("topics", "create")
    environment = os.environ | {"ONRECORD_KAFKA_BOOTSTRAP": bootstrap}
    command = [*ONRECORD, "produce", "-"]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, env=environment)
    assert process.stdin is not None
    process.stdin.write(b'{"article_id": "live", "body": "x"}\n')
    await process.stdin.drain()
    [record] = await read(bootstrap, RAW.name, 1)
    assert record.key == b"live"
    process.stdin.close()
    assert await process.wait() == 0


async def test_tail_shows_what_was_committed_and_only_that(bootstrap: str, onrecord: Run) -> None:
    onrecord("topics", "create")
    article = reading()
    [quote] = article.quotes
    event = QuoteExtracted(article=ArticleReference.to(article), quote=quote).model_dump_json().encode()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="test") as producer:
        async with producer.transaction():
            await producer.send(QUOTES.name, event, key=b"a", partition=0)
            await producer.send(QUOTES.name, b"{}", key=b"foreign", partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait(QUOTES.name, event, key=b"aborted", partition=0)
        await producer.abort_transaction()

    words = onrecord("tail", "quotes", "--from-beginning", "--no-follow")
    assert (words.returncode, words.stderr) == (0, "")
    assert words.stdout.splitlines() == [
        "[a] Ann <Lee> said: “We will build it,” … “by May & June.” (direct)",
        "[foreign] partition 0 offset 1: not an event of this version",
    ]
    as_json = onrecord("tail", "quotes", "--from-beginning", "-n", "1", "--json")
    assert QuoteExtracted.model_validate_json(as_json.stdout).quote == quote
    assert onrecord("tail", "positions", "--from-beginning", "--no-follow").stdout == ""


def dead(offset: int, reason: Reason = Reason.NOT_JSON, *own: tuple[str, bytes]) -> Headers:
    headers = DeadLetterHeaders(
        topic=RAW.name, partition=0, offset=offset, reason=reason, message="line 1 column 2", attempts=1,
        service_version="0", time=datetime.now(UTC),
    )  # fmt: skip
    return [*own, *headers.to_kafka()]


async def test_dead_letters_are_listed_shown_and_replayed_without_a_loop(bootstrap: str, onrecord: Run) -> None:
    onrecord("topics", "create")
    trace = ("traceparent", b"00-1")
    await sent(
        bootstrap, DEAD_LETTERS.name,
        (b"a", b"\xff{", dead(0, Reason.NOT_JSON, trace)),
        (b"b", b"{}", dead(1, Reason.INVALID_ARTICLE)),
        (b"c", b"[]", dead(2, Reason.NOT_JSON, (REPLAYS_HEADER, b"3"))),
        (b"d", b"foreign", []),
    )  # fmt: skip

    listed = onrecord("dlq", "list")
    rows = [line.split("\t") for line in listed.stdout.splitlines()[1:]]
    assert {(row[2], row[3], row[4]) for row in rows} == {
        ("not_json", "0", "a"), ("invalid_article", "0", "b"), ("not_json", "3", "c")
    }  # fmt: skip
    assert "no dead letter" in listed.stderr
    assert len(onrecord("dlq", "list", "--reason", "invalid_article", "--since", "1h").stdout.splitlines()) == 2
    assert len(onrecord("dlq", "list", "--since", "2999-01-01").stdout.splitlines()) == 1

    place = next(row[0] for row in rows if row[4] == "a")
    shown = onrecord("dlq", "show", place).stdout
    assert "onrecord-dlq-reason: not_json" in shown
    assert shown.endswith("value (2 bytes):\n\\xff{\n")

    dry = onrecord("dlq", "replay", "--reason", "not_json", "--dry-run")
    assert dry.returncode == 1
    assert "1 would be sent back, 1 refused" in dry.stderr
    done = onrecord("dlq", "replay", "--reason", "not_json")
    assert done.returncode == 1
    assert "is not replayed: it was replayed 3 times already" in done.stderr
    [record] = await read(bootstrap, RAW.name, 1)
    assert (record.key, record.value) == (b"a", b"\xff{")
    assert list(record.headers) == [trace, (REPLAYS_HEADER, b"1")]

    # It dies again: of its two letters only the last may go back.
    again = dead(3, Reason.NOT_JSON, trace, (REPLAYS_HEADER, b"1"))
    await sent(bootstrap, DEAD_LETTERS.name, (b"a", b"\xff{", again))
    assert "1 sent back, 1 refused" in onrecord("dlq", "replay", "--reason", "not_json").stderr
    records = await read(bootstrap, RAW.name, 2)
    assert list(records[1].headers) == [trace, (REPLAYS_HEADER, b"2")]


async def test_dead_letters_are_tailed_as_words_and_as_json(bootstrap: str, onrecord: Run) -> None:
    onrecord("topics", "create")
    await sent(bootstrap, DEAD_LETTERS.name, (b"a", b"\xff", dead(7)))
    words = onrecord("tail", "dlq", "--from-beginning", "-n", "1").stdout
    assert words == f"[a] not_json: line 1 column 2 ({RAW.name} partition 0 offset 7, 1 bytes)\n"
    [line] = onrecord("tail", "dlq", "--from-beginning", "-n", "1", "--json").stdout.splitlines()
    assert json.loads(line)["value"] == {"base64": "/w=="}


def test_the_demo_accounts_for_every_sample_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
    environment |= {"TMPDIR": str(tmp_path), "COLUMNS": "200"}
    done = subprocess.run([*ONRECORD, "demo"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    samples = len(list(SAMPLES.iterdir()))
    assert f"{samples} messages in: {samples - 1} articles enriched, 1 dead letter, none lost" in done.stdout
    assert f"the worker's own count: {samples - 1} articles enriched, 1 failed" in done.stdout
    assert "dead letter [15-broken] not_json" in done.stdout
    assert "[demo-central-bank, revision 1]" in done.stdout
    assert re.search(r"[A-Z]\w+ [A-Z]\w+ said: “\w", done.stdout)
    assert "  position " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search(r"http://127\.0\.0\.1:\d+/metrics", done.stdout)
    # The broker's data and the worker's log are gone, and so are the processes that had them open.
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in _command_lines()


def test_ctrl_c_stops_the_demo_and_all_that_it_started(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
    environment |= {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*ONRECORD, "demo", "--keep"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        # A shell that starts a command in the background makes it deaf to Ctrl-C; this is one in the foreground.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said = list(takewhile(lambda line: not line.startswith("all stays up"), process.stderr))
        while_up = _command_lines()
        process.send_signal(signal.SIGINT)
        said += process.stderr
    assert str(tmp_path) in while_up
    assert process.returncode == 130
    assert "Traceback" not in "".join(said)
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in _command_lines()


def test_the_demo_fails_honestly_when_its_worker_does(bootstrap: str, onrecord: Run) -> None:
    done = onrecord("demo", ONRECORD_MODEL="no_such_model")
    assert done.returncode == 1
    assert "the worker ended by itself with status 1" in done.stderr.splitlines()[-1]
    assert "no_such_model" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_uses_the_users_broker_and_leaves_the_topics_there(bootstrap: str, onrecord: Run) -> None:
    done = onrecord("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {row[0]: row[2] for row in (line.split("\t") for line in onrecord("topics", "list").stdout.splitlines())}
    assert counts[RAW.name] == str(len(list(SAMPLES.iterdir())))


def _command_lines() -> str:
    return subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
