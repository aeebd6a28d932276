"""A page of fit, plan or trial in the terminal: the same headline, sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from opentpe.report.learning import LearningView
from opentpe.report.view import Column, Table

_MANY: Final = 8  # columns, from which on bands go on a line of their own
_LONG: Final = 20  # letters of the first column
_WORDS: Final = (14, 12, 10, 9, 8, 7, 6)  # letters of a word that is not broken, the first that leaves room
_GAP: Final = 2
_WIDE: Final = 140  # letters of a terminal that holds everything side by side


def print_view(view: LearningView, console: Console | None = None) -> None:
    """Headline, what to look at, and the tables."""
    console = console or Console()
    console.print(Text(view.headline, style="bold"))
    for text in view.below:
        console.print(Text(text, style="bright_black"))
    for part in view.parts:
        if part.items or part.table:
            console.print()
            console.print(Text(part.title, style="bold"))
        for text in part.items:
            console.print(Text(f"  {text}"))
        if part.table:
            console.print(_table(part.table, console.width))
    console.print(Text(view.footer, style="bright_black"))


def _table(table: Table, width: int) -> RichTable | Group:
    """A table; in a narrow terminal bands break at "to", and long names that differ stand above it, by number."""
    names = [row[0] for row in table.rows]
    if len(table.columns) < _MANY or width >= _WIDE:
        return _grid(table.columns, table.rows, width)
    rows = [(row[0], *(_broken(cell) for cell in row[1:])) for row in table.rows]
    if len(set(names)) < len(names) or max(map(len, names), default=0) < _LONG:
        return _grid(table.columns, rows, width)
    named = [Text(f"  {n + 1}  {name}") for n, name in enumerate(names)]
    numbers = [(str(n + 1), *row[1:]) for n, row in enumerate(rows)]
    return Group(*named, "", _grid(table.columns, numbers, width))


def _broken(cell: str) -> str:
    """The middle over its band, so that no number is broken."""
    middle, _, band = cell.partition(" (")
    return f"{middle}\n{band.removesuffix(')').replace(' to ', ' to' + chr(10))}" if band else cell


def _grid(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> RichTable:
    """The table with as few broken words as the width allows."""
    longest = [
        max(len(word) for text in (c.head, *(row[n] for row in rows)) for word in text.split() or [""])
        for n, c in enumerate(columns)
    ]
    fits = next((w for w in _WORDS if sum(min(x, w) + _GAP for x in longest) <= width), 1)
    shown = RichTable(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    for column, word in zip(columns, longest, strict=True):
        justify: JustifyMethod = "right" if column.numeric else "left"
        shown.add_column(column.head, justify=justify, overflow="fold", min_width=min(word, fits))
    for row in rows:
        shown.add_row(*row)
    return shown
