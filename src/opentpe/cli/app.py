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
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("consult")(consult.command)
    app.command("decide")(decide.command)
    app.command("simulate")(simulate.command)
    app.command("run")(run.command)
    app.command("fit")(fit.command)
    app.command("plan")(plan.command)
    app.command("trial")(trial.command)
    app.command("edss")(edss.edss)
    app.command("indications")(indications.indications)
    app.command("evidence")(evidence.command)
    app.command("schema")(schema.command)
    app.command("validate")(validate.command)
    app.command("export-sbml")(export_sbml.command)
    app.command("serve")(serve.command)
    app.command("demo")(demo.command)
    app.add_typer(records.app, name="records")
    app.add_typer(audit.app, name="audit")
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
