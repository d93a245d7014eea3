"""Pauses between tries of what a broker refused: exponential, with jitter, and not for ever."""

import asyncio
import random
import time

from services.enricher.settings import Settings


class GaveUpError(Exception):
    """Brokers were away, or refused, for longer than ONRECORD_RETRY_DEADLINE_SECONDS."""


class Backoff:
    """The pauses of one operation, from its first failure to its success or the deadline."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._next_seconds = settings.retry_first_seconds
        self._failed_first: float | None = None

    async def pause(self, error: BaseException) -> None:
        """Wait before the next try; raises GaveUpError from `error` when the deadline is over.

        Each pause is between half of its nominal length and all of it, so that workers do not come back in step.
        """
        now = time.monotonic()
        if self._failed_first is None:
            self._failed_first = now
        if now - self._failed_first >= self._settings.retry_deadline_seconds:
            raise GaveUpError(
                f"gave up after {now - self._failed_first:.0f} s (ONRECORD_RETRY_DEADLINE_SECONDS): {describe(error)}"
            ) from error
        await asyncio.sleep(self._next_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        self._next_seconds = min(2 * self._next_seconds, self._settings.retry_most_seconds)


def describe(error: BaseException) -> str:
    """Return one line for an error: its type, unless it says that itself, and what it says if anything."""
    name, text = type(error).__name__, " ".join(str(error).split())
    if name in text:  # aiokafka's
        return text
    return f"{name}: {text}" if text else name
