"""What docs/events.md shows, on a real broker: its article goes in, its events come out, its programs read them.

A worker that is started as users start it reads from a broker of its own, so that all names are those of the page. The
tests go on from each other, and the last one stops the worker.
"""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas import topics
from services.broker import Cluster, tool
from services.broker.jars import fetch_jars, jars_folder
from services.broker.java import find_java
from services.cli import kafka
from services.cli.stage import Worker, own_worker
from tests.integration.docs import Command, commands, one

pytestmark = pytest.mark.kafka

SECONDS = 240
"""For programs on a machine that has much else to do."""
OF_THE_DAY = {"ce_time", "onrecord-dlq-time", "timestamp_ms", "version", "onrecord-dlq-service-version"}
OF_THE_WEIGHTS = {"confidence", "score", "reader"}
"""What differs between two right answers: times, and what learning the reader anew changes."""
TOOLS = {"kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"}

CORRECTED = {
    "corrected": [(0, ["old", "kept"]), (1, ["kept", "new"])],
    "out of order": [(1, ["kept", "new"]), (0, ["old", "kept"])],
    "replayed": [(0, ["old"]), (1, ["kept", "new"]), (0, ["old"]), (1, ["kept", "new"])],
}
"""Revisions of three articles with what is quoted in each, in the order in which they are published."""


@dataclass(frozen=True)
class System:
    """The worker that has read the article of the page, and where everything lies."""

    cluster: Cluster
    worker: Worker
    folder: Path


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("docs")
    with Cluster(folder / "broker") as cluster, pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        here.setenv("ONRECORD_KAFKA_BOOTSTRAP", cluster.bootstrap)
        here.setenv("BOOTSTRAP", cluster.bootstrap)
        here.setenv("KAFKA_HOME", str(_kafka_home(folder)))
        here.setenv("LC_ALL", "C.UTF-8")
        programs = [Path(sys.executable).parent, find_java().path.parent]
        here.setenv("PATH", os.pathsep.join([*map(str, programs), os.environ["PATH"]]))
        for name in ("archive.py", "Quotes.java"):
            (folder / name).write_text(one(name).text, encoding="utf-8")
        (folder / "article.json").write_text(one(topics.RAW.name).text, encoding="utf-8")
        (folder / "broken").write_text("Stop press", encoding="utf-8")
        onrecord("topics", "create", "--replication-factor", "1")
        with own_worker(cluster.bootstrap, folder) as worker:
            onrecord("produce", "article.json")
            onrecord("produce", "--raw", "broken")
            onrecord("tail", "enriched", "--from-beginning", "-n", "1")
            onrecord("tail", "dlq", "--from-beginning", "-n", "1")
            publish_corrections()
            yield System(cluster, worker, folder)


def _kafka_home(folder: Path) -> Path:
    """Make what the page needs of an installation of Kafka: its jars, in one folder."""
    fetch_jars()
    home = folder / "kafka"
    home.mkdir()
    (home / "libs").symlink_to(jars_folder(), target_is_directory=True)
    return home


def onrecord(*arguments: str) -> str:
    """Return what the command prints; fails the test when it fails."""
    return shell([sys.executable, "-m", "services.cli.main", *arguments])


def shell(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def published(topic: str) -> list[kafka.Record]:
    """Return what is committed on a topic."""

    async def read() -> list[kafka.Record]:
        async with kafka.consumer(*await kafka.partitions_of(topic)) as client:
            await client.seek_to_beginning()
            return [record async for record in kafka.up_to_now(client)]

    return asyncio.run(read())


def lasting(event: Any) -> Any:
    """Return an event without what two right answers differ in."""
    if isinstance(event, dict):
        return {key: lasting(value) for key, value in event.items() if key not in OF_THE_DAY | OF_THE_WEIGHTS}
    return [lasting(item) for item in event] if isinstance(event, list) else event


def assert_shown(name: str, real: list[Any]) -> None:
    """Fail unless the block of that name shows one of these, which are printed to be put there."""
    shown = json.loads(one(name).text)
    matching = [event for event in real if lasting(event) == lasting(shown)]
    assert matching, "docs/events.md should show one of\n" + "\n".join(
        json.dumps(it, ensure_ascii=False) for it in real
    )
    assert _keys(shown) == _keys(matching[0])


def _keys(event: Any) -> Any:
    if isinstance(event, dict):
        return {key: _keys(value) for key, value in event.items()}
    return [_keys(item) for item in event] if isinstance(event, list) else None


@pytest.mark.parametrize("topic", topics.OUTPUTS, ids=lambda topic: topic.name)
def test_an_example_is_what_comes_out(system: System, topic: topics.Topic) -> None:
    assert_shown(topic.name, [json.loads(record.value or b"") for record in published(topic.name)])


def test_the_headers_are_those_that_come_out(system: System) -> None:
    records = published(topics.QUOTES.name)
    assert_shown(
        f"{topics.QUOTES.name} headers", [{key: value.decode() for key, value in each.headers} for each in records]
    )


def test_the_dead_letter_is_what_comes_out(system: System) -> None:
    [line] = onrecord("tail", "dlq", "--from-beginning", "--no-follow", "--json").splitlines()
    assert_shown(topics.DEAD_LETTERS.name, [json.loads(line)])


def test_kcat_sends_and_shows(system: System) -> None:
    if shutil.which("kcat") is None:
        pytest.skip("kcat (Debian package kcat) is not installed")
    send, show = [command.line for command in commands() if command.programs[:1] and command.programs[0][0] == "kcat"]
    shell(["bash", "-c", send])
    article, again = [record for record in published(topics.RAW.name) if record.key == b"herald-2026-0412"]
    assert json.loads(again.value or b"") == json.loads(article.value or b"")
    shown = shell(["bash", "-c", show]).splitlines()
    quote = json.loads(one(topics.QUOTES.name).text)["quote"]
    [headers, event, *_] = shown[next(number for number, line in enumerate(shown) if quote["id"] in line) :]
    assert headers.startswith("herald-2026-0412 ce_specversion=1.0,")
    assert json.loads(event)["quote"]["text"] == quote["text"]


def test_the_python_program_ends_with_the_truth(system: System) -> None:
    with running("python archive.py", group="archive"), sqlite3.connect(system.folder / "archive.db") as database:
        kept = database.execute("SELECT article, text FROM quotes ORDER BY text").fetchall()
    for article in CORRECTED:
        assert [text for key, text in kept if key == article] == ["kept", "new"]
    assert ("herald-2026-0412", "“We will not close the port,”") in kept


def test_the_java_program_shows_no_outdated_quote(system: System) -> None:
    if "jdk.compiler" not in shell([str(find_java().path), "--list-modules"]):
        pytest.skip("the Java on this machine is one without compiler (Debian package default-jdk-headless has it)")
    with running('java -cp "$KAFKA_HOME/libs/*" Quotes.java', group="quotes") as said:
        lines = said.read_text(encoding="utf-8").splitlines()
    for article, revisions in CORRECTED.items():
        newest = [max(revision for revision, _ in revisions[: number + 1]) for number in range(len(revisions))]
        expected = [quote for (revision, quotes), most in zip(revisions, newest, strict=True) if revision == most
                    for quote in quotes]  # fmt: skip
        assert [line.partition(": ")[2] for line in lines if line.startswith(f"{article}: ")] == expected
    assert "unknown: 🌉" in lines
    assert "Ada Marsh: “We will not close the port,”" in lines


def publish_corrections() -> None:
    """Publish readings as the enricher does, with words beyond the first plane of Unicode before what is quoted."""

    async def send() -> None:
        async with kafka.producer() as producer:
            for article, revisions in CORRECTED.items():
                for revision, quotes in revisions:
                    value = _reading(article, article, revision, ["🌉", *quotes])
                    await producer.send_and_wait(topics.ENRICHED.name, key=article.encode(), value=value)
            value = _reading("anonymous", None, 0, ["𝄞", "🌉"])
            await producer.send_and_wait(topics.ENRICHED.name, key=b"anonymous", value=value)

    asyncio.run(send())


def _reading(article: str, speaker: str | None, revision: int, words: list[str]) -> bytes:
    """Return an event in which all words but the first are quotes."""
    text = " ".join(words)
    quotes = [
        {"id": f"{article} {revision} {word}", "speaker_name": speaker, "text": word}
        | {"start": text.index(word), "end": text.index(word) + len(word)}
        for word in words[1:]
    ]
    return json.dumps({"article_id": article, "revision": revision, "text": text, "quotes": quotes}).encode()


@contextmanager
def running(command: str, group: str) -> Iterator[Path]:
    """Run a program of the page until it has committed all events, and yield the file with what it has printed."""
    assert command in [each.line for each in commands()], f"the pages do not say: {command}"
    wanted = {record.partition: record.offset + 1 for record in published(topics.ENRICHED.name)}
    said = Path(f"{group}.txt")
    with said.open("wb") as file, Path(f"{group}.log").open("wb") as log:
        process = subprocess.Popen(["bash", "-c", command], stdout=file, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + SECONDS
        while any((committed(group).get(partition) or 0) < offset for partition, offset in wanted.items()):
            assert process.poll() is None, Path(f"{group}.log").read_text()
            assert time.monotonic() < deadline, Path(f"{group}.log").read_text()
            time.sleep(0.5)
        yield said
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def committed(group: str) -> dict[int, int]:
    """Return the offsets that a group has committed, by partition."""

    async def ask() -> dict[int, int]:
        async with kafka.admin() as admin:
            offsets = await admin.list_consumer_group_offsets(group)
        return {place.partition: offset.offset for place, offset in offsets.items()}

    return asyncio.run(ask())


def test_a_stopped_group_can_be_set_back(system: System) -> None:
    """The commands of the pages, with the connection that stands for $ADMIN."""
    system.worker.process.terminate()
    assert system.worker.process.wait(SECONDS) == 0
    done = committed("onrecord-enricher")
    asked = [command for command in commands() if command.programs[:1] and command.programs[0][0] in TOOLS]
    assert asked, "the pages say nothing of a group's offsets"
    for command in asked:
        said = administer(system, command)
        assert "news.article.raw.v1" in said
    assert sum(committed("onrecord-enricher").values()) < sum(done.values())


def administer(system: System, command: Command) -> str:
    [[name, admin, *arguments]] = command.programs
    assert admin == "$ADMIN"
    connection = ("--bootstrap-server", system.cluster.bootstrap, "--timeout", str(SECONDS * 1000))
    done = tool(TOOLS[name], *connection, *arguments, timeout_seconds=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Error" not in done.stdout, done.stdout
    return done.stdout
