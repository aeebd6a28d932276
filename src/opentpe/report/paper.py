"""The blocks that printed papers are made of."""

from __future__ import annotations

from dataclasses import dataclass

from opentpe.report.view import Table


@dataclass(frozen=True, slots=True)
class Row:
    """A label with its value; `open` where the record does not say and the reader writes."""

    label: str
    value: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a paper: rows, boxes to tick, sentences, or a table."""

    title: str = ""
    rows: tuple[Row, ...] = ()
    ticks: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    table: Table | None = None

    def told(self) -> str:
        """The block as plain text, one paragraph: for a message instead of a page."""
        rows = [f"{row.label}: {row.value}" for row in self.rows if row.value]
        body = " ".join((*rows, *self.ticks, *self.texts))
        return f"{self.title}: {body}" if self.title and body else body

    @property
    def empty(self) -> bool:
        """True where there is nothing to print."""
        return not (self.rows or self.ticks or self.texts or self.table)
