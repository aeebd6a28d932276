"""`opentpe records`: backup, restore, move between versions, import, export, accounts."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

from opentpe.cli import common
from opentpe.errors import InputError

app = typer.Typer(no_args_is_help=True, help="The records of the unit: backup, restore, import, export, accounts.")
Why = Annotated[str, typer.Option("--why", help="Reason that is kept with every change.")]


@app.command(short_help="Write a checked backup while the server runs.")
def backup(
    file: Annotated[Path, typer.Argument(help="New file: .db copies SQLite, any other name gets JSON lines.")],
    database: common.Database = common.DATABASE,
) -> None:
    """Write a checked backup of everything, while the server runs."""
    from opentpe.records import backup as copies

    verdict = copies.save(common.store(database), file)
    print(f"{file}: {verdict.versions_count} versions of records, {verdict.lines_count} audit lines")
    print(f"head {verdict.head}")
    print("Keep the head apart from the file: `opentpe audit verify --head` finds a chain that was cut off.")


@app.command(short_help="Fill an empty database from a backup.")
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    database: common.Database = common.DATABASE,
    replace: Annotated[bool, typer.Option("--replace", help="Move an SQLite file that is there aside.")] = False,
) -> None:
    """Fill an empty database from a backup, and check it."""
    from opentpe.records import backup as copies

    verdict = copies.restore(file, common.store(database, prepare=False), replace)
    print(f"restored: {verdict.versions_count} versions of records, {verdict.lines_count} audit lines, sound")


@app.command(short_help="Move the tables to another version.")
def upgrade(
    backup_to: Annotated[Path, typer.Argument(help="Backup that is written first (JSON lines).")],
    database: common.Database = common.DATABASE,
    to: Annotated[str, typer.Option("--to", help="Revision to move to; lower ones move down.")] = "head",
) -> None:
    """Move the tables to another version, with what is in them, after a backup."""
    from opentpe.records import backup as copies
    from opentpe.records import migrate

    store = common.store(database, prepare=False)
    before = copies.save_unchecked(store, backup_to)
    print(f"{backup_to}: {before} rows saved")
    print(f"revision {migrate.revision(store.engine)} -> {migrate.move(store.engine, to)}")


@app.command("export", short_help="Write all records as CSV files or a FHIR bundle.")
def export_all(
    out: Annotated[Path, typer.Argument(help="A folder for CSV files, or a .json file for a FHIR bundle.")],
    database: common.Database = common.DATABASE,
) -> None:
    """Write everything that is in use as CSV files or as one FHIR bundle."""
    from opentpe.records import exchange_csv, exchange_fhir

    store, who = common.store(database), _who()
    if out.suffix == ".json":
        data = exchange_fhir.bundle(store, common.library(None), who)
        common.write_whole(out, json.dumps(data, ensure_ascii=False, indent=1) + "\n")
        print(f"{out}: {len(data['entry'])} resources")
        return
    for name, count in exchange_csv.save(store, out, who).items():
        print(f"{out / name}.csv: {count}")


@app.command("import", short_help="Take in records from CSV or FHIR: all or nothing.")
def import_all(
    source: Annotated[Path, typer.Argument(help="A folder of CSV files, or a FHIR bundle exported by OpenTPE.")],
    database: common.Database = common.DATABASE,
    why: Why = "import",
) -> None:
    """Take in records from CSV files or a FHIR bundle: all of them, or none."""
    from opentpe.records import exchange_csv, exchange_fhir

    store, who = common.store(database), _who()
    if source.is_dir():
        taken = exchange_csv.load(store, source, who, why)
    else:
        taken = exchange_fhir.take(store, _json(source), who, why)
    print(f"{taken.added_count} added, {taken.changed_count} changed, {taken.same_count} as they were")


def _json(source: Path) -> object:
    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(source), "a file that cannot be read", "JSON, or a folder of CSV files") from error


@app.command("add-account", short_help="Make an account; the password is asked for.")
def add_account(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    role: Annotated[str, typer.Option("--role", help="physician, nurse, trainee, viewer or admin.")],
    full_name: Annotated[str, typer.Option("--full-name", help="Name as it stands on orders.")] = "",
    database: common.Database = common.DATABASE,
) -> None:
    """Make an account; the password is asked for, never taken from the command line."""
    from opentpe.records import accounts, kinds
    from opentpe.web import passwords

    if role not in list(kinds.Role):
        raise InputError("--role", repr(role), ", ".join(kinds.Role))
    store = common.store(database)
    hashed = passwords.hashed(_asked_password())
    made = store.add(kinds.Account(name=name, full_name=full_name, role=kinds.Role(role)), _who(), "account made")
    accounts.set_password(store, made.id, hashed, _who())
    print(f"account {name} ({role})")


@app.command("set-password", short_help="Set a new password and end the sessions.")
def set_password(
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    database: common.Database = common.DATABASE,
) -> None:
    """Set a new password and end the account's sessions."""
    from opentpe.records import accounts
    from opentpe.web import passwords

    store = common.store(database)
    account = accounts.named(store, name)
    if account is None:
        raise InputError("NAME", repr(name), "an account that is there")
    accounts.set_password(store, account.id, passwords.hashed(_asked_password()), _who())
    print(f"new password for {name}; its sessions are ended")


def _asked_password() -> str:
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise InputError("password", "two different entries", "the same password twice")
    return first


def _who() -> str:
    """The person at the keyboard, as the records name them."""
    return f"console:{getpass.getuser()}"
