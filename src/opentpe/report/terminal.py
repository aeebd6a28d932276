"""The terminal summary: the same view as the page, in a width of about 100 columns, with or without colour."""

from __future__ import annotations

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from opentpe.report.view import BenefitBar, Column, ReportView, Said, Table

_STYLES: Final = {"act": "cyan", "urgent": "red", "wait": "yellow", "stop": "yellow", "quiet": "bright_black"}
_SHAPES: Final = {"act": "●", "urgent": "▲", "wait": "◆", "stop": "◆", "quiet": "■"}
_BLOCKS: Final = {"none": "░", "mild": "▒", "moderate": "▓", "marked": "█"}
_ISSUES_SHOWN: Final = 6  # the rest stand in the report
_BAR: Final = 50  # characters for 100 people


def print_consultation(view: ReportView, console: Console) -> None:
    """Banner, order, forecast, harms, checks and benefit; the walk and the sources stay in the report."""
    console.print(Text(f"{view.patient}  {view.on}", style="bold"))
    if view.details:
        console.print(Text(view.details, style="bright_black"))
    console.print(_banner(view))
    for part in (_issues(view), _order(view), _forecast(view), _harms(view), _checks(view), _benefit(view)):
        if part is not None:
            console.print(part)
    console.print(Text(view.notice, style="bright_black"))
    console.print(Text(view.footer, style="bright_black"))


def _banner(view: ReportView) -> Panel:
    banner = view.banner
    colour = _STYLES[banner.tone]
    lines: list[RenderableType] = [Text(banner.text, style="bold"), Text(banner.strength)]
    if banner.dates:
        lines.append(Text(" ".join(banner.dates), style="bright_black"))
    lines += [Text(f"{i}  {_said(r)}") for i, r in enumerate(banner.reasons, 1)]
    if banner.missing:
        lines.append(Text(view.heading("missing"), style="yellow"))
        lines += [Text(f"◆  {_said(m)}") for m in banner.missing]
    title = Text(f"{_SHAPES[banner.tone]} {banner.tone_word}", style=f"bold {colour}")
    return Panel(Group(*lines), title=title, title_align="left", border_style=colour, padding=(0, 2))


def _said(line: Said) -> str:
    return f"{line.text} ({line.level})" if line.level else line.text


def _issues(view: ReportView) -> RenderableType | None:
    """What is wrong with the record: each entry, what was found, and what was done about it."""
    table = view.knowledge.issues
    if table is None:
        return None
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="yellow", no_wrap=True)
    grid.add_column()
    for what, where, found, expected, done in table.rows[:_ISSUES_SHOWN]:
        told = f"{where}: {found} ({view.heading('expected')} {expected})"
        grid.add_row(what, f"{told}: {done}" if done else told)
    if len(table.rows) > _ISSUES_SHOWN:
        grid.add_row("", f"+ {len(table.rows) - _ISSUES_SHOWN} {view.heading('issues_more')}")
    return _part(view.heading("issues"), grid)


def _order(view: ReportView) -> RenderableType | None:
    order = view.order
    if order is None:
        return None
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bright_black", no_wrap=True)
    grid.add_column()
    for line in order.lines:
        grid.add_row(line.label, line.text)
    if order.days and not order.days_told:
        grid.add_row(view.heading("days"), "  ".join(f"{n} {day}" for n, day in order.days))
    parts: list[RenderableType] = []
    if order.needs:
        parts.append(Text(f"{view.heading('needs')}: {', '.join(order.needs)}.", style="yellow"))
    parts.append(grid)
    return _part(view.heading("order"), Group(*parts))


def _forecast(view: ReportView) -> RenderableType | None:
    if view.forecast is None:
        return None
    parts: list[RenderableType] = [Text(view.forecast.summary), _table(view.forecast.sessions)]
    for drug in view.forecast.drugs:
        told = " ".join(line.text for line in drug.lines)
        parts.append(Text(f"{drug.name}: {drug.lost}. {told}" if drug.lost else f"{drug.name}: {told}"))
    return _part(view.heading("forecast"), Group(*parts))


def _table(table: Table) -> Grid:
    grid = Grid(box=None, padding=(0, 1, 0, 0), header_style="bright_black")
    for column in table.columns:
        head = f"{column.head}\n{column.unit}" if column.unit else column.head
        grid.add_column(
            head, justify="right" if column.numeric else "left", vertical="bottom", width=_widest(table, column)
        )
    for row in table.rows:
        grid.add_row(*(cell.split(" (")[0] for cell in row))
    return grid


def _widest(table: Table, column: Column) -> int:
    """Room for the longest cell and the longest word of the heading, so that nothing is cut in a narrow window."""
    at = table.columns.index(column)
    cells = (row[at].split(" (")[0] for row in table.rows)
    return max((len(text) for text in (*cells, *column.head.split(), column.unit)), default=1)


def _harms(view: ReportView) -> RenderableType | None:
    if not view.harms:
        return None
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bright_black")
    for head in ("event", "per_session", "per_course"):
        grid.add_column(view.heading(head))
    for group in view.harms:
        if len(view.harms) > 1:
            grid.add_row(Text(group.title, style="bold"), "", "")
        for harm in group.rows:
            grid.add_row(harm.event, harm.per_session, harm.per_course)
    return _part(view.heading("harm"), Group(grid, Text(view.harm_note, style="bright_black")))


def _checks(view: ReportView) -> RenderableType | None:
    if not view.checks:
        return None
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bright_black", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for moment in view.checks:
        for i, line in enumerate(moment.lines):
            grid.add_row("" if i else moment.when, line.label, line.text)
    return _part(view.heading("checks"), grid)


def _benefit(view: ReportView) -> RenderableType | None:
    if view.benefit is None:
        return None
    grid = Grid.grid(padding=(0, 2))
    before = ""
    for bar in view.benefit.bars:
        if bar.horizon != before:
            grid.add_row(Text(bar.horizon, style="bold"), "")
            before = bar.horizon
        grid.add_row(bar.arm, Text(_blocks(bar), style="cyan" if bar.chosen else ""))
        grid.add_row("", Text(f"{_counts(bar)}. {bar.summary}", style="bright_black"))
    return _part(view.heading("benefit"), grid)


def _blocks(bar: BenefitBar) -> str:
    return "".join(_BLOCKS[p.key] * round(p.count * _BAR / 100) for p in bar.parts)


def _counts(bar: BenefitBar) -> str:
    return ", ".join(f"{p.count} {p.label}" for p in bar.parts)


def _part(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(""), Text(title, style="bold"), Padding(body, (0, 0, 0, 2)))
