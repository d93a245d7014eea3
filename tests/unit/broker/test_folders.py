"""Where the broker's files go."""

from pathlib import Path

import pytest

from services.broker.folders import cache_folder, state_folder


def test_the_xdg_variables_are_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert cache_folder() == tmp_path / "cache" / "onrecord"
    assert state_folder() == tmp_path / "state" / "onrecord" / "broker"


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_what_is_no_absolute_path_is_ignored(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("XDG_STATE_HOME", value)
    assert cache_folder() == tmp_path / ".cache" / "onrecord"
    assert state_folder() == tmp_path / ".local" / "state" / "onrecord" / "broker"
