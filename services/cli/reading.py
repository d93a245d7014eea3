"""The reading as the command runs it: in this process, or in one process a core."""

import signal
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import cast

from schemas import EnrichedArticle, RawArticle
from services.cli.articles import Broken, parse
from services.cli.console import UserError, explained, one_line
from services.enricher.settings import SettingsError, load_settings
from services.extraction.models import ModelError
from services.extraction.pipeline import Pipeline
from services.extraction.thresholds import Thresholds

# Articles a process is given at once: the size at which batches are fastest (larger ones leave the cache).
_BATCH = 8
# Finished batches a process that may wait for a slower one before them, so that the order is kept.
_BATCHES_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Recipe:
    """What articles are read with; small, so that it travels to other processes with every batch."""

    models: tuple[tuple[str, str], ...]
    extractors: tuple[str, ...]
    publish_text: bool
    least: Thresholds
    processes: int

    @classmethod
    def from_environment(cls) -> "Recipe":
        """Return the recipe that a worker would use here; raises UserError naming the setting that is wrong."""
        with explained(SettingsError):
            settings = load_settings()
        models = tuple(settings.pipelines.items())
        return cls(models, settings.extractors, settings.publish_text, settings.thresholds, settings.children)

    def read(self, articles: Sequence[RawArticle]) -> list[EnrichedArticle]:
        """Return the readings of `articles`, in their order; raises UserError when a model cannot be used."""
        with explained(ModelError):
            pipeline = _pipeline(self)
        return pipeline.read(articles)


@lru_cache(maxsize=1)
def _pipeline(recipe: Recipe) -> Pipeline:
    return Pipeline(dict(recipe.models), recipe.extractors, recipe.publish_text, recipe.least)


def read_lines(lines: Iterable[bytes], name: str, recipe: Recipe) -> Generator[bytes | Broken, None, None]:
    """Read raw-article JSON lines in several processes, and yield enriched JSON, or what is wrong, in their order.

    Only a few batches are in memory at any time. `name` is what the input is called in what is reported. Raises
    UserError when a model cannot be used or a reading process dies. Closing the generator ends the processes.
    """
    numbered = ((f"{name}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip())
    batches = enumerate(iter(lambda: list(islice(numbered, _BATCH)), []))
    with _readers(recipe) as idle:
        most_finished = _BATCHES_AHEAD * len(idle)
        working: dict[Connection, int] = {}
        finished: dict[int, list[bytes | Broken]] = {}
        due = 0
        while True:
            # Only a reader that waits for work is given any: two that write to each other would wait for ever.
            while idle and len(finished) < most_finished and (batch := next(batches, None)):
                reader = idle.pop()
                working[reader], content = batch
                reader.send(content)
            if not working:
                return
            for reader in cast("list[Connection]", wait(working)):
                finished[working.pop(reader)] = _received(reader)
                idle.append(reader)
            while due in finished:
                yield from finished.pop(due)
                due += 1


@contextmanager
def _readers(recipe: Recipe) -> Iterator[list[Connection]]:
    """Yield a connection to each process that reads batches; end the processes in the end."""
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(recipe.processes)]
    processes = [context.Process(target=_serve, args=(recipe, theirs), daemon=True) for _, theirs in pipes]
    # Ctrl-C reaches the readers too, but it is for this process to end them: they are born deaf to it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for process in processes:
        process.start()
    signal.signal(signal.SIGINT, before)
    for _, theirs in pipes:
        theirs.close()
    try:
        yield [ours for ours, _ in pipes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _serve(recipe: Recipe, parent: Connection) -> None:
    """Answer batches until the parent closes the connection, or is no more."""
    with suppress(EOFError, ConnectionError):
        while batch := parent.recv():
            try:
                parent.send(_read_batch(recipe, batch))
            except UserError as error:
                parent.send(error)


def _received(reader: Connection) -> list[bytes | Broken]:
    try:
        answer = reader.recv()
    except (EOFError, ConnectionError):
        raise UserError("a reading process died (out of memory?); what was not printed has not been read") from None
    if isinstance(answer, UserError):
        raise answer
    return cast("list[bytes | Broken]", answer)


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
