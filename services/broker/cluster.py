"""The local broker as its users see it: one node, or three, started and stopped together."""

import base64
import shutil
import signal
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from services.broker.config import PLAIN, ClusterConfig, Ports, write_properties
from services.broker.errors import BrokerError
from services.broker.jvm import java_command, tool
from services.broker.node import Node
from services.broker.ports import free_ports, is_free
from services.broker.probe import is_ready

_START_SECONDS = 120
"""Three seconds on an idle laptop; three nodes on two busy cores have taken half a minute."""
_STOP_SECONDS = 20
"""A clean stop takes one. What is killed after this time loses nothing, but checks its files at the next start."""
_POLL_SECONDS = 0.1


class Cluster:
    """A cluster of Apache Kafka on the loopback interface, with all its files in one folder.

    As a context manager it is started on entry and stopped on exit; otherwise it goes on when this program ends,
    and another `Cluster` of the same folder finds it. Topics are kept from one start to the next.

    `nodes` (1 or 3) and `port` hold for the next start: node 1 listens on `port`, node 2 on the one after it, and
    so on; 0 means any free ones. `listeners` adds further listeners for clients, as name -> security protocol
    (SASL_SSL, SSL, ...), on free ports: see `address`. `properties` are further settings of Kafka's, for every
    node. `format_arguments` go to the tool that prepares an empty data folder, for example
    ("--add-scram", "SCRAM-SHA-512=[name=alice,password=secret]").
    """

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int = 1,
        port: int = 0,
        listeners: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        format_arguments: Sequence[str] = (),
    ) -> None:
        self.folder = folder.absolute()
        self.nodes = [Node(path) for path in sorted(self.folder.glob("node-*"))]
        """The nodes that the folder holds, running or not; node N stands at N - 1."""
        self._cluster_id_path = self.folder / "cluster-id"
        self._size = nodes
        self._port = port
        self._protocols = {PLAIN: PLAIN, **(listeners or {})}
        self._properties = dict(properties or {})
        self._format_arguments = tuple(format_arguments)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes, separated by commas, for clients without security."""
        return self.address(PLAIN)

    def address(self, listener: str) -> str:
        """Return the addresses of all nodes on one listener, separated by commas."""
        return ",".join(node.address(listener) for node in self.nodes)

    def is_running(self) -> bool:
        """Return whether any node's process is there."""
        return any(node.is_running() for node in self.nodes)

    def start(self, *, fresh: bool = False) -> None:
        """Start the nodes that do not run, and return when all of them are ready for clients.

        `fresh` stops what runs and deletes all topics first. Kafka's jars are downloaded if they are not here yet.
        Raises BrokerError, having stopped what it started, when there is no Java, no network for the first start,
        a port in use, or a node that ends or is not ready in time.
        """
        command = self._command()
        if fresh:
            self.stop()
            self._delete()
        if not self.is_running():
            self._prepare()
        stopped = [node for node in self.nodes if not node.is_running()]
        try:
            for node in stopped:
                node.start([*command, str(node.config_path)])
            for node in self.nodes:
                _wait_until_ready(node)
        except BaseException:
            _stop(stopped)
            raise

    def stop(self) -> None:
        """Stop all nodes; those that have not ended after 20 seconds are killed."""
        _stop(self.nodes)

    def start_node(self, number: int, *, wait: bool = True) -> None:
        """Start one node again, and return when it is ready; at once if told not to wait.

        A node alone of three is not ready before a second one runs.
        """
        node = self._node(number)
        node.start([*self._command(), str(node.config_path)])
        if wait:
            _wait_until_ready(node)

    def stop_node(self, number: int) -> None:
        """Stop one node in an orderly way: its partitions are handed over first."""
        _stop([self._node(number)])

    def kill_node(self, number: int) -> None:
        """End one node at once, as a crash would."""
        node = self._node(number)
        node.send(signal.SIGKILL)
        node.wait_until_ended(_STOP_SECONDS)

    def _node(self, number: int) -> Node:
        if not 1 <= number <= len(self.nodes):
            raise ValueError(f"there is no node {number} of {len(self.nodes)}")
        return self.nodes[number - 1]

    def _command(self) -> list[str]:
        heap_megabytes = 512 if self._size == 1 else 384
        return java_command("kafka.Kafka", heap_megabytes=heap_megabytes, log_level="info")

    def _prepare(self) -> None:
        """Write the settings of all nodes, and prepare the data folders of those that have none."""
        if not any(node.is_prepared() for node in self.nodes):
            self._delete()  # A first start failed: there are no topics to lose.
        if self.nodes and len(self.nodes) != self._size:
            raise BrokerError(
                f"{self.folder} holds the topics of a broker with {len(self.nodes)} node(s), not {self._size}: "
                "start that one, or begin anew with fresh"
            )
        config = ClusterConfig(self._choose_ports(), self._protocols, self._properties)
        self.nodes = [Node(self.folder / f"node-{number}") for number in range(1, self._size + 1)]
        for number, node in enumerate(self.nodes, start=1):
            node.folder.mkdir(parents=True, exist_ok=True)
            write_properties(node.config_path, config.properties(number, node.data))
        cluster_id = self._cluster_id()
        new = [node for node in self.nodes if not node.is_prepared()]
        with ThreadPoolExecutor(self._size) as threads:
            list(threads.map(lambda node: self._format(node, cluster_id), new))

    def _delete(self) -> None:
        for node in self.nodes:
            shutil.rmtree(node.folder)
        self.nodes = []
        self._cluster_id_path.unlink(missing_ok=True)

    def _cluster_id(self) -> str:
        """Return the id that all data folders bear: kept, so that one which was lost can be prepared again."""
        if not self._cluster_id_path.exists():
            chosen = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
            self._cluster_id_path.write_text(chosen, "ascii")
        return self._cluster_id_path.read_text("ascii")

    def _choose_ports(self) -> list[Ports]:
        plain = [self._port + offset for offset in range(self._size)] if self._port else free_ports(self._size)
        for port in plain:
            if not is_free(port):
                raise BrokerError(f"port {port} is in use by another program: choose another port, or 0 for any")
        names = [name for name in self._protocols if name != PLAIN]
        # As many again, since some of these may be the ones above, which nothing listens on yet.
        free = free_ports(self._size * (2 + len(names)))
        others = iter(port for port in free if port not in plain)
        return [Ports(next(others), {PLAIN: port, **{name: next(others) for name in names}}) for port in plain]

    def _format(self, node: Node, cluster_id: str) -> None:
        # As one word: an id may begin with a hyphen.
        arguments = ("format", f"--cluster-id={cluster_id}", "--config", node.config_path)
        result = tool("kafka.tools.StorageTool", *arguments, *self._format_arguments)
        if result.returncode != 0:
            raise BrokerError(f"Kafka cannot prepare {node.data}", result.stdout + result.stderr)


def _wait_until_ready(node: Node) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_ready(node.port):
        if not node.is_running():
            raise BrokerError(f"the broker ended at its start: see {node.log_path}", node.log_tail())
        if time.monotonic() > deadline:
            message = f"the broker is not ready after {_START_SECONDS} seconds: see {node.log_path}"
            raise BrokerError(message, node.log_tail())
        time.sleep(_POLL_SECONDS)


def _stop(nodes: Sequence[Node]) -> None:
    """Stop nodes together, since a node alone waits in vain for another to take its partitions."""
    for node in nodes:
        node.send(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    for node in nodes:
        if not node.wait_until_ended(max(0, deadline - time.monotonic())):
            node.send(signal.SIGKILL)
            node.wait_until_ended(_STOP_SECONDS)
