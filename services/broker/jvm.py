"""How a class of Kafka's jars is run."""

import os
import subprocess
from pathlib import Path

from services.broker.jars import fetch_jars
from services.broker.java import find_java

_FLAGS = (
    # A laptop's broker is started more often than it is loaded: the simplest collector and the first compiler
    # alone start it sooner, and leave more of the processors to what is being tried on it.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
)
_LOG_FLAGS = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
)


def java_command(
    main_class: str,
    *arguments: str | Path,
    heap_megabytes: int = 256,
    log_level: str = "warn",
) -> list[str]:
    """Return the command line that runs a class of Kafka's jars, which are downloaded first if need be.

    `log_level` is one of slf4j's (error, warn, info, debug); the log goes to stderr.
    Raises BrokerError when there is no Java or the jars cannot be had.
    """
    java = find_java()
    class_path = os.pathsep.join(str(jar) for jar in fetch_jars())
    return [
        str(java.path),
        f"-Xmx{heap_megabytes}m",
        *_FLAGS,
        *_LOG_FLAGS,
        f"-Dorg.slf4j.simpleLogger.defaultLogLevel={log_level}",
        "-cp",
        class_path,
        main_class,
        *(str(argument) for argument in arguments),
    ]


def tool(
    main_class: str, *arguments: str | Path, stdin: str | None = None, timeout_seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run one of Kafka's own command-line tools and return its exit status, stdout and stderr.

    For example `tool("kafka.admin.ConfigCommand", "--bootstrap-server", address, "--describe", ...)`. Raises
    BrokerError as `java_command` does, and subprocess.TimeoutExpired.
    """
    return subprocess.run(  # noqa: S603 -- a list, and no shell
        java_command(main_class, *arguments),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
