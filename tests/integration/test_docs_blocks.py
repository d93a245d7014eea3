"""No block of code in the pages goes untried: each is run, or read by the program that it is for.

Settings are loaded, commands are parsed by their own programs with nothing done, events are held against their schemas.
What a broker is needed for is run by test_docs_events.py and test_security.py. A block of a kind that nothing here
knows fails.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from typer.main import get_command

from schemas import DeadLetterHeaders, topics
from schemas.export import asyncapi, json_schemas
from services.cli.main import app
from services.enricher.settings import KAFKA_PREFIX, PREFIX, KafkaSettings, Settings, load_settings
from tests.containers.engine import compose_command
from tests.integration import acls
from tests.integration.docs import ROOT, Block, Command, blocks, commands
from tests.integration.test_docs_events import TOOLS
from tests.unit.deploy import chart

PICTURES = {"README.md": 1}
"""How many blocks of a page are drawings, in the language `text`."""
FILES = {"python": "archive.py", "java": "Quotes.java"}
"""The programs that test_docs_events.py runs, by language."""
SCORER = "evaluate.py"
"""It lies beside the annotated texts, which are their publishers' and not part of the repository."""
OURS = re.compile(r"(?:deploy|docs|schemas|services|tests|training)/[\w./-]+")


def onrecord(words: tuple[str, ...]) -> None:
    """Parsed by the command's own parser, which then has nothing to do."""
    command = get_command(app)
    _silence(command)
    command.main(list(words[1:]), prog_name="onrecord", standalone_mode=False)


def _silence(command: click.Command) -> None:
    command.callback = lambda **_: None
    for each in getattr(command, "commands", {}).values():
        _silence(each)


def make(words: tuple[str, ...]) -> None:
    run("make", "--dry-run", *words[1:])
    variables = [word.partition("=")[0] for word in words if "=" in word]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"$({variable}" in makefile or f"{variable} ?=" in makefile for variable in variables)


def docker(words: tuple[str, ...]) -> None:
    assert words[1] == "compose", "only docker compose is known here"
    run(*compose_command(), *words[2:], "--help")


def helm(words: tuple[str, ...]) -> None:
    """A flag that it does not know is refused before help is given."""
    run(chart.tool("helm"), *words[1:], "--help")


def kubectl(words: tuple[str, ...]) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl (Debian package kubernetes-client) is not installed")
    run("kubectl", *words[1:], "--help")


def python(words: tuple[str, ...]) -> None:
    if words[1] == "-m" and words[2] == "pytest":
        pytest_(words[2:])
    elif words[1] == "-m":
        assert importlib.util.find_spec(words[2]), f"there is no module {words[2]}"
    else:
        assert Path(words[1]).name in {SCORER, FILES["python"]}


def pytest_(words: tuple[str, ...]) -> None:
    run(sys.executable, "-m", "pytest", "--collect-only", "--quiet", *words[1:])


def kafka_acls(words: tuple[str, ...]) -> None:
    """Run by test_security.py, which takes all that operations.md has."""
    assert list(words[2:]) in acls.commands()


def elsewhere(words: tuple[str, ...]) -> None:
    """Run by test_docs_events.py, which takes what the pages have by these names."""


def java(words: tuple[str, ...]) -> None:
    assert words[-1] == FILES["java"]


CHECKS: dict[str, Callable[[tuple[str, ...]], None]] = {
    "onrecord": onrecord,
    "make": make,
    "docker": docker,
    "helm": helm,
    "kubectl": kubectl,
    "python": python,
    "python3": python,
    "pytest": pytest_,
    "java": java,
    "kcat": elsewhere,
    "kafka-acls.sh": kafka_acls,
    **dict.fromkeys(TOOLS, elsewhere),
}


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", commands(), ids=str)
def test_a_command_is_one_that_its_program_understands(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {f"{KAFKA_PREFIX}{name.upper()}" for name in KafkaSettings.model_fields}
    known |= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert {name for name, _ in command.variables if name.startswith(PREFIX)} <= known
    for path in OURS.findall(command.line):
        assert (ROOT / path).exists(), f"there is no {path}"
    monkeypatch.chdir(ROOT)
    for words in command.programs:
        CHECKS[Path(words[0]).name](words)


@pytest.mark.parametrize("page", sorted({command.block.page for command in commands()}))
def test_the_settings_of_a_page_go_together(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that sets variables makes settings which the worker takes."""
    for block in {command.block for command in commands() if command.block.page == page}:
        with monkeypatch.context() as here:
            for name in [name for name in os.environ if name.startswith(PREFIX)]:
                here.delenv(name)
            for command in commands():
                if command.block == block:
                    for name, value in command.variables:
                        here.setenv(name, value)
            load_settings()


@pytest.mark.parametrize("block", [block for block in blocks() if block.language == "json"], ids=str)
def test_an_event_is_valid(block: Block) -> None:
    event = json.loads(block.text)
    schema = _schema(block.name)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(event)
    if block.name == topics.DEAD_LETTERS.name:
        DeadLetterHeaders.from_kafka([(name, text.encode()) for name, text in event["headers"].items()])


def _schema(name: str) -> dict[str, Any]:
    """Return the schema of what a block shows: an event, its headers, or a dead letter as the command prints it."""
    topic, _, part = name.partition(" ")
    [message] = [each for each in asyncapi()["components"]["messages"].values() if each["name"] == topic]
    if part == "headers":
        return dict(message["headers"])
    if topic == topics.DEAD_LETTERS.name:
        return {"type": "object", "required": ["key", "value"], "properties": {"headers": message["headers"]}}
    return json_schemas()[topic]


def test_every_topic_has_an_example() -> None:
    shown = {block.name for block in blocks() if block.language == "json" and block.page == "docs/events.md"}
    assert {topic.name for topic in topics.CATALOGUE} <= shown


@pytest.mark.parametrize("block", [block for block in blocks() if block.language == "yaml"], ids=str)
def test_helm_takes_the_values(block: Block) -> None:
    assert block.name == "values.yaml"
    assert chart.render(yaml.safe_load(block.text))


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    tried = {"sh", "json", "yaml"}
    for block in blocks():
        assert block.language in {*tried, *FILES, "text"}, f"{block} is {block.language}"
        assert block.name == FILES.get(block.language, block.name), f"nothing runs {block}"
    pictures = [block.page for block in blocks() if block.language == "text"]
    assert {page: pictures.count(page) for page in pictures} == PICTURES
    for command in commands():
        for words in command.programs:
            assert Path(words[0]).name in CHECKS, f"{command.block}: nothing tries {words[0]}"
