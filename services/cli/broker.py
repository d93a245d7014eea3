"""`onrecord broker`: a real Apache Kafka on this machine, for trying things out; not for production."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import UserError, err, note, one_line, progress, show, table

if TYPE_CHECKING:
    from services.broker import Cluster

app = typer.Typer(
    help="Start and stop a local Apache Kafka: no Docker, no Java and no Maven needed.", no_args_is_help=True
)

_NOT_RUNNING = 3
"""The exit status that service scripts use for this (Linux Standard Base)."""
_FOLLOW_SECONDS = 0.2


class Nodes(StrEnum):
    """How many brokers: one, or as many as it takes for one to fall without harm."""

    ONE = "1"
    THREE = "3"


@app.command()
def up(
    port: Annotated[
        int, typer.Option(min=0, max=65_533, help="Of node 1; nodes 2 and 3 have the next ones. 0: any that are free.")
    ] = 9092,
    nodes: Annotated[Nodes, typer.Option(help="One broker, or a cluster of three.")] = Nodes.ONE,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew: stop what runs and delete all topics.")] = False,
) -> None:
    """Start the broker, and return when it is ready. Topics are kept from one start to the next.

    It listens on the loopback interface alone. The first start downloads Kafka (54 MB).

    **Examples:**

        onrecord broker up
        onrecord broker up --nodes 3 --port 19092 --fresh
    """
    from services.broker import Cluster
    from services.broker.folders import state_folder

    cluster = Cluster(state_folder(), nodes=int(nodes), port=port)
    if not fresh and cluster.is_running():
        _refuse_another(cluster, int(nodes), port)
    start(cluster, fresh=fresh)
    show(cluster.bootstrap)


@app.command()
def down() -> None:
    """Stop the broker. Its topics are kept.

    **Example:**

        onrecord broker down
    """
    cluster = _cluster()
    if not cluster.is_running():
        note("the broker is not running")
        return
    with err.status("stopping Apache Kafka"):
        cluster.stop()


@app.command()
def status() -> None:
    """Tell whether the broker runs, where, and where it keeps its data. The exit status is 3 when it does not run.

    **Example:**

        onrecord broker status
    """
    cluster = _cluster()
    if not cluster.is_running():
        show("not running")
        raise typer.Exit(_NOT_RUNNING)
    show(f"bootstrap: {cluster.bootstrap}")
    show(f"data: {cluster.folder}")
    rows = [(node.folder.name, node.address("PLAINTEXT"), node.pid or "not running") for node in cluster.nodes]
    table(("node", "address", "pid"), rows)


@app.command()
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    node: Annotated[int, typer.Option(min=1, max=3, help="Of which node.")] = 1,
) -> None:
    """Show the broker's log.

    **Examples:**

        onrecord broker logs -n 100
        onrecord broker logs -f
    """
    found = _cluster().nodes
    if len(found) < node or not found[node - 1].log_path.exists():
        raise UserError(f"node {node} has no log: it was never started")
    path = found[node - 1].log_path
    for line in found[node - 1].log_tail(lines).splitlines():
        show(one_line(line))
    if follow:
        for line in _added(path):
            show(one_line(line))


def start(cluster: "Cluster", *, fresh: bool = False) -> None:
    """Start a cluster, showing on a terminal how far the download and the start have come.

    Raises UserError when it cannot be started; what Kafka or the network said has been shown then.
    """
    with _told():
        from services.broker.jars import download, missing_jars

        if missing := missing_jars():
            note("downloading Apache Kafka, this once")
            with progress("downloading", total=len(missing)) as advance:
                download(missing, advance)
        with err.status("starting Apache Kafka"):
            cluster.start(fresh=fresh)


def _cluster() -> "Cluster":
    from services.broker import Cluster
    from services.broker.folders import state_folder

    return Cluster(state_folder())


def _refuse_another(cluster: "Cluster", nodes: int, port: int) -> None:
    """Raise UserError when the broker that runs is not the one that is asked for."""
    running = cluster.nodes
    if len(running) != nodes or port not in (0, running[0].port):
        raise UserError(
            f"a broker with {len(running)} node(s) runs already on {cluster.bootstrap}: `onrecord broker down` first"
        )


@contextmanager
def _told() -> Iterator[None]:
    from services.broker import BrokerError

    try:
        yield
    except BrokerError as error:
        for line in error.details.splitlines():
            note(one_line(line))
        raise UserError(error.message) from None


def _added(path: Path) -> Iterator[str]:
    """Yield the lines that are added to a file from now on, without end."""
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        line = ""
        while True:
            line += file.readline()
            if line.endswith("\n"):
                yield line
                line = ""
            else:
                time.sleep(_FOLLOW_SECONDS)
