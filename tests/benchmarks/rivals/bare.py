"""Our own reading over the same articles, a process a core and no Kafka: `bare FILE PROCESSES`.

FILE holds a raw message a line. Prints what it took as JSON, from when the models are loaded.
"""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from services.extraction.threads import ONE_THREAD

os.environ |= ONE_THREAD

from services.enricher.messages import Message
from services.enricher.reading import Reader
from services.enricher.settings import load_settings

BATCH = 8


def _read(values: list[bytes]) -> tuple[int, float]:
    for first in range(0, len(values), BATCH):
        results = reader.read([Message(value, ()) for value in values[first : first + BATCH]])
        assert all(result.failure is None for result in results)
    return len(values), time.process_time()


if __name__ == "__main__":
    path, processes = Path(sys.argv[1]), int(sys.argv[2])
    messages = path.read_bytes().splitlines()
    reader = Reader(load_settings())
    started = time.monotonic()
    with multiprocessing.get_context("fork").Pool(processes) as pool:  # the children share what was loaded
        taken = pool.map(_read, [messages[number::processes] for number in range(processes)], chunksize=1)
    seconds, cpu_seconds = time.monotonic() - started, sum(each for _, each in taken)
    sys.stdout.write(json.dumps({"articles": len(messages), "seconds": seconds, "cpu_seconds": cpu_seconds}) + "\n")
