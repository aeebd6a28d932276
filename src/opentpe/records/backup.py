"""Backup and restore of everything in one command, checked before it is called done.

`.db`: a copy of an SQLite file, taken while the server runs. Any other name: JSON lines, from and to both databases.
A backup holds accounts with their password hashes and no sessions. Keep it like the database itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import sqlalchemy as sa

from opentpe.errors import InputError, UnavailableError
from opentpe.records import audit, database, migrate
from opentpe.records.canonical import canonical
from opentpe.records.schema import APPEND_ONLY, CREDENTIALS
from opentpe.records.store import Store

SCHEMA: Final = "opentpe.records-backup/1"
_TABLES: Final = (*APPEND_ONLY, CREDENTIALS.name)


def save(store: Store, path: Path) -> audit.Verdict:
    """Writes the backup whole or not at all; the verdict of the chain as it was copied."""
    with _whole(path) as part:
        verdict = _copy_file(store, part) if path.suffix == ".db" else _write_lines(store, part)
    store.note("backup", "system", f"head {verdict.head}")
    return verdict


def save_unchecked(store: Store, path: Path) -> int:
    """JSON lines of a database of any revision, before it is moved to another; rows written."""
    with _whole(path) as part, database.reading(store.engine) as connection, part.open("w", encoding="utf-8") as out:
        _freeze(connection)
        return _write(connection, out, audit.tail(connection).hash, store.now())


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside the goal, readable by its owner only, that takes its place when all went well."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        raise UnavailableError(f"{path}: the backup could not be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)


def _copy_file(store: Store, part: Path) -> audit.Verdict:
    source = database.file_of(store.url)
    if source is None:
        raise InputError("backup", "a .db file for a PostgreSQL database", "a name that ends in .jsonl")
    with database.explained():
        there, here = database.connect_file(source), sqlite3.connect(part)
        try:
            there.backup(here)
            here.execute("DELETE FROM sessions")
            here.commit()
            here.execute("PRAGMA journal_mode = DELETE")
        finally:
            here.close()
            there.close()
    return _check(Store(f"sqlite:///{part}", store.clock))


def _check(copy: Store) -> audit.Verdict:
    verdict = copy.verify()
    copy.close()
    if not verdict.sound:
        raise UnavailableError(f"The copy does not verify: {verdict.faults[0]}. Run `opentpe audit verify`.")
    return verdict


def _write_lines(store: Store, part: Path) -> audit.Verdict:
    with database.reading(store.engine) as connection, part.open("w", encoding="utf-8") as out:
        _freeze(connection)
        verdict = audit.verify(connection)
        _write(connection, out, verdict.head, store.now())
    if not verdict.sound:
        raise UnavailableError(f"The records do not verify: {verdict.faults[0]}. Run `opentpe audit verify`.")
    return verdict


def _freeze(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def _write(connection: sa.Connection, out: TextIO, head: str, at: str) -> int:
    sums, count = hashlib.sha256(), -1
    for line in _lines(connection, head, at):
        sums.update(line.encode())
        out.write(line)
        count += 1
    out.write(canonical({"sha256": sums.hexdigest()}) + "\n")
    return count


def _lines(connection: sa.Connection, head: str, at: str) -> Iterator[str]:
    revision = migrate.revision_of(connection)
    yield canonical({"schema": SCHEMA, "revision": revision, "head": head, "at": at}) + "\n"
    tables = _tables_there(connection)
    for name in _TABLES:
        table = tables[name]
        for row in connection.execute(sa.select(table).order_by(*_order(table))).mappings():
            yield canonical({"table": name, "row": dict(row)}) + "\n"


def _tables_there(connection: sa.Connection) -> dict[str, sa.Table]:
    there = sa.MetaData()
    there.reflect(connection, only=list(_TABLES))
    return dict(there.tables)


def _order(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    if table.name == "records":  # patients before what belongs to them
        return [table.c.patient_id.is_not(None), table.c.id]
    return list(table.primary_key.columns)


def restore(path: Path, store: Store, replace: bool = False) -> audit.Verdict:
    """Fills an empty database from a backup; with `replace`, an SQLite file there is moved aside first."""
    if not path.is_file():
        raise InputError(str(path), "no file", "a backup made with `opentpe records backup`")
    target = database.file_of(store.url)
    if target is not None and target.exists():
        if not replace:
            raise InputError(str(target), "a database that is there already", "an empty place", "Or say --replace.")
        _move_aside(target, store.clock().astimezone(UTC))
    if path.suffix == ".db":
        return _restore_file(path, target, store)
    return _restore_lines(path, store)


def _move_aside(target: Path, at: datetime) -> None:
    stamp = at.strftime("%Y%m%dT%H%M%S")
    for suffix in ("", "-wal", "-shm"):
        old = target.with_name(target.name + suffix)
        if old.exists():
            old.rename(target.with_name(f"{target.name}.before-restore-{stamp}{suffix}"))


def _restore_file(path: Path, target: Path | None, store: Store) -> audit.Verdict:
    if target is None:
        raise InputError("restore", "a .db file for a PostgreSQL database", "a backup in JSON lines")
    verdict = _check(Store(f"sqlite:///{path}", store.clock))
    database.create_file(target)
    with database.explained():
        here, there = database.connect_file(path), database.connect_file(target)
        try:
            here.backup(there)
            there.execute("PRAGMA journal_mode = WAL")
        finally:
            there.close()
            here.close()
    migrate.move(store.engine, "head")
    return verdict


def _restore_lines(path: Path, store: Store) -> audit.Verdict:
    header = _read_whole(path)
    target = database.file_of(store.url)
    if target is not None:
        database.create_file(target)
    if migrate.revision(store.engine) is None:
        migrate.move(store.engine, str(header["revision"]))
    with database.writing(store.engine) as connection:
        if audit.tail(connection).seq:
            raise InputError("restore", "a database that holds records", "an empty database")
        tables = _tables_there(connection)
        with path.open(encoding="utf-8") as lines:
            for text in lines:
                line = json.loads(text)
                if "table" in line:
                    table = tables[line["table"]]
                    row = {name: value for name, value in line["row"].items() if name in table.columns}
                    connection.execute(sa.insert(table).values(row))
    migrate.move(store.engine, "head")
    verdict = store.verify(str(header["head"]))
    if not verdict.sound:
        raise UnavailableError(f"The restored records do not verify: {verdict.faults[0]}.")
    return verdict


def _read_whole(path: Path) -> dict[str, Any]:
    """The first line of a backup that is complete and unchanged."""
    sums, last, header = hashlib.sha256(), "", ""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for text in lines:
            sums.update(last.encode())
            header, last = header or text, text
    try:
        first, end = json.loads(header), json.loads(last)
    except ValueError:
        first, end = {}, {}
    if first.get("schema") != SCHEMA:
        raise InputError(str(path), "a file of another kind", "a backup made with `opentpe records backup`")
    if end.get("sha256") != sums.hexdigest():
        raise InputError(str(path), "an incomplete or changed backup", "the file as it was written", "Use another one.")
    return dict(first)
