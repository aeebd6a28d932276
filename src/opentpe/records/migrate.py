"""Brings the tables from one version of OpenTPE to another, up and down, with what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from opentpe.errors import UnavailableError
from opentpe.records import database

SCRIPTS: Final = Path(__file__).parent / "migrations"


def head() -> str:
    """The revision this version of OpenTPE works with."""
    return ScriptDirectory(str(SCRIPTS)).get_current_head() or ""


def revision(source: sa.Engine) -> str | None:
    """The revision of a database, None for an empty one."""
    with database.reading(source) as connection:
        return revision_of(connection)


def revision_of(connection: sa.Connection) -> str | None:
    """The same, seen through a connection."""
    return MigrationContext.configure(connection).get_current_revision()


def prepare(source: sa.Engine) -> None:
    """Makes the tables in an empty database; UnavailableError where the database is of another version."""
    found = revision(source)
    if found is None:
        found = move(source, "head", only_empty=True)
    if found != head():
        known = found in {s.revision for s in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
        remedy = "Run `opentpe records upgrade`; it makes a backup first." if known else "Use a newer OpenTPE."
        raise UnavailableError(f"The records are of version {found}; this OpenTPE works with {head()}. {remedy}")


def move(source: sa.Engine, to: str, only_empty: bool = False) -> str:
    """Moves the tables up or down to a revision ("head", "0001") in one transaction; the revision then reached."""
    with database.writing(source, chained=False) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7046029254386353131)"))
        found = revision_of(connection)
        if not (only_empty and found):
            config = Config()
            config.set_main_option("script_location", str(SCRIPTS))
            config.attributes["connection"] = connection
            goal = head() if to == "head" else to
            down = found is not None and goal in _below(found)
            (command.downgrade if down else command.upgrade)(config, goal)
        return revision_of(connection) or ""


def _below(found: str) -> set[str]:
    scripts = ScriptDirectory(str(SCRIPTS))
    return {s.revision for s in scripts.walk_revisions("base", found) if s.revision != found}
