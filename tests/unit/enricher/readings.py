"""Stand-ins for the reading, which do in a real child process what the message tells them to."""

import os
import signal
import time
from collections.abc import Sequence

from schemas import Reason
from services.enricher.messages import Facts, Failure, Message, Outgoing, Result
from services.enricher.settings import Settings


class Obedient:
    """Echoes a message, unless its value is an order to misbehave."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read = 0

    def read(self, batch: Sequence[Message]) -> list[Result]:
        return [self._one(message, len(batch)) for message in batch]

    def _one(self, message: Message, company: int) -> Result:
        self._read += 1
        match message.value:
            case b"abort":
                os.abort()
            case b"kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"abort in company" if company > 1:
                os.abort()
            case b"hang":
                while True:
                    time.sleep(3600)
            case b"stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case b"allocate":
                hoard = [bytearray(64 * 1024 * 1024) for _ in range(1024)]
                assert hoard
            case b"raise":
                raise ValueError("text of an article")
            case b"exit":
                os._exit(3)
            case b"refuse":
                return Result(failure=Failure(Reason.NOT_JSON, "refused", 1))
            case b"process":
                return _echo(str(os.getpid()).encode())
            case b"parent":
                return _echo(str(os.getppid()).encode())
            case b"company":
                return _echo(str(company).encode())
            case b"count":
                return _echo(str(self._read).encode())
            case b"environment":
                return _echo(os.environ["OPENBLAS_NUM_THREADS"].encode())
        return _echo(message.value)


def _echo(value: bytes | None) -> Result:
    facts = Facts(1, False, ("ORG",), (("direct", True, 0.9),), (("support", "demand", 0.4),))
    return Result(outputs=(Outgoing("echo", None, value, []),), facts=facts)


def missing(settings: Settings) -> Obedient:
    raise LookupError("no model\nof that name")


def dying(settings: Settings) -> Obedient:
    os.kill(os.getpid(), signal.SIGKILL)
    return Obedient(settings)


def slow(settings: Settings) -> Obedient:
    time.sleep(3600)
    return Obedient(settings)


def with_threads(settings: Settings) -> Obedient:
    import threading

    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    return Obedient(settings)
