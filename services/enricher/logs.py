"""Logs as JSON lines on standard error; plain lines when that is a terminal. Never text of an article, never a secret.

A message's place is given as `extra=place(topic, partition, offset, trace_id)`.
"""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

# What these libraries say at INFO is for their own authors; at DEBUG aiokafka writes whole messages, and the password
# that the mechanism PLAIN sends. Hence they stay at WARNING whatever the level is.
NOISY = ("aiokafka", "faust", "kafka", "mode", "asyncio")


def place(topic: str, partition: int, offset: int, trace_id: str | None = None) -> dict[str, object]:
    """Return what a log line about one Kafka message carries beside its text."""
    fields: dict[str, object] = {"topic": topic, "partition": partition, "offset": offset}
    return fields | ({"trace_id": trace_id} if trace_id else {})


def setup(level: str) -> None:
    """Send all logs of this process from `level` on to standard error, those of noisy libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    else:
        # `timestamp` gives UTC with microseconds, which a format of logging's own cannot.
        renamed = {"levelname": "level", "name": "logger"}
        handler.setFormatter(
            JsonFormatter("%(levelname)s %(name)s %(message)s", timestamp="time", rename_fields=renamed)
        )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.captureWarnings(True)
