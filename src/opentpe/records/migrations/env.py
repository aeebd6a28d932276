"""Runs the migrations on the connection that `opentpe.records.migrate` hands over."""

from __future__ import annotations

from alembic import context

from opentpe.records.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
