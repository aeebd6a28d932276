"""The place (chair, bed) of a session becomes searchable, for the board. The body always held it."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from opentpe.records.migrations.guard import guard, unguard

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("procedures", sa.Column("place", sa.Text, nullable=True))
    unguard("procedures")
    table = sa.table("procedures", sa.column("id"), sa.column("version"), sa.column("body"), sa.column("place"))
    bind = op.get_bind()
    for row in bind.execute(sa.select(table.c.id, table.c.version, table.c.body)).all():
        place = json.loads(row.body).get("place", "")
        here = (table.c.id == row.id) & (table.c.version == row.version)
        bind.execute(sa.update(table).where(here).values(place=place))
    guard("procedures")


def downgrade() -> None:
    unguard("procedures")
    op.drop_column("procedures", "place")
    guard("procedures")
