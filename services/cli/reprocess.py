"""`onrecord reprocess`: raw articles read again into the same topics."""

import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import UserError, err, explained, note, progress

if TYPE_CHECKING:
    from services.enricher.backfill import Backfill, Point, Progress

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OFFSET = re.compile(r"(\d{1,9}):(\d{1,18})")
# Between two lines about the progress where no bar can be drawn.
_LINE_SECONDS = 10.0

Offsets = Annotated[
    list[str] | None, typer.Option(metavar="P:N", help="Of partition P this offset; several with commas, or again.")
]


def reprocess(
    *,
    from_time: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin with this time or age: ISO 8601, 30m, 12h, 7d.")
    ] = None,
    from_offset: Offsets = None,
    until_time: Annotated[
        str | None, typer.Option(metavar="TIME", help="End before this time or age; by default with the last article.")
    ] = None,
    until_offset: Offsets = None,
    models: Annotated[
        str | None, typer.Option(help="Read with these, as en=package,de=package, and not with ONRECORD_MODELS.")
    ] = None,
    rate: Annotated[int | None, typer.Option(min=1, help="Articles a second at most, in this process.")] = None,
    name: Annotated[str | None, typer.Option(help="A name for it; by default the time.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="NAME", help="Go on with one that was begun.")] = None,
) -> None:
    """Read raw articles again, and publish what they say once more into the same topics.

    The same reading has the same ids as before; a new one says in its provenance which models made it. The live
    workers go on undisturbed. Stopped (Ctrl-C), killed or cut off, it goes on with --resume where it was; the exit
    status is 1 until all is done. With --resume in several places at once they share the work. Partitions that
    --from-offset does not name are left out.

    **Examples:**

        onrecord reprocess --from-time 7d --rate 20
        onrecord reprocess --from-offset 0:1200 --from-offset 3:900 --until-time 2026-03-01 --models en=en_core_web_md
        onrecord reprocess --resume 20260301-101500
    """
    from services.cli import kafka
    from services.enricher import backfill as backfills
    from services.enricher.app import run_worker
    from services.enricher.settings import SettingsError, load_settings

    start, until = _point(from_time, from_offset, "from"), _point(until_time, until_offset, "until")
    if resume is not None and (start, until, models, name) != (None, None, None, None):
        raise UserError("--resume goes on with what was begun: only --rate goes with it")
    if resume is None and start is None:
        raise UserError("say where to begin: --from-time, --from-offset, or --resume")
    for given in (resume, name):
        if given is not None and not _NAME.fullmatch(given):
            raise UserError(f"{given} is no name: letters, digits, dots, dashes and underscores, 64 at most")
    with explained(SettingsError, backfills.BackfillError):
        settings = load_settings(**({} if models is None else {"models": models}))
        if resume is not None:
            make = partial(backfills.resume, settings, resume, rate)
        else:
            make = partial(backfills.begin, settings, name or _new_name(), start, until, rate)
        backfill = kafka.run(_reached(make))
    if not backfill.is_done:
        note(f"{_so_far(backfill.progress)}; if it is cut off: onrecord reprocess --resume {backfill.name}")
        with _shown(backfill.progress) as backfill.report:
            status = run_worker(backfill.settings, task=backfill)
        if status or not backfill.is_done:
            note(f"{_so_far(backfill.progress)}; go on with: onrecord reprocess --resume {backfill.name}")
            raise typer.Exit(1)
    note(f"{backfill.name}: {_so_far(backfill.progress)}")


def _new_name() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}"


async def _reached(making: "Callable[[], Awaitable[Backfill]]") -> "Backfill":
    """Return the backfill that is made, once a broker answers and has the topic; raises UserError when none does."""
    from schemas.topics import RAW
    from services.cli import kafka

    await kafka.partitions_of(RAW.name)
    return await making()


def _point(moment: str | None, offsets: list[str] | None, which: str) -> "Point":
    """Return what one end of the range was said to be; raises UserError when it was said twice, or makes no sense."""
    from services.cli import moments

    if moment is not None and offsets:
        raise UserError(f"either --{which}-time or --{which}-offset")
    if moment is not None:
        return moments.moment(moment, datetime.now(UTC))
    found: dict[int, int] = {}
    for text in (each.strip() for one in offsets or () for each in one.split(",")):
        if not (match := _OFFSET.fullmatch(text)):
            raise UserError(f"{text} is no offset of a partition; give PARTITION:OFFSET")
        found[int(match[1])] = int(match[2])
    return found or None


@contextmanager
def _shown(begun: "Progress") -> "Iterator[Callable[[Progress], None]]":
    """Show the progress as a bar on a terminal, as a line now and then elsewhere; yields what is to be told of it."""
    with progress("reprocessing", begun.total) as advance:
        before, line_at = 0, time.monotonic()

        def report(now: "Progress") -> None:
            nonlocal before, line_at
            advance(now.done - before)
            before = now.done
            if not err.is_terminal and time.monotonic() >= line_at + _LINE_SECONDS:
                line_at = time.monotonic()
                note(_so_far(now))

        yield report


def _so_far(progress: "Progress") -> str:
    return f"{progress.done} of {progress.total} offsets done"
