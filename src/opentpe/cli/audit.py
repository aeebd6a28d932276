"""`opentpe audit`: checks the chain of who changed what."""

from __future__ import annotations

from typing import Annotated

import typer

from opentpe.cli import common

app = typer.Typer(no_args_is_help=True, help="The audit chain of the records.")


@app.callback()
def _root() -> None:
    """The audit chain of the records."""


@app.command(short_help="Check that nothing in the records was changed.")
def verify(
    database: common.Database = common.DATABASE,
    head: Annotated[str, typer.Option("--head", help="Hash noted earlier: finds a chain whose end was cut off.")] = "",
    as_json: common.AsJson = False,
) -> None:
    """Check that no record and no line of the chain was changed, removed or slipped in. Exit 1 where one was."""
    verdict = common.store(database).verify(head)
    if as_json:
        from dataclasses import asdict

        common.print_json({"schema": "opentpe.audit/1", "sound": verdict.sound, **asdict(verdict)})
    else:
        for note in verdict.notes:
            print(f"note   {note}")
        for fault in verdict.faults:
            print(f"FAULT  {fault}")
        word = "sound" if verdict.sound else "NOT SOUND"
        print(f"{word}: {verdict.lines_count} lines, {verdict.versions_count} versions of records")
        print(f"head   {verdict.head}")
    raise typer.Exit(0 if verdict.sound else 1)
