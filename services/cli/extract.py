"""`onrecord extract`: the reading without Kafka, of one article or of many."""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from services.cli.console import UserError, err, fail, out, progress, show
from services.extraction.threads import ONE_THREAD


def extract(
    file: Annotated[Path, typer.Argument(help='Text, raw-article JSON or a saved web page; "-" is stdin.')],
    as_json: Annotated[bool, typer.Option("--json", help="Print the enriched article as JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write a page with the article highlighted.", dir_okay=False)
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Raw-article JSON lines in, enriched JSON lines out, on all cores.")
    ] = False,
) -> None:
    """Read articles and show who is named, who said what, and where they stand. Needs no broker.

    ONRECORD_MODEL, ONRECORD_MODELS, ONRECORD_EXTRACTORS, ONRECORD_PUBLISH_TEXT and ONRECORD_CHILDREN (how many
    processes --jsonl starts, by default one a core) apply as they do to the worker. With --jsonl the output has the
    order of the input; a broken line is reported with its number, the rest goes on, and the exit status is then 1.

    **Examples:**

        onrecord extract article.txt
        onrecord extract article.json --html page.html
        onrecord extract --jsonl raw.jsonl > enriched.jsonl
    """
    if as_json + (html is not None) + jsonl > 1:
        raise UserError("--json, --html and --jsonl exclude each other")
    os.environ |= ONE_THREAD  # read here as in the service: the modules that read are imported from here on
    if jsonl:
        _extract_many(file)
    else:
        _extract_one(file, as_json=as_json, html=html)


def _extract_one(file: Path, *, as_json: bool, html: Path | None) -> None:
    from services.cli import page, report
    from services.cli.articles import one_article
    from services.cli.reading import Recipe

    article = one_article(file)
    enriched = Recipe.from_environment().read([article])[0]
    if as_json:
        show(enriched.model_dump_json(indent=2))
    elif html is not None:
        try:
            html.write_text(page.render(enriched, article.text), encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot write {html}: {error.strerror}") from None
    else:
        report.show_article(enriched)


def _extract_many(file: Path) -> None:
    from services.cli.articles import Broken, opened
    from services.cli.reading import Recipe, read_lines

    recipe = Recipe.from_environment()
    broken = 0
    # A bar among the results of the same terminal would help nobody.
    with (
        opened(file) as lines,
        progress("reading", _count(lines), shown=not out.is_terminal) as advance,
        closing(read_lines(lines, str(file), recipe)) as results,
    ):
        for result in results:
            if isinstance(result, Broken):
                broken += 1
                fail(f"{result.origin}: {result.reason}")
            else:
                sys.stdout.buffer.write(result + b"\n")
                sys.stdout.buffer.flush()
            advance(1)
    if broken:
        raise typer.Exit(1)


def _count(lines: BinaryIO) -> int | None:
    """Return how many lines there are, for the bar; None where nobody sees one, or they can be read but once."""
    if not err.is_terminal or not lines.seekable():
        return None
    number = sum(1 for line in lines if line.strip())
    lines.seek(0)
    return number
