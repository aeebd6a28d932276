"""The forecast: what is drawn, the table of sessions, the moments after the course, drugs and other solutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from opentpe.domain.consultation import Band, Consultation, DrugAdvice, Forecast, Moment, SessionForecast
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.parts import figures
from opentpe.report.view import Column, DrugView, ForecastView, Table

SHOWN: Final = ("igg", "fibrinogen")  # the default view; everything else is a click away


def build(consultation: Consultation, desk: Desk) -> ForecastView | None:
    """The forecast of a consultation, None where there is none."""
    forecast = consultation.forecast
    if forecast is None or not forecast.sessions:
        return None
    return ForecastView(
        course_figure=figures.course(consultation, desk),
        session_figure=figures.session(forecast, desk),
        other_figure=figures.other_solutes(consultation, desk),
        more_session_figure=figures.more_of_the_session(forecast, desk),
        sessions=_sessions(consultation, forecast, desk),
        nadirs=_nadirs(forecast, desk),
        balances=_balances(forecast, desk),
        moments=_moments(forecast, desk),
        others=_others(consultation, forecast, desk),
        drugs=tuple(_drug(d, desk) for d in forecast.drugs),
        warnings=tuple(desk.line(line) for line in forecast.warnings),
        summary=_summary(forecast, desk),
    )


def _summary(forecast: Forecast, desk: Desk) -> str:
    first, last = forecast.sessions[0], forecast.sessions[-1]
    parts = []
    for name in SHOWN:
        before, after = dict(first.pre).get(name), dict(last.post).get(name)
        if before and after:
            lowest = min((dict(s.pre)[name] for s in forecast.sessions if name in dict(s.pre)), key=lambda b: b.median)
            parts.append(
                desk.say(
                    f"summary.{name}",
                    before=desk.band(before),
                    after=desk.band(after),
                    lowest_before=desk.band(lowest),
                    sessions_count=len(forecast.sessions),
                )
            )
    return " ".join(parts)


def _bands(rows: Sequence[tuple[tuple[str, Band], ...]]) -> tuple[str, ...]:
    """Names that occur, in the order of their first occurrence."""
    return tuple(dict.fromkeys(name for row in rows for name, _ in row))


def _cell(row: tuple[tuple[str, Band], ...], name: str, desk: Desk) -> str:
    found = dict(row).get(name)
    return desk.band(found, bare=True) if found else "–"


def _sessions(consultation: Consultation, forecast: Forecast, desk: Desk) -> Table:
    order = consultation.order
    dates = {i + 1: words.day(on, desk.sentences.numbers) for i, on in enumerate(order.dates)} if order else {}
    columns = (
        Column(desk.say("column.session")),
        Column(desk.say("column.day"), numeric=False),
        Column(desk.say("column.plasma"), "mL (PV)"),
        Column(desk.say("column.bag"), "mL"),
        Column(desk.say("column.run_chair"), "min"),
        *_solute_columns(forecast, desk),
    )
    rows = tuple(_session(s, dates.get(s.n, _day_word(s, desk)), forecast, desk) for s in forecast.sessions)
    return Table(desk.say("caption.sessions"), columns, rows)


def _shown(forecast: Forecast) -> tuple[str, ...]:
    present = _bands([s.pre for s in forecast.sessions])
    drugs = tuple(d.drug for d in forecast.drugs)
    return tuple(n for n in (*SHOWN, *drugs) if n in present)


def _solute_columns(forecast: Forecast, desk: Desk) -> Iterator[Column]:
    units = {name: b.unit for s in forecast.sessions for name, b in s.pre}
    for name in _shown(forecast):
        for moment in ("before", "after"):
            yield Column(desk.title("solute", name) + " " + desk.say(f"word.{moment}"), words.unit(units[name]))


def _session(session: SessionForecast, on: str, forecast: Forecast, desk: Desk) -> tuple[str, ...]:
    style = desk.sentences.numbers
    cells = [
        str(session.n),
        on,
        f"{words.fixed(session.plasma_removed_ml, 0, style)} ({words.fixed(session.plasma_volumes, 2, style)})",
        words.fixed(session.bag_ml, 0, style),
        f"{words.fixed(session.duration_min, 0, style)} / {words.fixed(session.chair_min, 0, style)}",
    ]
    for name in _shown(forecast):
        cells += [_cell(session.pre, name, desk), _cell(session.post, name, desk)]
    return tuple(cells)


def _day_word(session: SessionForecast, desk: Desk) -> str:
    return desk.say("day_number", day=round(session.start_min / 1440))


def _nadirs(forecast: Forecast, desk: Desk) -> Table | None:
    names = tuple(n for n in _bands([s.nadir for s in forecast.sessions]) if n not in figures.HIDDEN)
    if not names:
        return None
    units = {name: b.unit for s in forecast.sessions for name, b in s.nadir}
    columns = (
        Column(desk.say("column.session")),
        *(Column(desk.title("quantity", n), words.unit(units[n])) for n in names),
    )
    rows = tuple((str(s.n), *(_cell(s.nadir, n, desk) for n in names)) for s in forecast.sessions)
    return Table(desk.say("caption.nadirs"), columns, rows)


def _balances(forecast: Forecast, desk: Desk) -> Table | None:
    """One row a quantity, one column a session: what was given, removed, metabolised; cells before and after."""
    sets = [dict((*s.balance, *s.cells)) for s in forecast.sessions]
    if not sets[0]:
        return None
    columns = (
        Column(desk.say("column.quantity"), numeric=False),
        Column(desk.say("column.unit"), numeric=False),
        *(Column(f"{desk.say('column.session')} {s.n}") for s in forecast.sessions),
    )
    rows = tuple(
        (desk.title("quantity", name), words.unit(band.unit), *(desk.band(one[name], bare=True) for one in sets))
        for name, band in sets[0].items()
    )
    return Table(desk.say("caption.balances"), columns, rows)


def _moments(forecast: Forecast, desk: Desk) -> Table | None:
    present = _bands([m.values for m in forecast.moments])
    names = [n for n in (*SHOWN, *(d.drug for d in forecast.drugs)) if n in present]
    if not names:
        return None
    units = {name: b.unit for m in forecast.moments for name, b in m.values}
    columns = (
        Column(desk.say("column.moment"), numeric=False),
        *(Column(desk.title("solute", n), words.unit(units[n])) for n in names),
    )
    rows = tuple((moment_words(m, desk), *(_cell(m.values, n, desk) for n in names)) for m in forecast.moments)
    return Table(desk.say("caption.moments"), columns, rows)


def moment_words(moment: Moment, desk: Desk) -> str:
    """A moment label such as "72h" in words: "72 h after the last session"."""
    number, unit = moment.label[:-1], moment.label[-1:]
    if number.replace(".", "").isdigit() and unit in ("h", "d"):
        return desk.say(f"moment.{unit}", n=number)
    return moment.label.replace("_", " ")


def _others(consultation: Consultation, forecast: Forecast, desk: Desk) -> Table | None:
    rows = tuple(
        (
            desk.title("solute", s.name),
            words.unit(s.unit),
            *(
                words.fixed(v, words.decimals_for(s.unit, s.median[0]), desk.sentences.numbers)
                for v in _three(s.median)
            ),
        )
        for s in forecast.series
        if s.name not in (*SHOWN, *figures.HIDDEN) and s.median and figures.concerns(s.name, consultation)
    )
    if not rows:
        return None
    columns = (
        Column(desk.say("column.solute"), numeric=False),
        Column(desk.say("column.unit"), numeric=False),
        Column(desk.say("column.at_start")),
        Column(desk.say("column.lowest")),
        Column(desk.say("column.at_end")),
    )
    return Table(desk.say("caption.others"), columns, rows)


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    return values[0], min(values), values[-1]


def _drug(advice: DrugAdvice, desk: Desk) -> DrugView:
    lost = advice.lost_fraction
    share = desk.say("drug.lost", share=words.percent(lost, desk.sentences.numbers)) if lost else ""
    return DrugView(desk.title("solute", advice.drug), share, tuple(desk.line(line) for line in advice.lines))
