"""The arena of the chaos and integration tests: real brokers, workers as processes, and a count of what came out.

Nothing here knows the inside of a worker: it is started as a process, ended by signals, and judged by what a
read_committed consumer that is not ours would see.
"""

import asyncio
import itertools
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from schemas import topics
from schemas.deadletter import PREFIX

ROOT = Path(__file__).parents[2]
STUB = "tests.chaos.stub:Reader"
FETCH_BYTES = 32 * topics.MEBIBYTE
POLL_SECONDS = 0.1
POISON = "poison"
"""What the key of a message begins with that must become a dead letter."""

ITEMS = {topics.ENTITIES.name: "entity", topics.QUOTES.name: "quote", topics.POSITIONS.name: "position"}
"""Topics of the per-item events, and the field that holds the item."""

BODY = 'OSLO - Finance Minister Anna Berg spoke on Tuesday.\n\n"We will not raise taxes," Berg told reporters.\n'
"""A small article."""

Messages = Iterable[tuple[str, bytes | None]]
"""Keys and values."""

WORKER_SETTINGS = {
    # Short enough that a test of it does not take minutes; the smallest that brokers take is six seconds.
    "ONRECORD_SESSION_TIMEOUT_SECONDS": "6",
    "ONRECORD_REBALANCE_TIMEOUT_SECONDS": "15",
    "ONRECORD_ARTICLE_DEADLINE_SECONDS": "3",
    "ONRECORD_CHILDREN": "1",
    "ONRECORD_METRICS_PORT": "0",
    "ONRECORD_DRAIN_DEADLINE_SECONDS": "10",
}


class Worker:
    """A worker process that is started again when it ends by itself, as whoever runs it would do."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._module = module
        self.exits: list[int] = []
        """The exit statuses it has ended with."""
        self._environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def children(self) -> list[int]:
        """Return the processes that read for this worker: its grandchildren, forked by the nursery."""
        return descendants(self.pid)[1:]

    async def start(self) -> None:
        self._wanted = True
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    def send(self, number: signal.Signals) -> None:
        if self.is_running:
            os.kill(self.pid, number)

    async def stop(self, seconds: float = 30.0) -> int:
        """Stop it with SIGTERM and return its exit status; -SIGKILL if it did not stop in time."""
        self._wanted = False
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        assert self._keeper is not None
        try:
            await asyncio.wait_for(asyncio.shield(self._keeper), seconds)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._keeper
        return self.exits[-1]

    async def said(self, words: str, seconds: float = 60.0) -> dict[str, str]:
        """Wait until the log has a line with these words in its message; return the last one. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                for line in reversed(self.log.read_text().splitlines()):
                    if line.startswith("{") and words in (entry := orjson.loads(line))["message"]:
                        return dict(entry)
                await asyncio.sleep(POLL_SECONDS)

    async def page(self, path: str) -> tuple[int, str]:
        """Return status and body of a page of the worker's health server."""
        line = await self.said("metrics and health on")
        url = f"http://127.0.0.1:{line['message'].rpartition(':')[2]}{path}"
        return await asyncio.to_thread(_get, url)

    async def until_metrics(self, *lines: str, seconds: float = 60.0) -> None:
        """Return when /metrics shows all these lines at once; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not set(lines) <= set((await self.page("/metrics"))[1].splitlines()):  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)

    async def first_exit(self, seconds: float = 60.0) -> int:
        """Wait until the worker has ended by itself, and return the status; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not self.exits:  # noqa: ASYNC110 (a process sets no event)
                await asyncio.sleep(POLL_SECONDS)
        return self.exits[0]

    async def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, env=self._environment, cwd=ROOT, stdout=log, stderr=log
            )

    async def _keep(self) -> None:
        while True:
            assert self._process is not None
            self.exits.append(await self._process.wait())
            if not self._wanted:
                return
            await asyncio.sleep(0.5)
            if not self._wanted:  # told to stop in between
                return
            await self._spawn()


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def descendants(pid: int) -> list[int]:
    """Return the children of a process, each followed by its own."""
    return [one for child in _children_of(pid) for one in (child, *descendants(child))]


def _children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@dataclass
class Count:
    """What came out, by what went in. `sent` is what the broker confirmed."""

    sent: int
    lost: list[str] = field(default_factory=list)
    """Articles of which no event, or not every event that the reading names, and no dead letter came out."""
    foreign: list[str] = field(default_factory=list)
    """What came out of nothing that went in, or is not what the reader makes of it."""
    duplicates: int = 0
    """Events and dead letters that a read_committed consumer saw more than once."""
    dead: Counter[str] = field(default_factory=Counter)
    """Dead letters by reason."""


class Arena:
    """One run: fresh topics, a consumer group of its own, workers, and everything that was produced."""

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        settings: Mapping[str, str],
        reader: str = STUB,
        module: str = "tests.chaos.worker",
    ) -> None:
        self._module = module
        self.bootstrap = bootstrap
        self.folder = folder
        self.group = f"group-{time.time_ns()}"
        self.workers: list[Worker] = []
        self.sent: Counter[str] = Counter()
        """How often the broker confirmed each message, by its name (see `name_of`)."""
        self.values: dict[str, bytes | None] = {}
        """The value of each message that was sent, by its name."""
        self._numbers = itertools.count(1)
        self._environment = {
            **WORKER_SETTINGS,
            "ONRECORD_KAFKA_BOOTSTRAP": bootstrap,
            "ONRECORD_GROUP_ID": self.group,
            "CHAOS_READER": reader,
            **settings,
        }

    async def make_topics(self, partitions: int = 6) -> None:
        """Begin with empty topics."""
        async with administering(self.bootstrap) as admin:
            await _delete(admin, [topic.name for topic in topics.CATALOGUE])
            await _create(admin, partitions, replicas=len(self.bootstrap.split(",")))

    async def configure(self, topic: str, settings: dict[str, str]) -> None:
        """Change settings of a topic."""
        async with administering(self.bootstrap) as admin:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])

    async def delete_topic(self, name: str) -> None:
        """Delete a topic, and return when it is gone."""
        async with administering(self.bootstrap) as admin:
            await _delete(admin, [name])

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit offsets for the group, as `kafka-consumer-groups --reset-offsets` does."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
        finally:
            await consumer.stop()

    async def start_worker(self, **settings: str) -> Worker:
        number = next(self._numbers)
        worker = Worker(self._module, {**self._environment, **settings}, self.folder / f"worker-{number}.log")
        self.workers.append(worker)
        await worker.start()
        return worker

    async def stop_workers(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self.workers))

    @asynccontextmanager
    async def producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, enable_idempotence=True, max_request_size=FETCH_BYTES, linger_ms=2
        )
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def send(self, messages: Messages, rate: float | None = None) -> None:
        """Produce messages (key, value), `rate` a second or as fast as it goes, and remember what was confirmed."""
        async with self.producer() as producer, asyncio.TaskGroup() as tasks:
            began = time.monotonic()
            for index, (key, value) in enumerate(messages):
                self.values[name_of(key, value)] = value
                if rate is not None:
                    await asyncio.sleep(max(0.0, began + index / rate - time.monotonic()))
                confirmation = await producer.send(topics.RAW.name, key=key.encode(), value=value)
                tasks.create_task(self._confirmed(key, value, confirmation))

    async def _confirmed(self, key: str, value: bytes | None, confirmation: asyncio.Future[object]) -> None:
        await confirmation
        self.sent[name_of(key, value)] += 1

    async def until_done(self, seconds: float) -> None:
        """Return when the group has committed everything; raises TimeoutError."""
        ends = await self._ends()
        async with asyncio.timeout(seconds):
            async for committed in self.progress():
                if all(committed.get(partition, 0) >= end for partition, end in ends.items()):
                    return

    async def progress(self) -> AsyncIterator[dict[TopicPartition, int]]:
        """Yield the committed offsets of the group, again and again; nothing while the brokers do not answer."""
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
            try:
                await admin.start()
                while True:
                    offsets = await admin.list_consumer_group_offsets(self.group)
                    yield {partition: offset.offset for partition, offset in offsets.items()}
                    await asyncio.sleep(POLL_SECONDS)
            except (KafkaError, OSError):
                await asyncio.sleep(POLL_SECONDS)
            finally:
                await admin.close()

    async def until_committed(self, messages: int, seconds: float = 60.0) -> None:
        """Return when the group has committed at least so many messages; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            async for committed in self.progress():
                if sum(committed.values()) >= messages:
                    return

    async def until_events(self, topic: str, number: int, seconds: float = 60.0) -> None:
        """Return when a topic holds so many events; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(await self.read(topic)) < number:  # noqa: ASYNC110 (a broker sends no events)
                await asyncio.sleep(POLL_SECONDS)

    async def behind(self) -> int:
        """Return how many messages of the raw topic the group has not committed."""
        ends = await self._ends()
        committed = await anext(self.progress())
        return sum(end - committed.get(partition, 0) for partition, end in ends.items())

    async def _ends(self) -> dict[TopicPartition, int]:
        async with _consumer(self.bootstrap) as consumer:
            partitions = await _partitions(consumer, topics.RAW.name)
            ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
            return ends

    async def read(self, topic: str, isolation: str = "read_committed") -> list[ConsumerRecord[bytes, bytes]]:
        """Return everything that a topic holds now."""
        async with _consumer(self.bootstrap, isolation) as consumer:
            partitions = await _partitions(consumer, topic)
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            records: list[ConsumerRecord[bytes, bytes]] = []
            while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    records += batch
            return records

    async def count(self) -> Count:
        """Compare what came out with what went in."""
        count = Count(sent=self.sent.total())
        enriched, items = await self._enriched(count)
        found = await self._items(count)
        dead = await self._dead_letters(count)
        for name in self.sent:
            is_whole = dead[name] > 0 if _is_poison(name) else enriched[name] > 0 and items[name] <= found.keys()
            if not is_whole:
                count.lost.append(name)
        for seen in (enriched, dead):
            count.duplicates += sum(max(0, times - self.sent[name]) for name, times in seen.items())
        for name, ids in items.items():
            count.duplicates += sum(max(0, found[item] - self.sent[name]) for item in ids)
        return count

    async def _enriched(self, count: Count) -> tuple[Counter[str], dict[str, set[str]]]:
        """Return how often each reading was seen, and the ids of the items in it."""
        seen: Counter[str] = Counter()
        items: dict[str, set[str]] = defaultdict(set)
        for record in await self.read(topics.ENRICHED.name):
            event = orjson.loads(record.value or b"")
            name = self._origin(record, event, count)
            seen[name] += 1
            items[name] |= {item["id"] for field in ("entities", "quotes", "positions") for item in event[field]}
        return seen, items

    async def _items(self, count: Count) -> Counter[str]:
        """Return how often the event of each item was seen, by the item's id."""
        seen: Counter[str] = Counter()
        for topic, item in ITEMS.items():
            for record in await self.read(topic):
                event = orjson.loads(record.value or b"")
                self._origin(record, event["article"], count)
                seen[event[item]["id"]] += 1
        return seen

    def _origin(self, record: ConsumerRecord[bytes, bytes], about: dict[str, object], count: Count) -> str:
        """Return the name of the message that an event came of; count the event as foreign if there is none."""
        name = f"{about['article_id']}#{about['revision']}"
        if name not in self.values or _is_poison(name) or record.key != str(about["article_id"]).encode():
            count.foreign.append(f"{record.topic} {name}")
        return name

    async def _dead_letters(self, count: Count) -> Counter[str]:
        seen: Counter[str] = Counter()
        for record in await self.read(topics.DEAD_LETTERS.name):
            name = name_of((record.key or b"").decode(), record.value)
            seen[name] += 1
            count.dead[dict(record.headers)[PREFIX + "reason"].decode()] += 1
            if not _is_poison(name) or record.value != self.values[name]:
                count.foreign.append(f"dead letter {name}")
        return seen


def _is_poison(name: str) -> bool:
    return name.startswith(POISON)


def name_of(key: str, value: bytes | None) -> str:
    """Return what tells a message from all others: its key, and the revision where there is one."""
    try:
        return f"{key}#{orjson.loads(value or b'').get('revision', 0)}"
    except (orjson.JSONDecodeError, AttributeError):
        return f"{key}#0"


def article(key: str, body: str = BODY, **fields: object) -> tuple[str, bytes]:
    """Return a small raw article as (key, value)."""
    return key, orjson.dumps({"article_id": key, "body": body, **fields})


def noise(characters: int) -> str:
    """Return text that stays as long as it is when it is compressed."""
    return "".join(chr(0x4E00 + index * 7919 % 20_000) for index in range(characters))


def articles(name: str, number: int) -> Messages:
    """Return so many small articles, with keys that begin with `name`."""
    return [article(f"{name}-{index}") for index in range(number)]


@asynccontextmanager
async def _consumer(bootstrap: str, isolation: str = "read_committed") -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    await consumer._client.force_metadata_update()
    while not (numbers := consumer.partitions_for_topic(topic)):
        await consumer.topics()
        await asyncio.sleep(POLL_SECONDS)
    return [TopicPartition(topic, number) for number in numbers]


@asynccontextmanager
async def administering(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a connected admin client, which aiokafka does not close by itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _delete(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    present = set(await admin.list_topics()) & set(names)
    if present:
        await admin.delete_topics(sorted(present))
    while set(await admin.list_topics()) & set(names):  # noqa: ASYNC110 (a broker sends no events)
        await asyncio.sleep(POLL_SECONDS)


async def _create(admin: AIOKafkaAdminClient, partitions: int, replicas: int) -> None:
    wanted = [
        NewTopic(topic.name, partitions, replicas, topic_configs={"max.message.bytes": str(topic.max_message_bytes)})
        for topic in topics.CATALOGUE
    ]
    while not set(await admin.list_topics()) >= {topic.name for topic in wanted}:
        try:
            await admin.create_topics(wanted)
        except KafkaError:  # the deletion of their namesakes is not through yet
            await asyncio.sleep(POLL_SECONDS)
