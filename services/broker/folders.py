"""Where the broker keeps its files, by the XDG Base Directory Specification."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for what can be downloaded again: the jars."""
    return _base("XDG_CACHE_HOME", ".cache") / "onrecord"


def state_folder() -> Path:
    """Return the folder for what the broker keeps between starts: topics, logs, process ids."""
    return _base("XDG_STATE_HOME", ".local/state") / "onrecord" / "broker"


def _base(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    # The specification says to ignore a relative path, and to treat an empty one as unset.
    return Path(value) if Path(value).is_absolute() else Path.home() / fallback
