"""Access control lists: the commands in docs/operations.md, and single rights that are taken and given back."""

import argparse
import asyncio
import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest_v1
from aiokafka.protocol.api import Request

from tests.chaos.harness import administering

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"

# Kafka's codes (org.apache.kafka.common.resource and .acl).
KINDS = {"topic": 2, "group": 3, "transactional_id": 5}
PATTERNS = {"literal": 3, "prefixed": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
ALLOW = 3


@dataclass(frozen=True)
class Right:
    """One user may do one thing with one resource, or with those whose names begin with `name`."""

    user: str
    operation: str
    kind: str
    name: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.kind.replace('_', ' ')} {self.name}"

    def codes(self) -> tuple[int, str, int, str, str, int, int]:
        """Return it as Kafka's requests have it: for every host, and allowed."""
        kind, pattern, operation = KINDS[self.kind], PATTERNS[self.pattern], OPERATIONS[self.operation]
        return kind, self.name, pattern, f"User:{self.user}", "*", operation, ALLOW


def commands() -> list[list[str]]:
    """Return the arguments of each kafka-acls.sh in the page, without those of the connection."""
    lines = re.findall(r"^kafka-acls\.sh \$ADMIN (.+)$", PAGE.read_text(), re.MULTILINE)
    return [shlex.split(line) for line in lines]


def rights(user: str) -> list[Right]:
    """Return what the page gives a user."""
    return [right for command in commands() for right in _rights(command) if right.user == user]


def _rights(command: list[str]) -> Iterator[Right]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    parser.add_argument("--resource-pattern-type", default="literal")
    for kind in KINDS:
        parser.add_argument(f"--{kind.replace('_', '-')}", action="append", default=[])
    found = parser.parse_args(command)
    user = found.allow_principal.removeprefix("User:")
    for operation, kind in itertools.product(found.operation, KINDS):
        for name in getattr(found, kind):
            yield Right(user, operation, kind, name, found.resource_pattern_type)


async def give(bootstrap: str, *rights: Right) -> None:
    """Add rights, and return when the broker acts on them."""
    async with administering(bootstrap) as admin:
        for right in rights:
            (created,) = (await admin._send_request(CreateAclsRequest(*right.codes()))).creation_responses
            assert created[0] == 0, created
        for right in rights:
            await _until(admin, right, there=True)


async def take(bootstrap: str, right: Right) -> None:
    """Take one right away, and return when the broker acts on it."""
    async with administering(bootstrap) as admin:
        ((code, _, removed),) = (await admin._send_request(DeleteAclsRequest(*right.codes()))).filter_responses
        assert code == 0
        assert len(removed) == 1, f"{right} was not there"
        await _until(admin, right, there=False)


class _Acls(Request[DescribeAclsRequest_v1]):
    """aiokafka's own prefers version 2, whose layout it does not know."""

    API_KEY = 29

    def __init__(self, right: Right) -> None:
        self._right = right

    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1:
        return request_struct_class(*self._right.codes())


async def _until(admin: AIOKafkaAdminClient, right: Right, *, there: bool) -> None:
    async with asyncio.timeout(20):
        while bool((await admin._send_request(_Acls(right))).resources) is not there:  # noqa: ASYNC110 (no event comes)
            await asyncio.sleep(0.05)
