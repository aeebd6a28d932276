"""A forecast in the terminal, without a consultation around it."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table

from opentpe.domain.consultation import Band, Forecast
from opentpe.report import sentences
from opentpe.report import words_of_numbers as written

_MAIN: Final = ("igg", "fibrinogen")


def print_forecast(forecast: Forecast, console: Console) -> None:
    """Sessions with volumes and the main solutes, then every moment asked for."""
    text = sentences.load("en")
    console.print(f"[bold]{forecast.words}[/bold]")
    console.print(f"Plasma volume {written.band(forecast.plasma_volume_ml, text.numbers)}")
    first = forecast.sessions[0]
    shown = [name for name, _ in first.pre if name in _MAIN] or [name for name, _ in first.pre][:3]
    console.print(_sessions(forecast, shown, text))
    console.print(_moments(forecast, text))
    for line in (*forecast.warnings, *forecast.assumed):
        console.print(f"[bright_black]{text.say(line.code, dict(line.values))}[/bright_black]")
    if made := forecast.versions:
        rests_on = f"OpenTPE {made.opentpe}, library {made.library[:12]}, {made.draws_count} draws, seed {made.seed}."
        console.print(f"[bright_black]{rests_on} Not a medical device.[/bright_black]")


def _sessions(forecast: Forecast, shown: list[str], text: sentences.Sentences) -> Table:
    table = Table(box=None, header_style="bold", title="Sessions", title_justify="left", title_style="bold")
    for head in ("no.", "start", "plasma mL", "bag mL", "run min"):
        table.add_column(head, justify="right")
    for name in shown:
        table.add_column(f"{text.word('solute', name)} before", justify="right")
        table.add_column("after", justify="right")
    for s in forecast.sessions:
        pre, post = dict(s.pre), dict(s.post)
        cells = [cell for name in shown for cell in (_cell(pre[name], text), _cell(post[name], text))]
        table.add_row(str(s.n), f"day {s.start_min / 1440:.0f}", f"{s.plasma_removed_ml:.0f}", f"{s.bag_ml:.0f}",
                      f"{s.duration_min:.0f}", *cells)  # fmt: skip
    return table


def _moments(forecast: Forecast, text: sentences.Sentences) -> Table:
    table = Table(
        box=None, header_style="bold", title="After the last session", title_justify="left", title_style="bold"
    )
    table.add_column("")
    for moment in forecast.moments:
        table.add_column(moment.label, justify="right")
    names = [name for name, _ in forecast.moments[0].values] if forecast.moments else []
    for name in names:
        table.add_row(text.word("solute", name), *(_cell(dict(m.values)[name], text) for m in forecast.moments))
    return table


def _cell(band: Band, text: sentences.Sentences) -> str:
    return written.band(band, text.numbers, bare=True)
