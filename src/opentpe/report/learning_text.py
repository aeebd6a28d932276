"""A page of fit, plan or trial in the terminal: the same headline, sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from opentpe.report.learning import LearningView
from opentpe.report.view import Column, Table

_MANY: Final = 8  # columns, from which on long names stand above the table
_LONG: Final = 20  # letters of the first column
_WORDS: Final = (14, 12, 10, 9, 8, 7, 6)  # letters of a word that is not broken, the first that leaves room
_GAP, _EDGE = 1, 1  # letters between columns and at the end of a line
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
    """A table; in a narrow terminal long names that differ stand above it, by number."""
    names = [row[0] for row in table.rows]
    wide = len(table.columns) < _MANY or width >= _WIDE
    if wide or len(set(names)) < len(names) or max(map(len, names), default=0) < _LONG:
        return _grid(table.columns, table.rows, width)
    named = [Text(f"  {n + 1}  {name}") for n, name in enumerate(names)]
    numbers = [(str(n + 1), *row[1:]) for n, row in enumerate(table.rows)]
    return Group(*named, "", _grid(table.columns, numbers, width))


def _grid(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> RichTable:
    """The table with as few broken words as the width allows; never wider than the terminal."""
    cells = [[c.head, *(row[n] for row in rows)] for n, c in enumerate(columns)]
    words = [max(len(word) for text in column for word in text.split() or [""]) for column in cells]
    lines = [max(len(line) for text in column for line in text.split("\n")) for column in cells]
    fits = next((w for w in _WORDS if sum(min(x, w) + _GAP for x in words) + _EDGE <= width), 1)
    shown = RichTable(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    letters = _letters([min(x, fits) for x in words], (words, lines), width)
    for column, room in zip(columns, letters, strict=True):
        justify: JustifyMethod = "right" if column.numeric else "left"
        shown.add_column(column.head, justify=justify, overflow="fold", width=room)
    for row in rows:
        shown.add_row(row[0], *(_under(cell, room) for cell, room in zip(row[1:], letters[1:], strict=True)))
    return shown


def _under(cell: str, room: int) -> str:
    """A band that does not fit beside its middle stands under it, so that no number is broken."""
    middle, _, band = cell.partition(" (")
    if len(cell) <= room or not band.endswith(")"):
        return cell
    return f"{middle}\n{band.removesuffix(')')}" if " to " in band else f"{middle}\n({band}"


def _letters(least: Sequence[int], wishes: Sequence[Sequence[int]], width: int) -> list[int]:
    """The width of each column: what it needs, then letter by letter what it wishes for: whole words, whole lines."""
    found = list(least)
    room = width - sum(found) - _GAP * len(found) - _EDGE
    for wish in wishes:
        while room > 0 and (wanting := [n for n, letters in enumerate(wish) if letters > found[n]]):
            for n in wanting[:room]:
                found[n] += 1
            room -= len(wanting[:room])
    return found
