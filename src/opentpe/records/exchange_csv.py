"""Everything as CSV: a file per kind, a line per record in use; parts of a record stand as JSON in a cell."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from opentpe.errors import InputError, UnavailableError
from opentpe.records.canonical import canonical
from opentpe.records.exchange import EXCHANGED, Incoming, Taken, take_in
from opentpe.records.kinds import Body
from opentpe.records.store import Kept, Store

_OWN: Final = ("id", "version", "patient")
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "'")  # a spreadsheet would run these as formulas
_CELL_CHARACTERS: Final = 16_000_000


def save(store: Store, folder: Path, who: str) -> dict[str, int]:
    """Writes every record in use; lines written per file."""
    counts: dict[str, int] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in EXCHANGED:
            records = store.current(kind)
            with (folder / f"{kind.table}.csv").open("w", newline="", encoding="utf-8") as out:
                rows = csv.DictWriter(out, [*_OWN, *kind.model_fields], lineterminator="\n")
                rows.writeheader()
                rows.writerows(_row(kept) for kept in records)
            counts[kind.table] = len(records)
    except OSError as error:
        raise UnavailableError(f"{folder}: the files could not be written ({error.strerror}).") from error
    store.note("export", who, "CSV")
    return counts


def _row(kept: Kept[Body]) -> dict[str, str]:
    said = kept.body.model_dump(mode="json")
    own = {"id": kept.id, "version": str(kept.version), "patient": kept.patient_id or ""}
    return own | {name: _cell(said[name], f.annotation) for name, f in type(kept.body).model_fields.items()}


def _cell(value: Any, annotation: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and annotation is not Any:
        return f"'{value}" if value.startswith(_RISKY) else value
    return canonical(value)


def load(store: Store, folder: Path, who: str, why: str) -> Taken:
    """Takes in every file of the folder that is named like a kind; InputError names file and line."""
    files = [folder / f"{kind.table}.csv" for kind in EXCHANGED]
    if not any(file.is_file() for file in files):
        raise InputError(str(folder), "no CSV files of ours", f"files such as {EXCHANGED[0].table}.csv")
    csv.field_size_limit(_CELL_CHARACTERS)
    items = [i for kind, file in zip(EXCHANGED, files, strict=True) if file.is_file() for i in _read(kind, file)]
    return take_in(store, items, who, why)


def _read(kind: type[Body], file: Path) -> Iterator[Incoming]:
    with file.open(newline="", encoding="utf-8-sig") as text:
        try:
            rows = csv.DictReader(text, strict=True)
            unknown = sorted(set(rows.fieldnames or ()) - {*_OWN, *kind.model_fields})
            if unknown:
                raise InputError(file.name, f"the column {unknown[0]!r}", f"of {', '.join(kind.model_fields)}")
            for number, row in enumerate(rows, 2):
                yield _incoming(kind, row, f"{file.name}, line {number}")
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(file.name, str(error), "a CSV file in UTF-8") from error


def _incoming(kind: type[Body], row: dict[str, str | None], where: str) -> Incoming:
    version = row.get("version") or "0"
    if not version.isdecimal():
        raise InputError(where, f"version {version!r}", "a whole number, or nothing")
    said = {name: _value(kind, name, text) for name, text in row.items() if name in kind.model_fields and text}
    try:
        body = kind.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(where, f"{field}: {first['input']!r}"[:200], first["msg"]) from error
    return Incoming(where, body, row.get("id") or "", int(version), row.get("patient") or "")


def _value(kind: type[Body], name: str, text: str) -> Any:
    if kind.model_fields[name].annotation is str:
        return text[1:] if text.startswith("'") and text[1:].startswith(_RISKY) else text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
