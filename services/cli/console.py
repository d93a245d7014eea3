"""What the command says: results on stdout, everything else on stderr; colours, tables and bars for terminals only."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

# Article texts hold "[...]", ":smile:" and numbers of their own: nothing in them is markup.
out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class UserError(Exception):
    """Something the user can mend. The message is one line; the command shows it, without a traceback, and exits 1."""


@contextmanager
def explained(*errors: type[Exception]) -> Iterator[None]:
    """Turn `errors`, whose messages are made for people, into a UserError."""
    try:
        yield
    except errors as error:
        raise UserError(one_line(str(error))) from None


def show(line: str | Text = "") -> None:
    """Print one line of the result; a long one is left to the terminal or the pipe to wrap."""
    if isinstance(line, Text):
        out.print(line, soft_wrap=True)
    else:
        # Past rich, which would turn tabs into blanks.
        out.file.write(f"{line}\n")
        out.file.flush()


def note(line: str | Text) -> None:
    """Print one line about what happens, on stderr."""
    err.print(line, soft_wrap=True)


def fail(line: str) -> None:
    """Print one line about what went wrong, on stderr; the caller decides on the exit status."""
    note(Text.assemble(("onrecord: ", "bold red"), one_line(line)))


def one_line(text: str) -> str:
    """Return `text` without line breaks and control characters, which could steer the terminal."""
    return _UNPRINTABLE.sub(" ", text).strip()


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: ruled on a terminal, columns parted by tabs in a pipe."""
    if not out.is_terminal:
        for row in (headings, *rows):
            show("\t".join(one_line(str(cell)) for cell in row))
        return
    ruled = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        ruled.add_row(*(one_line(str(cell)) for cell in row))
    out.print(ruled)


@contextmanager
def progress(what: str, total: int | None = None, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Show on stderr, where that is a terminal, how far the work has come; yields a function that adds to it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=not (shown and err.is_terminal), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)
