"""The database behind the records: SQLite with a write-ahead log by default, PostgreSQL by URL.

A change is acknowledged only after it is on the disk. Writers take turns, readers never wait. Every failure of the
database leaves this room as `UnavailableError` with what to do; nothing was half done.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import NullPool

from opentpe.errors import InputError, UnavailableError
from opentpe.records.schema import AUDIT

BUSY_S: Final = 10
_SETTLED_NS: Final = 1_000_000_000  # a clock of files ticks every few milliseconds
_ANSWERS: Final = (
    ("full", "the disk is full", "Free space, then repeat the change."),
    ("disk i/o error", "the disk refused to write", "Check the disk and its free space, then repeat the change."),
    ("file too large", "the file may not grow", "Lift the file size limit, then repeat the change."),
    ("no space left", "the disk is full", "Free space, then repeat the change."),
    ("readonly", "the database is read-only", "Give the server write permission to the file and its folder."),
    ("read-only", "the database is read-only", "Make the database writable, then repeat the change."),
    ("unable to open", "the database file cannot be opened", "Check that the file is there and may be read."),
    ("malformed", "the database file is damaged", "Restore the last backup with `opentpe records restore`."),
    ("not a database", "the file is no database", "Name another file, or restore the last backup."),
    ("locked", "another program holds the database", "Wait a moment and repeat the change."),
    ("lock timeout", "another program holds the database", "Wait a moment and repeat the change."),
    ("no such table", "the database holds no records", "Restore the last backup, or start with a new file."),
    ("does not exist", "the database holds no records", "Restore the last backup, or name another database."),
)


def file_of(url: str) -> Path | None:
    """The file of an SQLite address, None for PostgreSQL; InputError for anything else.

    >>> file_of("sqlite:///clinic.db")
    PosixPath('clinic.db')
    """
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgresql+psycopg://")):
        return None
    scheme = url.partition(":")[0]  # never the whole address: it may hold a password
    raise InputError("--database", f"an address that starts with {scheme!r}", "sqlite:///FILE or postgresql://…")


def engine(url: str) -> sa.Engine:
    """The engine of an address; connects to nothing yet."""
    path = file_of(url)
    if path is not None:
        made = sa.create_engine("sqlite://", creator=lambda: connect_file(path), poolclass=NullPool)
        event.listen(made, "begin", _begin)
        return made
    address = sa.make_url("postgresql+psycopg://" + url.partition("://")[2])
    arguments = {"connect_timeout": BUSY_S, "options": f"-c lock_timeout={BUSY_S}s -c statement_timeout=60s"}
    return sa.create_engine(address, pool_pre_ping=True, pool_timeout=BUSY_S, connect_args=arguments)


def connect_file(path: Path) -> sqlite3.Connection:
    """A connection to an SQLite file that is there; it never makes one, so a lost disk is not a fresh start."""
    address = f"file:{quote(str(path.absolute()))}?mode=rw"
    made = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
    made.execute("PRAGMA foreign_keys = ON")
    made.execute("PRAGMA synchronous = FULL")
    return made


def mark(url: str) -> tuple[int, ...] | None:
    """What differs after every change of an SQLite file; None where a change might not show, as right after another.

    A log of the changes that is empty comes and goes with every reader and counts for nothing.
    """
    path = file_of(url)
    if path is None:
        return None
    found: list[int] = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            told = file.stat()
        except OSError:
            continue
        if told.st_size:
            found += (told.st_ino, told.st_size, told.st_mtime_ns)
    settled = found and time.time_ns() - max(found[2::3]) > _SETTLED_NS
    return tuple(found) if settled else None


def create_file(path: Path) -> bool:
    """Make the file, readable by its owner only; False where it was there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        raise UnavailableError(f"{path}: the database file cannot be made ({error.strerror}).") from error
    with sqlite3.connect(path, isolation_level=None) as made:
        made.execute("PRAGMA journal_mode = WAL")
    made.close()
    return True


def _begin(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def reading(source: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one moment of the records."""
    with explained(), source.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(source: sa.Engine, chained: bool = True) -> Iterator[sa.Connection]:
    """A connection whose changes are all kept at the end, or none of them. Writers of the chain take turns."""
    with explained(), source.connect() as plain:
        connection = plain.execution_options(writing=True)
        with connection.begin():
            if chained and connection.dialect.name == "postgresql":
                connection.execute(sa.text(f"LOCK TABLE {AUDIT.name} IN SHARE ROW EXCLUSIVE MODE"))
            yield connection


@contextmanager
def explained() -> Iterator[None]:
    """Turns what a driver raises into `UnavailableError` that says what happened and what to do."""
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, sqlite3.Error) as error:
        raise UnavailableError(_answer(error)) from error


def _answer(error: Any) -> str:
    told = str(getattr(error, "orig", None) or error).lower()
    for sign, what, remedy in _ANSWERS:
        if sign in told:
            return f"The records: {what}. {remedy}"
    if isinstance(error, sa.exc.IntegrityError):
        return "The records: the database refused the change, because it contradicts what is kept."
    return "The records: the database does not answer. Check that it runs; the change was not made."
