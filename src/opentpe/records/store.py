"""The records: added to, never overwritten. Each version says who, when and why, and is a link of the audit chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

import sqlalchemy as sa

from opentpe.errors import ConflictError, InputError, NotKeptError, UnavailableError
from opentpe.records import audit, database, migrate
from opentpe.records.canonical import canonical, digest, instant
from opentpe.records.kinds import Body, of
from opentpe.records.schema import RECORDS, VERSIONS

B = TypeVar("B", bound=Body)
LIMIT: Final = 100_000
Values = Mapping[str, str | float | int | bool | None]


def new_id() -> str:
    """An identifier that says nothing about the patient."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Kept(Generic[B]):
    """One version of a record as it is kept: `at` is UTC text."""

    id: str
    version: int
    at: str
    who: str
    why: str
    retired: bool
    patient_id: str | None
    body: B

    def said(self) -> dict[str, Any]:
        """The version as JSON values: what the digest in the audit chain is made of."""
        return {
            "kind": self.body.table,
            "id": self.id,
            "version": self.version,
            "patient_id": self.patient_id,
            "at": self.at,
            "who": self.who,
            "why": self.why,
            "retired": self.retired,
            "body": self.body.model_dump(mode="json"),
        }


class Store:
    """All records of a unit. `clock` gives the time, `ids` the identifiers; call `prepare` once before use."""

    def __init__(self, url: str, clock: Callable[[], datetime], ids: Callable[[], str] = new_id) -> None:
        self.url = url
        self.clock = clock
        self.ids = ids
        self.engine = database.engine(url)

    def prepare(self) -> None:
        """Makes the tables in an empty database; refuses one of another version with what to do."""
        path = database.file_of(self.url)
        if path is not None:
            database.create_file(path)
        migrate.prepare(self.engine)

    def close(self) -> None:
        """Lets go of all connections."""
        self.engine.dispose()

    def now(self) -> str:
        """The time of the clock, as the records keep it."""
        return instant(self.clock())

    @contextmanager
    def looking(self) -> Iterator[None]:
        """One moment of the records for everything that is read inside; for pages that only show."""
        if _LOOKING.get() is not None:
            yield
            return
        with database.reading(self.engine) as connection:
            token = _LOOKING.set((self, connection))
            try:
                yield
            finally:
                _LOOKING.reset(token)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        held = _LOOKING.get()
        if held is not None and held[0] is self:
            with database.explained():
                yield held[1]
            return
        with database.reading(self.engine) as connection:
            yield connection

    @contextmanager
    def writing(self, who: str, why: str = "") -> Iterator[Batch]:
        """A batch of changes by one person for one reason: all of it is kept, or nothing."""
        with database.writing(self.engine) as connection:
            yield Batch(connection, self.ids, self.now(), who, why)

    def add(self, body: B, who: str, why: str = "", patient_id: str | None = None) -> Kept[B]:
        """A new record."""
        with self.writing(who, why) as batch:
            return batch.add(body, patient_id)

    def change(self, record_id: str, body: B, version: int, who: str, why: str = "") -> Kept[B]:
        """A new version of a record that was read at `version`; ConflictError where somebody was first."""
        with self.writing(who, why) as batch:
            return batch.change(record_id, body, version)

    def retire(self, kind: type[B], record_id: str, version: int, who: str, why: str) -> Kept[B]:
        """Takes a record out of use; its history stays."""
        with self.writing(who, why) as batch:
            return batch.retire(kind, record_id, version)

    def note(self, action: str, who: str, why: str = "", record_id: str = "") -> None:
        """A line of the audit chain about something that changed no record: a sign-in, a look, an export."""
        with self.writing(who, why) as batch:
            batch.note(action, record_id)

    def get(self, kind: type[B], record_id: str, version: int | None = None) -> Kept[B]:
        """The newest version of a record, or one of its versions; NotKeptError where there is none."""
        with self._reading() as connection:
            return _get(connection, kind, record_id, version)

    def history(self, kind: type[B], record_id: str) -> tuple[Kept[B], ...]:
        """Every version of a record, oldest first."""
        table = VERSIONS[kind.table]
        with self._reading() as connection:
            rows = connection.execute(_select(kind).where(table.c.id == record_id).order_by(table.c.version))
            found = tuple(_kept(kind, row) for row in rows.mappings())
        if not found:
            raise NotKeptError(f"{kind.table}/{record_id}: no such record.")
        return found

    def current(
        self,
        kind: type[B],
        patient_id: str | None = None,
        where: Values | None = None,
        limit: int = LIMIT,
        after: str = "",
        retired: bool = False,
    ) -> tuple[Kept[B], ...]:
        """Records in use, in order of their identifier: of one patient, with columns that equal `where`."""
        with self._reading() as connection:
            query = _current(kind, retired, patient_id, where or {}, after).limit(limit)
            return tuple(_kept(kind, row) for row in connection.execute(query).mappings())

    def count(self, kind: type[Body]) -> int:
        """How many records of a kind are in use."""
        query = sa.select(sa.func.count()).select_from(_current(kind, False, None, {}, "").subquery())
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def verify(self, expected_head: str = "") -> audit.Verdict:
        """Whether the audit chain and every version of every record still fit each other."""
        with database.reading(self.engine) as connection:
            return audit.verify(connection, expected_head)


_LOOKING: Final[ContextVar[tuple[Store, sa.Connection] | None]] = ContextVar("looking", default=None)


class Batch:
    """Changes inside one transaction; `at` is one moment for all of them."""

    def __init__(self, connection: sa.Connection, ids: Callable[[], str], at: str, who: str, why: str) -> None:
        if not who:
            raise InputError("who", "nobody", "the account that makes the change")
        self.connection = connection
        self.ids = ids
        self.at = at
        self.who = who
        try:
            canonical([who, why])
        except ValueError as error:
            raise InputError("why", "text that no database can keep", "plain text", str(error)) from error
        self.why = why
        self.tail = audit.tail(connection)

    def add(self, body: B, patient_id: str | None = None, record_id: str | None = None) -> Kept[B]:
        """A new record, of a patient where its kind needs one."""
        if body.of_patient:
            if patient_id is None or _kind_of(self.connection, patient_id) != "patients":
                raise NotKeptError(f"patients/{patient_id}: no such patient.")
        elif patient_id is not None:
            raise InputError(body.table, "a patient", "none: this kind belongs to the unit")
        made = record_id or self.ids()
        if _kind_of(self.connection, made) is not None:
            raise ConflictError(f"{body.table}/{made}: this identifier is taken.", made, body)
        self._unique(body, made)
        self.connection.execute(sa.insert(RECORDS).values(id=made, kind=body.table, patient_id=patient_id))
        return self._write("add", Kept(made, 1, self.at, self.who, self.why, False, patient_id, body))

    def get(self, kind: type[B], record_id: str) -> Kept[B]:
        """The newest version, with what this batch has changed so far."""
        return _get(self.connection, kind, record_id)

    def change(self, record_id: str, body: B, version: int) -> Kept[B]:
        """A new version, where `version` is still the newest; else ConflictError with both sides."""
        theirs = _get(self.connection, type(body), record_id)
        if theirs.version != version:
            raise ConflictError(
                f"{body.table}/{record_id}: {theirs.who} changed it at {theirs.at}; "
                f"version {theirs.version} is newer than yours ({version}). Look at both and change it again.",
                theirs,
                body,
            )
        self._unique(body, record_id)
        made = Kept(record_id, version + 1, self.at, self.who, self.why, False, theirs.patient_id, body)
        return self._write("change", made)

    def retire(self, kind: type[B], record_id: str, version: int) -> Kept[B]:
        """A last version that is no longer in use; a later change brings the record back."""
        theirs = _get(self.connection, kind, record_id)
        if theirs.version != version:
            raise ConflictError(f"{kind.table}/{record_id}: changed by {theirs.who} at {theirs.at}.", theirs, None)
        made = Kept(record_id, version + 1, self.at, self.who, self.why, True, theirs.patient_id, theirs.body)
        return self._write("retire", made)

    def note(self, action: str, record_id: str = "") -> None:
        """A line of the audit chain that changes no record."""
        self._link(action, "", record_id, 0, "")

    def _unique(self, body: Body, record_id: str) -> None:
        if not body.unique:
            return
        value = body.projected[body.unique]
        query = _current(type(body), False, None, {body.unique: value}, "")
        for row in self.connection.execute(query).mappings():
            if row["id"] != record_id:
                theirs = _kept(type(body), row)
                raise ConflictError(f"{body.table}: {body.unique} is in use already.", theirs, body)

    def _write(self, action: str, made: Kept[B]) -> Kept[B]:
        row = {
            "id": made.id,
            "version": made.version,
            "at": made.at,
            "who": made.who,
            "why": made.why,
            "retired": made.retired,
            "body": canonical(made.body.model_dump(mode="json")),
            **made.body.projected,
        }
        self.connection.execute(sa.insert(VERSIONS[made.body.table]).values(row))
        self._link(action, made.body.table, made.id, made.version, digest(made.said()))
        return made

    def _link(self, action: str, kind: str, record_id: str, version: int, of_body: str) -> None:
        self.tail = audit.link(
            self.connection,
            self.tail,
            audit.Entry(self.at, self.who, action, kind, record_id, version, self.why, of_body),
        )


@lru_cache(maxsize=64)
def _select(kind: type[Body]) -> sa.Select[Any]:
    table = VERSIONS[kind.table]
    return sa.select(
        table.c.id, table.c.version, table.c.at, table.c.who, table.c.why, table.c.retired, table.c.body,
        RECORDS.c.patient_id,
    ).join(RECORDS, RECORDS.c.id == table.c.id)  # fmt: skip


@lru_cache(maxsize=64)  # twice the kinds
def _newest(kind: type[Body], retired: bool) -> sa.Select[Any]:
    table = VERSIONS[kind.table]
    other = table.alias("other")
    newest = sa.select(sa.func.max(other.c.version)).where(other.c.id == table.c.id).scalar_subquery()
    query = _select(kind).where(table.c.version == newest).order_by(table.c.id)
    return query if retired else query.where(sa.not_(table.c.retired))


def _current(kind: type[Body], retired: bool, patient_id: str | None, where: Values, after: str) -> sa.Select[Any]:
    table, query = VERSIONS[kind.table], _newest(kind, retired)
    if patient_id is not None:
        query = query.where(RECORDS.c.patient_id == patient_id)
    for name, value in where.items():
        if name not in kind.columns:
            raise InputError(kind.table, f"a search by {name!r}", f"one of {', '.join(kind.columns)}")
        query = query.where(table.c[name] == value)
    return query.where(table.c.id > after) if after else query


def _get(connection: sa.Connection, kind: type[B], record_id: str, version: int | None = None) -> Kept[B]:
    table = VERSIONS[kind.table]
    query = _select(kind).where(table.c.id == record_id).order_by(table.c.version.desc()).limit(1)
    if version is not None:
        query = query.where(table.c.version == version)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotKeptError(f"{kind.table}/{record_id}: no such record{'' if version is None else ' version'}.")
    return _kept(kind, row)


def _kind_of(connection: sa.Connection, record_id: str) -> str | None:
    return connection.execute(sa.select(RECORDS.c.kind).where(RECORDS.c.id == record_id)).scalar()


def _kept(kind: type[B], row: Mapping[Any, Any]) -> Kept[B]:
    try:
        body = kind.model_validate(json.loads(row["body"]))
    except ValueError as error:
        raise UnavailableError(
            f"{kind.table}/{row['id']}: version {row['version']} cannot be read. Run `opentpe audit verify`."
        ) from error
    return Kept(
        row["id"], row["version"], row["at"], row["who"], row["why"], bool(row["retired"]), row["patient_id"], body
    )


def kept_of(table: str, row: Mapping[Any, Any]) -> Kept[Body]:
    """A row of a version table, joined with its identity, as a kept version."""
    return _kept(of(table), row)
