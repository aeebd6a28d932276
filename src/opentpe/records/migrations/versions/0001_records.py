"""The first tables: identities, versions per kind, the audit chain, and what keeps people signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from opentpe.records.migrations.guard import guard, unguard

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

T, I, F, B = sa.Text, sa.Integer, sa.Float, sa.Boolean
VERSIONS: dict[str, tuple[tuple[str, type], ...]] = {
    "patients": (("identifier", T), ("name", T), ("sex", T), ("birth", T)),
    "conditions": (("kind", T), ("active", B), ("onset_on", T)),
    "allergies": (("kind", T),),
    "relapses": (("onset_on", T), ("kind", T)),
    "courses": (("relapse_id", T), ("words", T), ("status", T), ("first_on", T), ("line_out_on", T)),
    "orders": (("course_id", T), ("session", I), ("signed_by", T), ("signed_at", T)),
    "procedures": (("course_id", T), ("session", I), ("status", T), ("started_at", T)),
    "run_rows": (("procedure_id", T), ("read_at", T)),
    "labs": (("course_id", T), ("kind", T), ("value", F), ("unit", T), ("answer", T), ("taken_at", T)),
    "examinations": (("kind", T), ("value", F), ("unit", T), ("answer", T), ("seen_on", T)),
    "drugs": (("kind", T), ("drug_group", T), ("start_on", T), ("end_on", T), ("dose_mg", F)),
    "decisions": (("relapse_id", T), ("decided_on", T), ("advice", T)),
    "overrides": (("decision_id", T), ("code", T)),
    "adverse_events": (("procedure_id", T), ("event", T), ("grade", T), ("happened_at", T)),
    "documents": (("title", T), ("media_type", T), ("sha256", T)),
    "settings": (("name", T),),
    "accounts": (("name", T), ("role", T), ("active", B), ("subject", T)),
    "feedback": (("service", T), ("card", T), ("outcome", T)),
}
INDEXED = ("kind", "identifier", "name")


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("patient_id", sa.String(64), sa.ForeignKey("records.id"), nullable=True),
    )
    op.create_index("ix_records_patient_id", "records", ["patient_id"])
    for name, columns in VERSIONS.items():
        _versions(name, columns)
    _audit()
    _sign_in()
    for name in ("records", "audit", *VERSIONS):
        guard(name)


def _versions(name: str, columns: tuple[tuple[str, type], ...]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.String(64), sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("version", I, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("who", T, nullable=False),
        sa.Column("why", T, nullable=False),
        sa.Column("retired", B, nullable=False),
        sa.Column("body", T, nullable=False),
        *(sa.Column(column, kind, nullable=True) for column, kind in columns),
    )
    for column, _ in columns:
        if column.endswith("_id") or column in INDEXED:
            op.create_index(f"ix_{name}_{column}", name, [column])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", I, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("who", T, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("version", I, nullable=False),
        sa.Column("why", T, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_record_id", "audit", ["record_id"])


def _sign_in() -> None:
    account = sa.ForeignKey("records.id")
    op.create_table(
        "credentials",
        sa.Column("account_id", sa.String(64), account, primary_key=True),
        sa.Column("password_hash", T, nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(64), sa.ForeignKey("records.id"), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("started_at", sa.String(27), nullable=False),
        sa.Column("seen_at", sa.String(27), nullable=False),
        sa.Column("sealed", T, nullable=False),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("name_hash", sa.String(64), nullable=False),
        sa.Column("from_hash", sa.String(64), nullable=False),
        sa.Column("succeeded", B, nullable=False),
    )
    op.create_index("ix_sign_ins_at", "sign_ins", ["at"])
    op.create_index("ix_sign_ins_name_hash", "sign_ins", ["name_hash"])
    op.create_table(
        "once",
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("sealed", T, nullable=False),
    )
    op.create_index("ix_once_expires_at", "once", ["expires_at"])


def downgrade() -> None:
    for name in ("records", "audit", *VERSIONS):
        unguard(name)
    for name in ("once", "sign_ins", "sessions", "credentials", "audit", *reversed(list(VERSIONS)), "records"):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION opentpe_append_only()")
