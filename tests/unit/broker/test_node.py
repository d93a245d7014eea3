"""Whether a node's process is found again, and only its own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.broker.errors import BrokerError
from services.broker.node import Node

LONG = ["/bin/sh", "-c", "echo begun; exec sleep 300"]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    started = Node(tmp_path)
    yield started
    started.send(signal.SIGKILL)
    started.wait_until_ended(10)


def test_a_node_that_was_never_started_does_not_run(node: Node) -> None:
    assert not node.is_running()
    assert node.pid is None
    assert node.log_tail() == ""


def test_a_running_node_is_found_by_another_program_and_not_started_twice(node: Node) -> None:
    node.start(LONG)
    other = Node(node.folder)
    assert other.pid == node.pid
    with pytest.raises(BrokerError, match="running already"):
        other.start(LONG)
    assert other.pid == node.pid


def test_a_pid_file_is_stale_when_its_process_crashed_even_if_the_pid_lives_on_as_another(node: Node) -> None:
    node.start(LONG)
    node.send(signal.SIGKILL)
    assert node.wait_until_ended(10)
    # The pid has meanwhile been given to another program: this one.
    (node.folder / "pid").write_text(str(os.getpid()))
    assert not node.is_running()
    node.send(signal.SIGKILL)  # would end the tests
    node.start(LONG)
    assert node.pid not in (None, os.getpid())


def test_a_node_that_does_not_end_in_time_is_reported(node: Node) -> None:
    node.start(LONG)
    assert not node.wait_until_ended(0)
    node.send(signal.SIGTERM)
    assert node.wait_until_ended(10)


def test_the_log_keeps_what_former_runs_said(node: Node) -> None:
    for _ in range(2):
        node.start(["/bin/sh", "-c", "echo one; echo two >&2"])
        assert node.wait_until_ended(10)
    assert node.log_tail(3) == "two\none\ntwo"
    assert node.log_tail(0) == ""
