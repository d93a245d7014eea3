"""TLS, passwords, rights and secrets, on a real Kafka that asks for them."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from schemas import DeadLetterHeaders, topics
from schemas.cloudevents import TRACEPARENT
from services.broker import Cluster
from services.cli.topics import make
from services.enricher import logs
from services.enricher.app import run_worker
from services.enricher.settings import load_settings
from tests.chaos.harness import ROOT, Arena, article
from tests.chaos.scenarios import REAL
from tests.integration import acls
from tests.integration.certificates import Authority

pytestmark = pytest.mark.kafka

MODES = ("exactly_once", "at_least_once")
GROUP = "onrecord-enricher"
READING, *_, TRANSACTIONS = acls.rights("enricher")
(QUOTES,) = (right for right in acls.rights("enricher") if right.name == topics.QUOTES.name)
DLQ = topics.DEAD_LETTERS.name
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
USERS = ("enricher", "newsroom", "desk", "operator", "archivist")
SECRET = "canary-Secret-7"
"""What every password contains."""
PHRASE = "the quarrelsome heron of the ferrymen"
"""What is only said in articles."""

MakeArena = Callable[..., Arena]

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def password(user: str) -> str:
    return f"{user}-{SECRET}"


@dataclass(frozen=True)
class Guarded:
    """A broker with a listener for each way in, and what clients need; only the listener without any is for the tests.

    Topics are there, and each user has the rights that docs/operations.md gives it.
    """

    cluster: Cluster
    ours: Authority
    other: Authority
    certificates: dict[str, Path]
    """Of each user, with an encrypted key."""

    def scram(self, user: str = "enricher", **changed: str) -> dict[str, str]:
        return self._settings("SCRAM", "SASL_SSL", user, {"SSL_CAFILE": str(self.ours.cafile), **changed})

    def clear(self, user: str, mechanism: str, **changed: str) -> dict[str, str]:
        return self._settings("CLEAR", "SASL_PLAINTEXT", user, {"SASL_MECHANISM": mechanism, **changed})

    def mutual(self, user: str = "enricher", **changed: str) -> dict[str, str]:
        certificate = str(self.certificates[user])
        needed = {
            "SSL_CAFILE": str(self.ours.cafile),
            "SSL_CERTFILE": certificate,
            "SSL_KEYFILE": certificate,
            "SSL_KEY_PASSWORD": password("key"),
        }
        return self._settings("MUTUAL", "SSL", None, needed | changed)

    def _settings(self, listener: str, protocol: str, user: str | None, more: dict[str, str]) -> dict[str, str]:
        settings = {"BOOTSTRAP": self.cluster.address(listener), "SECURITY_PROTOCOL": protocol}
        if user:
            settings |= {"SASL_USERNAME": user, "SASL_PASSWORD": password(user)}
        return {f"ONRECORD_KAFKA_{name}": value for name, value in (settings | more).items()}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    properties = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(ours.issue("broker", "127.0.0.1")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ours.cafile),
        "ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/",
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": SCRAM,
        "listener.name.clear.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
        "listener.name.clear.scram-sha-512.sasl.jaas.config": SCRAM,
        "listener.name.clear.plain.sasl.jaas.config": f'{PLAIN} user_newsroom="{password("newsroom")}";',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    scram = [("--add-scram", f"SCRAM-SHA-512=[name={user},password={password(user)}]") for user in USERS]
    cluster = Cluster(
        folder / "broker",
        listeners={"SCRAM": "SASL_SSL", "MUTUAL": "SSL", "CLEAR": "SASL_PLAINTEXT"},
        properties=properties,
        format_arguments=[argument for pair in scram for argument in pair],
    )
    with cluster:
        asyncio.run(acls.give(cluster.bootstrap, *(right for user in USERS for right in acls.rights(user))))
        made = Guarded(cluster, ours, other, {user: ours.issue(user, password=password("key")) for user in USERS})
        with pytest.MonkeyPatch.context() as patch:
            for name, value in made.scram("operator").items():
                patch.setenv(name, value)
            asyncio.run(make(partitions=2))
        yield made


@pytest.fixture
async def make_arena(guarded: Guarded, tmp_path: Path) -> AsyncIterator[MakeArena]:
    """Return a maker of arenas on the broker's topics, whose workers are stopped in the end."""
    arenas: list[Arena] = []

    def new(settings: dict[str, str], **options: str) -> Arena:
        settings = {"ONRECORD_GROUP_ID": GROUP, "ONRECORD_LOG_LEVEL": "DEBUG", **settings}
        arena = Arena(guarded.cluster.bootstrap, tmp_path, settings, **options)
        arena.group = GROUP
        arenas.append(arena)
        return arena

    yield new
    for arena in arenas:
        await arena.stop_workers()


@dataclass(frozen=True)
class Said:
    """How a command has ended."""

    status: int
    output: str
    log: str

    def line(self) -> str:
        """Return the only line that is not for the record; there must be no other, no traceback and no secret."""
        lines = [line for line in self.log.splitlines() if '"level": "INFO"' not in line]
        assert len(lines) == 1, self.log
        assert "Traceback" not in self.log
        assert SECRET not in self.log
        return lines[0]


Start = Callable[[dict[str, str]], Said]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Start]:
    """Return what runs a worker in this process, which is quicker, for those that end before there are children."""
    root = logging.getLogger()
    before = root.handlers, root.level

    def run(settings: dict[str, str]) -> Said:
        with monkeypatch.context() as patch:
            for name, value in {"ONRECORD_METRICS_PORT": "0", **settings}.items():
                patch.setenv(name, value)
            status = run_worker(load_settings())
        return Said(status, *capsys.readouterr())

    yield run
    root.handlers, root.level = before
    for name in logs.NOISY:
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.captureWarnings(False)


async def onrecord(settings: dict[str, str], *arguments: str, stdin: str = "") -> Said:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli.main", *arguments),
        cwd=ROOT,
        env={**os.environ, "ONRECORD_METRICS_PORT": "0", **settings},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, log = await process.communicate(stdin.encode())
    return Said(process.returncode or 0, output.decode(), log.decode())


@pytest.mark.parametrize("way", ["scram", "mutual"])
async def test_a_worker_reads_articles_over_an_encrypted_connection_and_keeps_them_and_secrets_out_of_its_log(
    guarded: Guarded, make_arena: MakeArena, way: str
) -> None:
    arena = make_arena(guarded.scram() if way == "scram" else guarded.mutual(), reader=REAL)
    name = f"article-{uuid4()}"
    async with arena.producer() as producer:
        for value in broken_articles():
            await producer.send(
                topics.RAW.name, value, headers=[(TRACEPARENT, TRACE.encode()), ("own", PHRASE.encode())]
            )
        await producer.send(topics.RAW.name, b"not JSON", headers=[(TRACEPARENT, f"00-{PHRASE}-0-0".encode())])
        body = f'OSLO - Anna Berg spoke.\n\n"We will not raise taxes for {PHRASE}," Anna Berg told reporters.\n'
        await producer.send(topics.RAW.name, json.dumps({"article_id": name, "body": body}).encode(), key=name.encode())
    worker = await arena.start_worker()
    assert PHRASE in str(await arrived(arena, topics.QUOTES.name, name))
    await arena.until_done(30)
    assert await worker.stop() == 0
    written = worker.log.read_text()
    assert '"level": "DEBUG"' in written
    assert PHRASE not in written
    assert SECRET not in written
    deaths = [line for line in map(json.loads, written.splitlines()) if line["message"].startswith("dead letter")]
    assert len(deaths) == len(broken_articles()) + 1
    places = [(line["topic"], line["partition"], line["offset"]) for line in deaths]
    assert sorted(places) == sorted(
        (about.topic, about.partition, about.offset)
        for about in (DeadLetterHeaders.from_kafka(list(letter.headers)) for letter in await arena.read(DLQ))
        if (about.topic, about.partition, about.offset) in places
    )
    assert [line.get("trace_id") for line in deaths].count(TRACE.split("-")[1]) == len(broken_articles())


def broken_articles() -> list[bytes]:
    """Return messages with the phrase in them that become dead letters, each for another reason."""
    phrase = PHRASE.encode()
    return [
        b"not JSON: " + phrase,
        b'{"article_id": "1", "body": "' + phrase + b'\xff"}',
        b'{"article_id": "1", "body": ["' + phrase + b'"]}',
        b'{"article_id": "1", "body": "b", "published_at": "' + phrase + b'"}',
        b'{"article_id": "1", "body": "b", "language": "' + phrase + b'", "revision": "' + phrase + b'"}',
        b'{"' + phrase + b'": {"' + phrase + b'": 1}, "article_id": {}}',
        b'{"article_id": "1", "body": "b", "title": "' + 100 * phrase + b'"}',
        b"[" * 100 + b'"' + phrase + b'"',
    ]


def refused(guarded: Guarded) -> dict[str, tuple[dict[str, str], str]]:
    """Return settings that brokers refuse, and what the only line about it must name."""
    local = guarded.cluster.address("SCRAM").replace("127.0.0.1", "localhost")
    stranger = str(guarded.other.issue("enricher"))
    none = {"SSL_CERTFILE": "", "SSL_KEYFILE": "", "SSL_KEY_PASSWORD": ""}
    foreign = {"SSL_CERTFILE": stranger, "SSL_KEYFILE": stranger}
    return {
        "wrong password": (guarded.scram(SASL_PASSWORD=password("other")), "SASL_PASSWORD"),
        "wrong password in the clear": (
            guarded.clear("enricher", "SCRAM-SHA-512", SASL_PASSWORD=SECRET),
            "SASL_PASSWORD",
        ),
        "unknown user": (guarded.scram("nobody"), "SASL_USERNAME"),
        "mechanism that is off": (guarded.scram(SASL_MECHANISM="SCRAM-SHA-256"), "SASL_MECHANISM=SCRAM-SHA-256"),
        "untrusted authority": (guarded.scram(SSL_CAFILE=str(guarded.other.cafile)), "SSL_CAFILE"),
        "other host name": (guarded.scram(BOOTSTRAP=local), "BOOTSTRAP"),
        "no certificate": (guarded.mutual(**none), "SSL_CERTFILE"),
        "foreign certificate": (guarded.mutual(**foreign), "SSL_CERTFILE"),
        "wrong password of the key": (guarded.mutual(SSL_KEY_PASSWORD=SECRET), "SSL_KEY_PASSWORD"),
    }


def test_settings_that_the_brokers_refuse_stop_the_start_with_one_line(guarded: Guarded, start: Start) -> None:
    for name, (settings, setting) in refused(guarded).items():
        said = start(settings)
        line = json.loads(said.line())
        assert (said.status, line["level"]) == (1, "ERROR"), name
        assert f"ONRECORD_KAFKA_{setting}" in line["message"], name


def test_a_password_that_goes_in_the_clear_is_not_logged_either(guarded: Guarded, start: Start) -> None:
    said = start(guarded.clear("newsroom", "PLAIN") | {"ONRECORD_LOG_LEVEL": "DEBUG"})
    assert "Read on group" in said.log  # the password was right, and the newsroom is no worker
    assert SECRET not in said.log


async def test_brokers_that_close_the_connection_are_asked_again_and_the_protocol_is_named(guarded: Guarded) -> None:
    settings = guarded.scram(SECURITY_PROTOCOL="SSL") | {"ONRECORD_RETRY_DEADLINE_SECONDS": "0.5"}
    said = await onrecord(settings, "worker")
    *tries, last = [line for line in map(json.loads, said.log.splitlines()) if line["level"] != "INFO"]
    assert tries
    assert all("ONRECORD_KAFKA_SECURITY_PROTOCOL=SSL" in line["message"] for line in (*tries, last))
    assert "ONRECORD_RETRY_DEADLINE_SECONDS" in last["message"]
    assert said.status == 1


@pytest.mark.parametrize("delivery", MODES)
async def test_the_rights_in_the_list_are_enough(guarded: Guarded, make_arena: MakeArena, delivery: str) -> None:
    arena = make_arena(guarded.scram() | {"ONRECORD_DELIVERY": delivery})
    name, poison = f"article-{uuid4()}", f"poison-{uuid4()}"
    async with without(arena, *([TRANSACTIONS] if delivery == "at_least_once" else [])):
        # An error that quotes the article, too, must not get to the log.
        await arena.send([article(name), article(f"poison {PHRASE} {poison}", "raise"), article(poison, "crash")])
        worker = await arena.start_worker()
        await arrived(arena, topics.QUOTES.name, name)
        await arrived(arena, DLQ, poison)
        await arena.until_done(30)
        assert await worker.stop() == 0
    assert PHRASE not in worker.log.read_text()


@pytest.mark.parametrize("right", acls.rights("enricher"), ids=str)
def test_each_right_in_the_list_is_needed_and_its_lack_stops_the_start(
    guarded: Guarded, start: Start, right: acls.Right
) -> None:
    bootstrap = guarded.cluster.bootstrap
    asyncio.run(acls.take(bootstrap, right))
    try:
        said = start(guarded.scram())
    finally:
        asyncio.run(acls.give(bootstrap, right))
    line = json.loads(said.line())
    assert (said.status, line["level"]) == (1, "ERROR")
    assert f"{right.operation} on {right.kind.replace('_', ' ')}" in line["message"]
    assert right.name in line["message"]


@pytest.mark.parametrize(("delivery", "right"), [("exactly_once", QUOTES), ("at_least_once", READING)], ids=str)
async def test_a_right_lost_while_running_stops_the_worker_with_nothing_acknowledged(
    guarded: Guarded, make_arena: MakeArena, delivery: str, right: acls.Right
) -> None:
    arena = make_arena(guarded.scram() | {"ONRECORD_DELIVERY": delivery, "ONRECORD_RETRY_DEADLINE_SECONDS": "1"})
    before, after = f"before-{uuid4()}", f"after-{uuid4()}"
    await arena.send([article(before)])
    worker = await arena.start_worker()
    await arrived(arena, topics.QUOTES.name, before)
    await arena.until_done(30)
    async with without(arena, right):
        await arena.send([article(after)])
        assert await worker.first_exit() == 1
        await worker.stop()
        assert f"TopicAuthorizationFailedError: {right.name}" in (await worker.said("stopped, with nothing"))["message"]
        assert await arena.behind() == 1
        for topic in (topics.QUOTES.name, topics.ENRICHED.name, DLQ):
            assert after.encode() not in [record.key for record in await arena.read(topic)]


async def test_a_right_that_is_given_back_in_time_costs_nothing(guarded: Guarded, make_arena: MakeArena) -> None:
    arena = make_arena(guarded.scram())
    name = f"article-{uuid4()}"
    worker = await arena.start_worker()
    await worker.until_metrics("onrecord_partitions 2.0")
    async with without(arena, QUOTES):
        await arena.send([article(name)])
        await worker.said("tried again: [Error 29] TopicAuthorizationFailedError: news.quote.extracted.v1")
    await arrived(arena, topics.QUOTES.name, name)
    await arena.until_done(30)
    assert len(await arrived(arena, topics.ENRICHED.name, name)) == 1
    assert await worker.stop() == 0


async def test_the_commands_work_over_tls_with_the_rights_in_the_list(guarded: Guarded) -> None:
    name = f"article-{uuid4()}"
    value = json.dumps({"article_id": name, "body": "b"})
    for settings in (guarded.scram("newsroom"), guarded.mutual("newsroom"), guarded.clear("newsroom", "PLAIN")):
        sent = await onrecord(settings, "produce", "-", stdin=value)
        assert (sent.status, sent.log) == (0, "1 sent to news.article.raw.v1 and confirmed\n")
    tailed = await onrecord(
        guarded.scram("desk"), "tail", "quotes", "--from-beginning", "--no-follow", "--json", "-n", "1"
    )
    assert (tailed.status, tailed.log) == (0, "")
    assert '"quote"' in tailed.output
    listed = await onrecord(guarded.mutual("operator"), "topics", "list")
    assert (listed.status, listed.log) == (0, "")
    assert listed.output.count("\t2\t") == len(topics.CATALOGUE)
    replayed = await onrecord(guarded.scram("operator"), "dlq", "replay", "--reason", "worker_crash")
    assert replayed.status == 0, replayed.log
    assert "Traceback" not in replayed.log


async def test_articles_are_read_again_with_the_rights_in_the_list_which_hold_none_of_the_live_group(
    guarded: Guarded,
) -> None:
    name = f"article-{uuid4()}"
    value = json.dumps({"article_id": name, "body": "b"})
    await onrecord(guarded.scram("newsroom"), "produce", "-", stdin=value)
    again = await onrecord(guarded.scram("archivist"), "reprocess", "--from-time", "1h", "--name", "by-right")
    assert again.status == 0, again.log
    assert again.log.splitlines()[-1].startswith("by-right: ")
    assert "Read on group" in (await onrecord(guarded.scram("archivist"), "worker")).log


async def test_the_commands_say_in_one_line_what_the_brokers_refuse(guarded: Guarded) -> None:
    wrong = guarded.scram("operator", SASL_PASSWORD=password("wrong"))
    untrusted = guarded.scram("operator", SSL_CAFILE=str(guarded.other.cafile))
    unreadable = guarded.mutual("operator", SSL_KEY_PASSWORD=SECRET)
    cases = [
        (wrong, ("produce", "-"), "ONRECORD_KAFKA_SASL_PASSWORD"),
        (wrong, ("tail", "--no-follow"), "ONRECORD_KAFKA_SASL_PASSWORD"),
        (wrong, ("topics", "list"), "ONRECORD_KAFKA_SASL_PASSWORD"),
        (untrusted, ("topics", "list"), "ONRECORD_KAFKA_SSL_CAFILE"),
        (unreadable, ("topics", "list"), "ONRECORD_KAFKA_SSL_KEY_PASSWORD"),
        (guarded.scram("desk"), ("produce", "-"), "Authoriz"),
        (guarded.scram("newsroom"), ("tail", "--no-follow"), "no topic news.quote.extracted.v1"),
    ]
    ended = await asyncio.gather(*(onrecord(settings, *arguments, stdin="{}") for settings, arguments, _ in cases))
    for said, (_, arguments, words) in zip(ended, cases, strict=True):
        assert said.status == 1, arguments
        assert words in said.line(), arguments


@asynccontextmanager
async def without(arena: Arena, *rights: acls.Right) -> AsyncIterator[None]:
    """Take rights away for as long as this lasts."""
    for right in rights:
        await acls.take(arena.bootstrap, right)
    try:
        yield
    finally:
        await acls.give(arena.bootstrap, *rights)


async def arrived(arena: Arena, topic: str, name: str) -> list[bytes]:
    """Wait until a topic has something with this key, and return it."""
    async with asyncio.timeout(60):
        while True:
            if found := [record.value for record in await arena.read(topic) if record.key == name.encode()]:
                return found
            await asyncio.sleep(0.1)
