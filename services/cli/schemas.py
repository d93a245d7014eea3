"""`onrecord schemas`: the contract as files for programs in other languages."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.console import UserError, fail, note, show

app = typer.Typer(help="Write the contract as JSON Schema and AsyncAPI, or compare it.", no_args_is_help=True)


@app.command()
def export(directory: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.")]) -> None:
    """Write the JSON Schema of every event and the AsyncAPI document, and list the files.

    **Example:**

        onrecord schemas export build/contract
    """
    from schemas.export import write

    try:
        written = write(directory)
    except OSError as error:
        raise UserError(f"cannot write to {directory}: {error.strerror}") from None
    for path in written:
        show(str(path))


@app.command()
def check(
    directory: Annotated[Path | None, typer.Argument(help="Files to compare; those of the package by default.")] = None,
) -> None:
    """Compare written files with the contract of this version; the exit status is 1 when they differ.

    **Example:**

        onrecord schemas check build/contract
    """
    from schemas.export import HERE, differences

    found = differences(directory or HERE)
    for name in found:
        fail(f"{name}: missing, or not that of this version")
    if found:
        raise typer.Exit(1)
    note("the files are those of this version")
