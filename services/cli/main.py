"""The `onrecord` command: what it is made of, and how it ends."""

import signal
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import FrameType
from typing import Annotated

import typer

from services.cli import broker, demo, dlq, extract, produce, reprocess, schemas, tail, topics, worker
from services.cli.console import UserError, fail, show

app = typer.Typer(
    help="Read news articles: who is named, who said what, and where they stand on policy.",
    epilog="Start with `onrecord demo`, or with `onrecord extract article.txt`.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # Python's own traceback is for bugs; what a user can mend is a UserError.
    pretty_exceptions_enable=False,
)
app.command(name="extract")(extract.extract)
app.command(name="produce")(produce.produce)
app.command(name="tail")(tail.tail)
app.command(name="worker")(worker.worker)
app.command(name="reprocess")(reprocess.reprocess)
app.command(name="demo")(demo.demo)
app.add_typer(topics.app, name="topics")
app.add_typer(dlq.app, name="dlq")
app.add_typer(schemas.app, name="schemas")
app.add_typer(broker.app, name="broker")


def _show_version(wanted: bool) -> None:
    if wanted:
        try:
            show(f"onrecord {version('onrecord')}")
        except PackageNotFoundError:
            show("onrecord (not installed)")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Read news articles: who is named, who said what, and where they stand on policy."""


def _end(signum: int, frame: FrameType | None) -> None:
    """End at once, stopping on the way what was started, with the exit status that shells expect.

    Left to itself asyncio would wait, after Ctrl-C, for the next line of a stdin that is being read.
    """
    raise SystemExit(128 + signum)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command on `arguments`, by default the process's own, and exit."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        app(args=arguments, prog_name="onrecord")
    except UserError as error:
        fail(str(error))
        sys.exit(1)


if __name__ == "__main__":
    run()
