"""The reading as the command runs it: in this process, or in one process a core."""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context

from schemas import EnrichedArticle, RawArticle
from services.cli.articles import Broken, parse
from services.cli.console import UserError, explained, one_line
from services.enricher.settings import SettingsError, load_settings
from services.extraction.models import ModelError
from services.extraction.pipeline import Pipeline

# Articles a process is given at once: the size at which batches are fastest (larger ones leave the cache).
_BATCH = 8
# Batches that wait for each process: enough that none idles while the oldest is still being read.
_BATCHES_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Recipe:
    """What articles are read with; small, so that it travels to other processes with every batch."""

    models: tuple[tuple[str, str], ...]
    extractors: tuple[str, ...]
    publish_text: bool

    @classmethod
    def from_environment(cls) -> "Recipe":
        """Return the recipe that a worker would use here; raises UserError naming the setting that is wrong."""
        with explained(SettingsError):
            settings = load_settings()
        return cls(tuple(settings.pipelines.items()), settings.extractors, settings.publish_text)

    def read(self, articles: Sequence[RawArticle]) -> list[EnrichedArticle]:
        """Return the readings of `articles`, in their order; raises UserError when a model cannot be used."""
        with explained(ModelError):
            pipeline = _pipeline(self)
        return pipeline.read(articles)


@lru_cache(maxsize=1)
def _pipeline(recipe: Recipe) -> Pipeline:
    return Pipeline(dict(recipe.models), recipe.extractors, recipe.publish_text)


def read_lines(lines: Iterable[bytes], name: str, recipe: Recipe) -> Iterator[bytes | Broken]:
    """Read raw-article JSON lines on all cores, and yield enriched JSON, or what is wrong, in the input's order.

    Only a few batches are in memory at any time. `name` is what the input is called in what is reported. Raises
    UserError when a model cannot be used or a reading process dies.
    """
    numbered = ((f"{name}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip())
    processes = _cores()
    waiting: deque[Future[list[bytes | Broken]]] = deque()
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        while batch := list(islice(numbered, _BATCH)):
            with _deaf_to_ctrl_c():
                waiting.append(pool.submit(_read_batch, recipe, batch))
            if len(waiting) >= processes * _BATCHES_AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise UserError("a reading process died (out of memory?); what was not printed has not been read") from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started meanwhile ignore Ctrl-C, which reaches them too: their parent ends them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read_batch(recipe: Recipe, batch: Sequence[tuple[str, bytes]]) -> list[bytes | Broken]:
    """Return the enriched JSON of each line, or what is wrong with it."""
    results: list[RawArticle | Broken] = [_parsed(origin, line) for origin, line in batch]
    articles = [result for result in results if isinstance(result, RawArticle)]
    try:
        readings = iter([reading.model_dump_json().encode() for reading in recipe.read(articles)])
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one article makes the reading do, the others are read
        if len(batch) > 1:
            return [result for one in batch for result in _read_batch(recipe, [one])]
        return [Broken(batch[0][0], f"cannot be read: {type(error).__name__}: {one_line(str(error))}")]
    return [result if isinstance(result, Broken) else next(readings) for result in results]


def _parsed(origin: str, line: bytes) -> RawArticle | Broken:
    try:
        return parse(line, origin)
    except UserError as error:
        return Broken(origin, str(error).removeprefix(f"{origin}: "))


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
