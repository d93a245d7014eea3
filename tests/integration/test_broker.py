"""The local broker, as a Kafka client and as a user of the command meet it."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from services.broker import BrokerError, Cluster, tool
from tests.chaos.harness import administering

pytestmark = [pytest.mark.kafka]


async def test_only_committed_transactions_are_read(kafka: Cluster) -> None:
    topic = await _new_topic(kafka.bootstrap)
    async with _producer(kafka.bootstrap, transactional_id=topic) as producer:
        async with producer.transaction():
            await producer.send(topic, b"committed")
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send(topic, b"committed too")
    assert await _read(kafka.bootstrap, topic, isolation_level="read_committed") == [b"committed", b"committed too"]


async def test_a_message_of_ten_megabytes_passes_and_an_unknown_topic_is_not_made(kafka: Cluster) -> None:
    topic = await _new_topic(kafka.bootstrap)
    large = bytes(10 * 1024 * 1024)
    async with _producer(kafka.bootstrap, max_request_size=2 * len(large)) as producer:
        await producer.send_and_wait(topic, large)
    assert await _read(kafka.bootstrap, topic) == [large]
    assert "misspelt" not in await _topics(kafka.bootstrap)


async def test_kafkas_own_tools_run(kafka: Cluster) -> None:
    topic = await _new_topic(kafka.bootstrap)
    server = ("--bootstrap-server", kafka.bootstrap)
    sent = tool("org.apache.kafka.tools.ConsoleProducer", *server, "--topic", topic, stdin="one\ntwo\n")
    assert sent.returncode == 0, sent.stderr
    read = tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *(*server, "--topic", topic, "--from-beginning", "--max-messages", "2", "--timeout-ms", "30000"),
    )
    assert read.stdout == "one\ntwo\n", read.stderr


async def test_topics_outlive_a_stop_and_a_crash_but_not_a_fresh_start(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        topic = await _new_topic(cluster.bootstrap)
        async with _producer(cluster.bootstrap) as producer:
            await producer.send_and_wait(topic, b"kept")
        cluster.stop()
        assert not cluster.is_running()

        again = Cluster(tmp_path)
        again.start()
        assert await _read(again.bootstrap, topic) == [b"kept"]

        again.kill_node(1)
        again.start_node(1)
        assert await _read(again.bootstrap, topic) == [b"kept"]

        again.start(fresh=True)
        assert topic not in await _topics(again.bootstrap)
        again.stop()


async def test_three_nodes_go_on_without_one_and_take_it_back_without_its_data(tmp_path: Path) -> None:
    with Cluster(tmp_path, nodes=3) as cluster:
        topic = await _new_topic(cluster.bootstrap, partitions=3, replication_factor=3)
        sent = [f"{partition}".encode() for partition in range(3)]
        async with _producer(cluster.bootstrap, acks="all", enable_idempotence=True) as producer:
            cluster.kill_node(1)
            for partition, value in enumerate(sent):
                await producer.send_and_wait(topic, value, partition=partition)
        cluster.stop()
        shutil.rmtree(cluster.nodes[0].data)
        cluster.start()
        assert await _read(cluster.bootstrap, topic) == sent
    with pytest.raises(BrokerError, match="3 node"):
        Cluster(tmp_path, nodes=1).start()


async def test_a_password_is_asked_for_on_a_further_listener_and_rights_are_enforced(tmp_path: Path) -> None:
    cluster = Cluster(
        tmp_path,
        listeners={"GUARDED": "SASL_PLAINTEXT"},
        properties={
            "listener.name.guarded.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.guarded.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        },
        format_arguments=("--add-scram", "SCRAM-SHA-512=[name=alice,password=correct]"),
    )
    with cluster:
        topic = await _new_topic(cluster.bootstrap)
        with pytest.raises(KafkaError):
            await _send_as("alice", "wrong", cluster.address("GUARDED"), topic)
        with pytest.raises(KafkaError, match=r"(?i)authoriz"):
            await _send_as("alice", "correct", cluster.address("GUARDED"), topic)
        granted = tool(
            "org.apache.kafka.tools.AclCommand",
            *("--bootstrap-server", cluster.bootstrap, "--add", "--allow-principal", "User:alice"),
            *("--producer", "--topic", topic),
        )
        assert granted.returncode == 0, granted.stdout + granted.stderr
        await _send_as("alice", "correct", cluster.address("GUARDED"), topic)
        assert await _read(cluster.bootstrap, topic) == [b"alice was here"]


def test_a_setting_that_kafka_refuses_is_reported_in_kafkas_words_and_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    refused = Cluster(tmp_path, nodes=3, properties={"num.network.threads": "none"})
    with pytest.raises(BrokerError, match=r"num\.network\.threads"):
        refused.start()
    assert not refused.is_running()
    with Cluster(tmp_path) as cluster:
        assert len(cluster.nodes) == 1


def test_the_command_starts_shows_and_stops_a_broker_without_a_system_java_or_a_home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    # The jars that are here already may serve again; all else is as on a new machine.
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "JAVA"))}
    environment |= {"HOME": str(tmp_path / "home"), "PATH": "/nonexistent", "XDG_CACHE_HOME": cache}

    def onrecord(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.cli.main", "broker", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)

    assert onrecord("status").returncode == 3
    up = onrecord("up", "--port", "0")
    try:
        assert up.returncode == 0, up.stderr
        bootstrap = up.stdout.strip()
        status = onrecord("status")
        assert status.returncode == 0
        assert bootstrap in status.stdout
        assert str(tmp_path / "home") in status.stdout
        assert "Kafka Server started" in onrecord("logs", "-n", "5000").stdout
        again = onrecord("up", "--port", "0")
        assert (again.returncode, again.stdout.strip()) == (0, bootstrap)
        other = onrecord("up", "--port", "0", "--nodes", "3")
        assert other.returncode == 1
        assert other.stderr.count("\n") == 1
    finally:
        down = onrecord("down")
    assert down.returncode == 0, down.stderr
    assert onrecord("status").returncode == 3


def test_a_port_in_use_is_one_clear_line(kafka: Cluster, tmp_path: Path) -> None:
    port = kafka.nodes[0].port
    with pytest.raises(BrokerError, match=f"^port {port} is in use") as caught:
        Cluster(tmp_path, port=port).start()
    assert not caught.value.details


async def _new_topic(bootstrap: str, partitions: int = 1, replication_factor: int = 1) -> str:
    name = f"broker-{uuid4().hex}"
    async with administering(bootstrap) as admin:
        await admin.create_topics([NewTopic(name, partitions, replication_factor)])
    return name


async def _topics(bootstrap: str) -> list[str]:
    async with administering(bootstrap) as admin:
        return list(await admin.list_topics())


async def _read(bootstrap: str, topic: str, isolation_level: str = "read_uncommitted") -> list[bytes]:
    """Return all values that stand on a topic now, of one partition after the other."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level=isolation_level, max_partition_fetch_bytes=16 * 1024 * 1024
    )
    await consumer.start()
    try:
        values: list[bytes] = []
        for number in sorted(await _partitions(bootstrap, topic)):
            partition = TopicPartition(topic, number)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            while await consumer.position(partition) < end:
                batches = await consumer.getmany(timeout_ms=500)
                values += [record.value for batch in batches.values() for record in batch]
        return values
    finally:
        await consumer.stop()


async def _partitions(bootstrap: str, topic: str) -> list[int]:
    async with administering(bootstrap) as admin:
        (description,) = await admin.describe_topics([topic])
        return [partition["partition"] for partition in description["partitions"]]


async def _send_as(user: str, password: str, bootstrap: str, topic: str) -> None:
    security = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512"}
    async with _producer(bootstrap, **security, sasl_plain_username=user, sasl_plain_password=password) as producer:
        await producer.send_and_wait(topic, b"alice was here")


@asynccontextmanager
async def _producer(bootstrap: str, **settings: object) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **settings)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()
