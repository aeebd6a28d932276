"""The scales of the front door: a table in a file as rows of named cells, Parquet or CSV, and one cell as a number."""

from __future__ import annotations

import csv
import io
import math
from typing import Any, Final

from opentpe.errors import InputError

_PARQUET: Final = b"PAR1"
_MOST_ROWS: Final = 100_000  # more than a day of seconds


def read(name: str, data: bytes) -> list[dict[str, Any]]:
    """The rows of a Parquet or CSV file; `InputError` where there are none."""
    rows = _parquet(name, data) if data[:4] == _PARQUET else _csv(name, data)
    if not rows:
        raise InputError(name, "no rows", "a table with a line of column names and at least one row")
    return rows


def _parquet(name: str, data: bytes) -> list[dict[str, Any]]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra
    except ImportError:
        remedy = "pip install 'opentpe[tables]', or import the CSV sheet."
        raise InputError(name, "no Parquet reader", "the extra [tables]", remedy) from None
    try:
        table = pq.read_table(pa.BufferReader(data))
    except pa.ArrowInvalid as error:
        raise InputError(name, f"a damaged Parquet file ({str(error)[:80]})", "a log of `opentpe run --log`") from error
    if table.num_rows > _MOST_ROWS:
        raise InputError(name, f"{table.num_rows} rows", f"at most {_MOST_ROWS}")
    return list(table.to_pylist())


def _csv(name: str, data: bytes) -> list[dict[str, Any]]:
    """Rows of CSV with commas, semicolons or tabs; with semicolons or tabs a comma is the decimal point."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(name, "neither Parquet, JSON nor text", "a run sheet or log") from error
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    rows: list[dict[str, Any]] = []
    for i, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=mark)):
        if i >= _MOST_ROWS:
            raise InputError(name, f"more than {_MOST_ROWS} rows", f"at most {_MOST_ROWS}")
        if None in row:
            raise InputError(f"{name}, row {i + 1}", "more cells than columns", "one cell for each column name")
        rows.append({k.strip(): _point(v or "", mark) for k, v in row.items()})
    return rows


def _point(cell: str, mark: str) -> str:
    return cell.strip() if mark == "," else cell.strip().replace(",", ".")


def number(where: str, cell: object) -> float | None:
    """A cell as a number, None where it is empty; `InputError` for words and for what is not finite."""
    if cell is None or cell == "":
        return None
    try:
        value = float(str(cell))
    except ValueError:
        raise InputError(where, repr(cell), "a number", "Leave the cell empty where nothing was read.") from None
    if not math.isfinite(value):
        raise InputError(where, repr(cell), "a number", "Leave the cell empty where nothing was read.")
    return value
