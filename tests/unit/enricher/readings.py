"""Stand-ins for the reading, which do in a real child process what the message tells them to."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from schemas import Reason
from services.enricher.messages import Facts, Failure, Message, Outgoing, Result
from services.enricher.settings import Settings
from services.extraction.steps import Step, Stopwatch

MEBIBYTE = 1024 * 1024


class Obedient:
    """Echoes a message, unless its value is an order."""

    def __init__(self, settings: Settings) -> None:
        self._read = 0
        self._hoard: list[bytearray] = []
        self._orders: dict[bytes, Callable[[int], bytes | None]] = {
            b"abort": lambda _: os.abort(),
            b"kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
            b"abort in company": lambda company: os.abort() if company > 1 else None,
            b"hang": lambda _: _hang(),
            b"stop": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
            b"allocate": lambda _: self._hoard.extend(bytearray(64 * MEBIBYTE) for _ in range(1024)),
            b"raise": lambda _: _fail(),
            b"exit": lambda _: os._exit(3),
            b"process": lambda _: str(os.getpid()).encode(),
            b"nursery": lambda _: str(os.getppid()).encode(),
            b"company": lambda company: str(company).encode(),
            b"count": lambda _: str(self._read).encode(),
            b"environment": lambda _: os.environ["OPENBLAS_NUM_THREADS"].encode(),
        }

    @property
    def identity(self) -> dict[str, str]:
        return {"pipelines": "none", "extractors": "", "reader": "", "matrices": ""}

    def read(self, batch: Sequence[Message]) -> list[Result]:
        return [self._one(message, len(batch)) for message in batch]

    def _one(self, message: Message, company: int) -> Result:
        self._read += 1
        watch = Stopwatch()
        if message.value == b"refuse":
            return Result(failure=Failure(Reason.NOT_JSON, "refused", attempts=1))
        order = self._orders.get(message.value or b"")
        answer = (order and order(company)) or message.value
        watch.lap(Step.SYNTAX)
        quotes, positions = (("direct", True, 0.9),), (("support", "demand", 0.4),)
        facts = Facts(1, 1, False, ("ORG",), quotes, positions, tuple(watch.timings))
        return Result(outputs=(Outgoing("echo", None, answer, message.headers),), facts=facts)


def _hang() -> NoReturn:
    while True:
        time.sleep(3600)


def _fail() -> NoReturn:
    raise ValueError("text of an article")


def missing(settings: Settings) -> Obedient:
    raise LookupError("no model\nof that name")


def dying(settings: Settings) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    _hang()


def slow(settings: Settings) -> NoReturn:
    _hang()


def with_threads(settings: Settings) -> Obedient:
    threading.Thread(target=_hang, daemon=True).start()
    return Obedient(settings)
