"""A forecast in the terminal, without a consultation around it."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from opentpe.domain.consultation import Band, Forecast
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.evidence.load import Library
from opentpe.report import sentences
from opentpe.report.desk import Desk

_MAIN: Final = ("igg", "fibrinogen")
_WITH_BANDS: Final = 4  # solutes that fit beside each other with their bands


def print_forecast(forecast: Forecast, library: Library, console: Console, language: str = "en") -> None:
    """Sessions with volumes and the main solutes, then every moment asked for, then what was assumed."""
    desk = Desk(sentences.load(language), {}, library)
    console.print(Text(forecast.words, style="bold"))
    console.print(f"Plasma volume {desk.band(forecast.plasma_volume_ml)}")
    console.print(_sessions(forecast, desk))
    if forecast.moments:
        console.print(_moments(forecast, desk))
    for drug in forecast.drugs:
        console.print(Text(" ".join(desk.line(line).text for line in drug.lines)))
    for line in (*forecast.warnings, *forecast.assumed):
        console.print(Text(desk.line(line).text, style="bright_black"))
    if made := forecast.versions:
        rests_on = f"OpenTPE {made.opentpe}, library {made.library[:12]}, {made.draws_count} draws, seed {made.seed}."
        console.print(Text(f"{rests_on} Not a medical device.", style="bright_black"))


def _shown(forecast: Forecast) -> list[str]:
    names = [name for name, _ in forecast.sessions[0].pre]
    return [name for name in names if name in _MAIN] or names[:2]


def _sessions(forecast: Forecast, desk: Desk) -> Table:
    shown = _shown(forecast)
    table = _table("Sessions")
    for head in ("no.", "day", "plasma\nmL", "bag\nmL", "run\nmin"):
        table.add_column(head, justify="right", no_wrap=True)
    for name in shown:
        unit = dict(forecast.sessions[0].pre)[name].unit
        table.add_column(f"{desk.title('solute', name)}\nbefore", justify="right", no_wrap=True)
        table.add_column(f"{unit}\nafter", justify="right", no_wrap=True)
    for s in forecast.sessions:
        pre, post = dict(s.pre), dict(s.post)
        cells = [cell for name in shown for cell in (_cell(pre[name], desk), _cell(post[name], desk))]
        day = f"{s.start_min / MINUTES_PER_DAY:.0f}"
        volumes = (f"{s.plasma_removed_ml:.0f}", f"{s.bag_ml:.0f}", f"{s.duration_min:.0f}")
        table.add_row(str(s.n), day, *volumes, *cells)
    return table


def _moments(forecast: Forecast, desk: Desk) -> Table:
    """Moments down and solutes across with bands; many solutes stand down with medians."""
    solutes = [(name, f"{desk.title('solute', name)}, {first.unit}") for name, first in forecast.moments[0].values]
    table = _table("After the last session")
    if len(solutes) <= _WITH_BANDS:
        for head in ("", *(title for _, title in solutes)):
            table.add_column(head, justify="right", no_wrap=True)
        for m in forecast.moments:
            table.add_row(m.label, *(_cell(dict(m.values)[name], desk) for name, _ in solutes))
        return table
    table.add_column("median", no_wrap=True)
    for m in forecast.moments:
        table.add_column(m.label, justify="right", no_wrap=True)
    for name, title in solutes:
        medians = [desk.band(dict(m.values)[name], bare=True).partition(" (")[0] for m in forecast.moments]
        table.add_row(title, *medians)
    return table


def _table(title: str) -> Table:
    return Table(
        box=None,
        header_style="bold",
        title=title,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        collapse_padding=True,
    )


def _cell(of: Band, desk: Desk) -> Text:
    """Median with the 90 % band below it."""
    middle, _, spread = desk.band(of, bare=True).partition(" (")
    return Text.assemble(middle, (f"\n({spread}", "bright_black") if spread else "")
