"""The settings of one node: server.properties, written and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.broker.ports import LOOPBACK

PLAIN = "PLAINTEXT"
"""The listener for clients without security, which the brokers use among themselves and the probe knocks at."""
CONTROLLER = "CONTROLLER"

_LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024
"""Above any article that the service takes, so that its own limit is what an oversized one meets."""


@dataclass(frozen=True)
class Ports:
    """The ports of one node: by listener name for clients, and the controller's."""

    controller: int
    listeners: Mapping[str, int]


@dataclass(frozen=True)
class ClusterConfig:
    """What the nodes of one cluster have in common.

    `protocols` names the security protocol of each listener for clients; `extra` holds further settings of
    Kafka's, which win over the ones here.
    """

    ports: list[Ports]
    protocols: Mapping[str, str] = field(default_factory=lambda: {PLAIN: PLAIN})
    extra: Mapping[str, str] = field(default_factory=dict)

    def bootstrap(self, listener: str = PLAIN) -> str:
        """Return the addresses of all nodes on one listener, as Kafka clients take them."""
        return ",".join(f"{LOOPBACK}:{ports.listeners[listener]}" for ports in self.ports)

    def properties(self, node: int, data: Path) -> dict[str, str]:
        """Return the settings of one node, counted from 1, that keeps its topics in the folder `data`."""
        own = self.ports[node - 1]
        voters = ",".join(f"{number}@{LOOPBACK}:{ports.controller}" for number, ports in enumerate(self.ports, start=1))
        clients = ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in own.listeners.items())
        protocols = {CONTROLLER: PLAIN, **self.protocols}
        return {
            "process.roles": "broker,controller",
            "node.id": str(node),
            "controller.quorum.voters": voters,
            "controller.listener.names": CONTROLLER,
            "listeners": f"{clients},{CONTROLLER}://{LOOPBACK}:{own.controller}",
            "advertised.listeners": clients,
            "listener.security.protocol.map": ",".join(f"{name}:{protocols[name]}" for name in protocols),
            "inter.broker.listener.name": PLAIN,
            "log.dirs": str(data),
            **_replication(len(self.ports)),
            **_LAPTOP,
            **self.extra,
        }


def _replication(nodes: int) -> dict[str, str]:
    """Three copies of which two must be written, so that one node of three may fall; one copy on one node."""
    factor = str(min(nodes, 3))
    in_sync = str(max(1, min(nodes, 3) - 1))
    return {
        "default.replication.factor": factor,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": factor,
        "transaction.state.log.replication.factor": factor,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": factor,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


_LAPTOP = {
    # A misspelt topic is an error here as it is in production.
    "auto.create.topics.enable": "false",
    # One consumer after the other joins in tests; waiting 3 seconds for more helps nobody.
    "group.initial.rebalance.delay.ms": "0",
    # 50 partitions each by default: 100 more files to open at every start.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "message.max.bytes": str(_LARGEST_MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(_LARGEST_MESSAGE_BYTES),
    # A node that died is noticed after 4 seconds instead of 9, and leaves the in-sync replicas after 6
    # instead of 30.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "1000",
    "replica.lag.time.max.ms": "6000",
}


def write_properties(path: Path, properties: Mapping[str, str]) -> None:
    """Write a Java properties file. A line break in a value would begin another setting: ValueError."""
    for name, value in properties.items():
        if "\n" in name or "\n" in value or "\r" in value:
            raise ValueError(f"the broker setting {name} contains a line break")
    # A backslash is Java's escape character.
    lines = (f"{name}={value}\n".replace("\\", "\\\\") for name, value in properties.items())
    path.write_text("".join(lines), "utf-8")


def read_properties(path: Path) -> dict[str, str]:
    """Return what `write_properties` wrote."""
    lines = path.read_text("utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines)
    return {name: value.replace("\\\\", "\\") for name, value in pairs}
