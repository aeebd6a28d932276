"""A page of fit, plan or trial in the terminal: the same headline, sentences and tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from opentpe.report.learning import LearningView
from opentpe.report.view import Table


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
            console.print(_table(part.table))
    console.print(Text(view.footer, style="bright_black"))


def _table(table: Table) -> RichTable:
    shown = RichTable(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    for column in table.columns:
        shown.add_column(column.head, justify="right" if column.numeric else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*row)
    return shown
