"""The tables: an identity per record, one table of versions per kind, the audit chain, and what keeps people signed in.

Versions, identities and the audit chain are only ever added to; triggers in the database refuse the rest.
`body` holds everything; the searchable columns are projections of it, so that a migration can always refill them.
"""

from __future__ import annotations

from typing import Any, Final, get_args, get_type_hints

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

from opentpe.records.kinds import KINDS, Body

METADATA: Final = MetaData()

RECORDS: Final = Table(
    "records",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("patient_id", String(64), ForeignKey("records.id"), nullable=True, index=True),
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("record_id", String(64), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# What keeps people signed in. Not records: rows here may change and go.
CREDENTIALS: Final = Table(
    "credentials",
    METADATA,
    Column("account_id", String(64), ForeignKey("records.id"), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("changed_at", String(27), nullable=False),
)
SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("account_id", String(64), ForeignKey("records.id"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("started_at", String(27), nullable=False),
    Column("seen_at", String(27), nullable=False),
    Column("sealed", Text, nullable=False),  # launch context and tokens, encrypted with a key kept outside
)
SIGN_INS: Final = Table(
    "sign_ins",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("at", String(27), nullable=False, index=True),
    Column("name_hash", String(64), nullable=False, index=True),
    Column("from_hash", String(64), nullable=False),
    Column("succeeded", Boolean, nullable=False),
)
ONCE: Final = Table(  # values that may be used a single time: token identifiers, sign-in flows, set-up codes
    "once",
    METADATA,
    Column("key", String(128), primary_key=True),
    Column("expires_at", String(27), nullable=False, index=True),
    Column("sealed", Text, nullable=False),
)

_TYPES: Final[dict[Any, Any]] = {bool: Boolean, int: Integer, float: Float}


def _sql_type(hint: Any) -> Any:
    """Boolean, Integer, Float or Text, from the field's annotation."""
    return next((_TYPES[option] for option in (hint, *get_args(hint)) if option in _TYPES), Text)


def _versions(kind: type[Body]) -> Table:
    hints = get_type_hints(kind)
    table = Table(
        kind.table,
        METADATA,
        Column("id", String(64), ForeignKey("records.id"), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("at", String(27), nullable=False),
        Column("who", Text, nullable=False),
        Column("why", Text, nullable=False),
        Column("retired", Boolean, nullable=False),
        Column("body", Text, nullable=False),
        *(Column(name, _sql_type(hints.get(name, str)), nullable=True) for name in kind.columns),
    )
    for name in kind.columns:
        if name.endswith("_id") or name in ("kind", "identifier", "name"):
            Index(f"ix_{kind.table}_{name}", table.c[name])
    return table


VERSIONS: Final[dict[str, Table]] = {kind.table: _versions(kind) for kind in KINDS}
APPEND_ONLY: Final[tuple[str, ...]] = ("records", "audit", *VERSIONS)
