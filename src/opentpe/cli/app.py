"""All commands in the order a day goes: decide, order, simulate, run, learn, plan, try, serve."""

from __future__ import annotations

import typer

from opentpe.cli import (
    audit,
    consult,
    decide,
    demo,
    edss,
    evidence,
    export_sbml,
    fit,
    indications,
    plan,
    records,
    run,
    schema,
    serve,
    simulate,
    trial,
    validate,
)

_NOTICE = "Planning support, education and research. Not a medical device."


def build() -> typer.Typer:
    """The application with every command."""
    app = typer.Typer(
        name="opentpe",
        help=f"Plans and simulates plasma exchange for an MS relapse that steroids did not stop.\n\n{_NOTICE}",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: in half the time
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("consult", short_help="Decide, order, forecast and write a report from a bundle.")(consult.command)
    app.command("decide", short_help="Say whether an exchange is advised on this day, and why.")(decide.command)
    app.command("simulate", short_help="Forecast a course: solutes, drugs, calcium, pressure.")(simulate.command)
    app.command("run", short_help="Run one procedure second by second.")(run.command)
    app.command("fit", short_help="Learn from the labs of a course.")(fit.command)
    app.command("plan", short_help="Rank the next courses by goals and limits.")(plan.command)
    app.command("trial", short_help="Run arms on virtual patients.")(trial.command)
    app.command("edss", short_help="EDSS from functional systems and ambulation.")(edss.edss)
    app.command("indications", short_help="Neurological indications of apheresis.")(indications.indications)
    app.command("evidence", short_help="Show the numbers in use and how well each is known.")(evidence.command)
    app.command("schema", short_help="Print the JSON Schema of a document.")(schema.command)
    app.command("validate", short_help="Run every calibration row and validation study.")(validate.command)
    app.command("export-sbml", short_help="Write one patient's course kinetics as SBML.")(export_sbml.command)
    app.command("serve", short_help="Serve the clinic's records, pages and CDS hooks.")(serve.command)
    app.command("demo", short_help="Consult on the bundled example.")(demo.command)
    app.add_typer(records.app, name="records", short_help="Back up, restore, import and export the records.")
    app.add_typer(audit.app, name="audit", short_help="Verify the audit chain of the records.")
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
