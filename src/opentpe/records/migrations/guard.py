"""Triggers that keep a table append-only, on both databases; set by migrations."""

from __future__ import annotations

from alembic import op

_FUNCTION = """
CREATE OR REPLACE FUNCTION opentpe_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'records are append-only'; END $$
"""


def guard(table: str) -> None:
    """From now on rows of the table can be added, not changed or removed."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION opentpe_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER no_{verb.lower()}_{table} BEFORE {verb} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'records are append-only'); END"
        )


def unguard(table: str) -> None:
    """Lift the guard for the length of a migration."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER append_only ON {table}")
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"DROP TRIGGER no_{verb.lower()}_{table}")
