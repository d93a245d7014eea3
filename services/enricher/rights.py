"""What the brokers' access control lists let this worker do, asked before it begins. docs/operations.md has the list.

The brokers tell it themselves (KIP-430): in the answer about topics for each topic, and by refusing the heartbeat of a
member that there is not. Hence nothing is read or written to find out.
"""

from collections.abc import Iterable

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest, MetadataResponse_v5
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from schemas.topics import CATALOGUE, RAW

READ, WRITE = 3, 4
"""Kafka's codes of the operations, and their bits in a set of operations."""

UNTOLD = -(2**31)
"""The set of operations of brokers that do not tell."""


class _Described(Response):
    """Metadata v8, as Kafka's protocol guide has it; aiokafka ends at v5."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        *zip(MetadataResponse_v5.SCHEMA.names[:-1], MetadataResponse_v5.SCHEMA.fields[:-1], strict=True),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _Describe(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _Described
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Topics(Request[_Describe]):
    API_KEY = 3

    def build(self, request_struct_class: type[_Describe]) -> _Describe:
        return request_struct_class([topic.name for topic in CATALOGUE], False, False, True)


async def missing_topics_and_rights(client: AIOKafkaClient, group: str) -> tuple[list[str], list[str]]:
    """Return the topics that are not there, and the rights that this worker lacks on topics and group.

    A right reads as in Kafka's own tools: "Write on topic x". Brokers before 2.3 only tell which topics they hide.
    """
    topics: list[str] = []
    rights: list[str] = []
    for code, name, operations in await _topics(client):
        needed, word = (READ, "Read") if name == RAW.name else (WRITE, "Write")
        if code == UnknownTopicOrPartitionError.errno:
            topics.append(name)
        elif code == TopicAuthorizationFailedError.errno or not (operations == UNTOLD or operations >> needed & 1):
            rights.append(f"{word} on topic {name}")
    if not await _may_join(client, group):
        rights.append(f"Read on group {group}")
    return topics, rights


async def _topics(client: AIOKafkaClient) -> Iterable[tuple[int, str, int]]:
    """Return error code, name and allowed operations of the catalogue's topics."""
    node = client.get_random_node()
    try:
        described = await client.send(node, _Topics())
    except (NotImplementedError, IncompatibleBrokerVersion):
        names = [topic.name for topic in CATALOGUE]
        found = await client.send(node, MetadataRequest(names, allow_auto_topic_creation=False))
        return [(code, name, UNTOLD) for code, name, *_ in found.topics]
    return [(code, name, operations) for code, name, _, _, operations in described.topics]


async def _may_join(client: AIOKafkaClient, group: str) -> bool:
    """Return whether the group's coordinator would take us: it looks at the right first, at the member second."""
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
    except GroupAuthorizationFailedError:
        return False
    answer = await client.send(node, HeartbeatRequest(group, -1, ""))
    return bool(answer.error_code != GroupAuthorizationFailedError.errno)
