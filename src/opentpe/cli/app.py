"""All commands in the order a day goes: decide, order, simulate, run, learn, plan, try, serve."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import typer

_NOTICE: Final = "Planning support, education and research. Not a medical device."
_COMMANDS: Final = {
    "consult": "Decide, order, forecast and write a report from a bundle.",
    "decide": "Say whether an exchange is advised on this day, and why.",
    "simulate": "Forecast a course: solutes, drugs, calcium, pressure.",
    "run": "Run one procedure second by second.",
    "fit": "Learn from the labs of a course.",
    "plan": "Rank the next courses by goals and limits.",
    "trial": "Run arms on virtual patients.",
    "edss": "EDSS from functional systems and ambulation.",
    "indications": "Neurological indications of apheresis.",
    "evidence": "Show the numbers in use and how well each is known.",
    "schema": "Print the JSON Schema of a document.",
    "validate": "Run every calibration row and validation study.",
    "export-sbml": "Write one patient's course kinetics as SBML.",
    "serve": "Serve the clinic's records, pages and CDS hooks.",
    "demo": "Consult on the bundled example.",
}
_GROUPS: Final = {
    "records": "Back up, restore, import and export the records.",
    "audit": "Verify the audit chain of the records.",
}


def build(asked: str = "") -> typer.Typer:
    """The application with every command; with the one that was asked for alone, where there is such a one."""
    app = typer.Typer(
        name="opentpe",
        help=f"Plans and simulates plasma exchange for an MS relapse that steroids did not stop.\n\n{_NOTICE}",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: in half the time
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in (asked,) if asked in _COMMANDS else _COMMANDS:
        module = import_module(f"opentpe.cli.{name.replace('-', '_')}")
        app.command(name, short_help=_COMMANDS[name])(module.command)
    for name in () if asked in _COMMANDS else _GROUPS:
        app.add_typer(import_module(f"opentpe.cli.{name}").app, name=name, short_help=_GROUPS[name])
    app.callback()(_root)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from opentpe import __version__

        print(f"opentpe {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Plans and simulates plasma exchange for an MS relapse that steroids did not stop."""
