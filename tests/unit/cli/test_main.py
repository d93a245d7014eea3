"""The command as a shell meets it: help, pipes, Ctrl-C, and mistakes of its user."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app, run

ONRECORD = [sys.executable, "-m", "services.cli.main"]
COMMANDS = ("extract", "produce", "tail", "worker", "demo", "topics", "dlq", "schemas", "broker")
SUBCOMMANDS = (
    "topics create", "topics list", "topics describe", "dlq list", "dlq show", "dlq replay", "schemas export",
    "schemas check", "broker up", "broker down", "broker status", "broker logs",
)  # fmt: skip
# Nothing listens here: port 1 is reserved.
NO_BROKER = {"ONRECORD_KAFKA_BOOTSTRAP": "127.0.0.1:1"}


def onrecord(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ONRECORD, *arguments], input=stdin, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_help_lists_every_command_and_loads_no_heavy_library() -> None:
    seen = "import sys; print(*sys.modules, file=sys.stderr)"
    program = f"import atexit, sys; from services.cli.main import run\natexit.register(lambda: exec({seen!r}))\nrun()"
    done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True)
    for command in COMMANDS:
        assert re.search(rf"^\W+{command} ", done.stdout, re.MULTILINE), command
    loaded = set(done.stderr.split())
    assert "typer" in loaded
    assert not loaded & {"spacy", "aiokafka", "faust", "pydantic"}


@pytest.mark.parametrize("command", [*COMMANDS[:5], *SUBCOMMANDS])
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "100"})
    assert done.exit_code == 0
    assert re.search(rf"Examples?:.*onrecord {command}", done.stdout, re.DOTALL)
    assert "\x1b" not in done.stdout


def test_version() -> None:
    assert re.fullmatch(r"onrecord \d+\.\d+\.\d+\S*\n", onrecord("--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["tail"], NO_BROKER, "no Kafka broker answers at 127.0.0.1:1"),
        (["topics", "list"], NO_BROKER, "no Kafka broker answers at 127.0.0.1:1"),
        (["produce", "-"], NO_BROKER, "no Kafka broker answers at 127.0.0.1:1"),
        (["dlq", "list"], NO_BROKER, "no Kafka broker answers at 127.0.0.1:1"),
        (["tail"], {"ONRECORD_KAFKA_BOOTSTRAP": "nonsense"}, "ONRECORD_KAFKA_BOOTSTRAP"),
        (["worker"], {"ONRECORD_CHILDREN": "none"}, "ONRECORD_CHILDREN"),
        (["extract", "no/such/file"], {}, "cannot read no/such/file: No such file or directory"),
        (["extract", "."], {}, "cannot read .: Is a directory"),
        (["extract", "-"], {}, "stdin: is empty"),
        (["extract", "--json", "--jsonl", "-"], {}, "exclude each other"),
        (["topics", "describe", "misspelt"], {}, "no topic misspelt"),
        (["dlq", "show", "7"], {}, "PARTITION:OFFSET"),
        (["dlq", "list", "--since", "yesterday"], {}, "yesterday is neither"),
        (["dlq", "list", "--reason", "bad_luck"], {}, "there is no reason bad_luck"),
        (["schemas", "export", "/dev/null/there"], {}, "cannot write to /dev/null/there"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_status_1(
    arguments: list[str],
    environment: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest's own handlers stay
    with pytest.raises(SystemExit) as end:
        run(arguments)
    assert end.value.code == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.startswith("onrecord: ")
    assert len(captured.err.splitlines()) == 1


def test_schemas_are_exported_and_compared(tmp_path: Path) -> None:
    assert onrecord("schemas", "check").returncode == 0
    written = onrecord("schemas", "export", str(tmp_path)).stdout.splitlines()
    assert {Path(line) for line in written} == {path for path in tmp_path.rglob("*") if path.is_file()}
    assert onrecord("schemas", "check", str(tmp_path)).returncode == 0
    Path(written[0]).unlink()
    checked = onrecord("schemas", "check", str(tmp_path))
    assert checked.returncode == 1
    assert Path(written[0]).name in checked.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_at_once_and_without_a_word_though_stdin_stays_open(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    fifo = tmp_path / "stdin"
    os.mkfifo(fifo)
    with subprocess.Popen(
        [*ONRECORD, "extract", str(fifo)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell that starts a command in the background makes it deaf to Ctrl-C; this is one in the foreground.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    ) as process, fifo.open("wb") as writer:  # fmt: skip
        writer.write(b"An article that")
        writer.flush()
        time.sleep(0.2)  # it has opened the file, and waits for the rest of it
        process.send_signal(number)
        out, said = process.communicate(timeout=20)
    assert process.returncode == status
    assert (out, said) == ("", "")


def test_a_reader_that_goes_away_ends_it_without_a_traceback() -> None:
    with subprocess.Popen([*ONRECORD, "schemas", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
