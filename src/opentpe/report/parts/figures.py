"""What the figures show: series, limits, session marks and the words for those who cannot see them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from opentpe.domain.consultation import Consultation, Forecast, Series
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.view import Figure, Limit, Measured, Panel

HIDDEN: Final = ("potassium",)  # hidden until validated (practice 1.10)
MINUTES_PER_DAY: Final = 1440
_MAIN: Final = ("igg", "fibrinogen")
_SESSION: Final = ("ionised_calcium", "relative_blood_volume", "mean_pressure")
_TONES: Final = {
    "igg": "igg",
    "fibrinogen": "fibrinogen",
    "albumin": "albumin",
    "igm": "igm",
    "ionised_calcium": "citrate",
    "citrate": "citrate",
    "relative_blood_volume": "blood",
    "mean_pressure": "ink",
}
# After IgG and fibrinogen; what is not named here follows.
_ORDER: Final = ("albumin", "igm", "iga", "igg1", "igg2", "igg3", "igg4", "c3", "c4", "antithrombin")


def course(consultation: Consultation, desk: Desk) -> Figure | None:
    """IgG, fibrinogen and the patient's own drugs over the course and the two weeks after it."""
    forecast = consultation.forecast
    if forecast is None:
        return None
    wanted = (*_MAIN, *(d.drug for d in forecast.drugs))
    last = forecast.sessions[-1].start_min / MINUTES_PER_DAY if forecast.sessions else 0.0
    until = 7.0 * math.ceil((last + 14) / 7)
    panels = tuple(_panel(s, desk, forecast, until) for name in wanted if (s := forecast.over(name)) is not None)
    if not panels:
        return None
    return _days("course", panels, consultation, desk, until, "stacked")


def other_solutes(consultation: Consultation, desk: Desk) -> Figure | None:
    """Every other solute over the whole time that was computed, as small multiples."""
    forecast = consultation.forecast
    if forecast is None:
        return None
    shown = (*_MAIN, *(d.drug for d in forecast.drugs), *HIDDEN)
    series = [s for s in forecast.series if s.name not in shown and s.time_min and concerns(s.name, consultation)]
    series.sort(key=lambda s: _ORDER.index(s.name) if s.name in _ORDER else len(_ORDER))
    if not series:
        return None
    until = 7.0 * math.ceil(max(s.time_min[-1] for s in series) / MINUTES_PER_DAY / 7)
    return _days("others", tuple(_panel(s, desk) for s in series), consultation, desk, until, "multiples")


def concerns(name: str, consultation: Consultation) -> bool:
    """An antibody of another disease is drawn only for a patient who has it."""
    if not name.startswith("anti_"):
        return True
    found = consultation.patient.latest(name.removeprefix("anti_"), consultation.on)
    return found is not None and found.answer == "positive"


def _days(
    key: str, panels: tuple[Panel, ...], consultation: Consultation, desk: Desk, until: float, layout: str
) -> Figure:
    order, forecast = consultation.order, consultation.forecast
    sessions = forecast.sessions if forecast else ()
    if order and order.dates:
        axis = desk.say("axis.days_dated", day=words.day(order.dates[0], desk.sentences.numbers))
    else:
        axis = desk.say("axis.days")
    marks = tuple((s.start_min / MINUTES_PER_DAY, str(s.n)) for s in sessions)
    about = desk.say("figure.marks", n=len(marks)) if marks else ""
    return Figure(
        key, desk.say(f"figure.{key}"), _describe(panels, desk, about), panels, axis, "day", until, marks, layout
    )


def session(forecast: Forecast, desk: Desk) -> Figure | None:
    """Ionised calcium, relative blood volume and pressure over the first session."""
    found = {s.name: s for s in forecast.session_series}
    names: list[str] = [n for n in _SESSION if n in found]
    if "mean_pressure" not in found and "systolic_pressure" in found:
        names.append("systolic_pressure")
    return _minutes("session", [found[n] for n in names], forecast, desk)


def more_of_the_session(forecast: Forecast, desk: Desk) -> Figure | None:
    """Every other quantity of the first session, as small multiples."""
    series = [s for s in forecast.session_series if s.name not in (*_SESSION, *HIDDEN)]
    return _minutes("more_session", series, forecast, desk)


def _minutes(key: str, series: Iterable[Series], forecast: Forecast, desk: Desk) -> Figure | None:
    panels = tuple(_panel(s, desk) for s in series if s.time_min)
    if not panels:
        return None
    until = max(p.series.time_min[-1] for p in panels)
    end = forecast.sessions[0].duration_min if forecast.sessions else 0.0
    marks = ((end, desk.say("figure.end_of_run")),) if 0 < end < until else ()
    title, axis = desk.say(f"figure.{key}"), desk.say("axis.minutes")
    return Figure(key, title, _describe(panels, desk, ""), panels, axis, "minute", until, marks, "multiples")


def _panel(series: Series, desk: Desk, forecast: Forecast | None = None, until: float = math.inf) -> Panel:
    kind = "solute" if desk.sentences.has(f"solute.{series.name}") else "quantity"
    drug = forecast is not None and series.name in {d.drug for d in forecast.drugs}
    seen = [v for t, v in zip(series.time_min, series.median, strict=True) if t <= until * MINUTES_PER_DAY]
    return Panel(
        series=series,
        title=desk.title(kind, series.name),
        unit=words.unit(series.unit) or (desk.say("figure.of_start") if kind == "solute" else ""),
        tone="drug" if drug else _TONES.get(series.name, "ink"),
        limits=_limits(series, desk),
        measured=_measured(series, forecast),
        from_zero=kind == "solute",
        end=desk.amount(seen[-1], series.unit) if seen else "",
    )


def _limits(series: Series, desk: Desk) -> tuple[Limit, ...]:
    """Limits that the library draws into the figure of a quantity, in the unit of its series."""
    found = desk.library.document("limits_shown").get(series.name, {})
    limits = []
    for name, node in found.items():
        value = desk.library.value(node["same_as"]) if "same_as" in node else float(node["value"])
        label = desk.say(f"limit.{series.name}.{name}", value=value)
        limits.append(Limit(value, label))
    return tuple(limits)


def _measured(series: Series, forecast: Forecast | None) -> tuple[Measured, ...]:
    if forecast is None:
        return ()
    return tuple(
        Measured(m.time_min, m.value, m.value, m.value)
        for m in forecast.course.measurements
        if m.solute == series.name and m.unit == series.unit
    )


def _describe(panels: tuple[Panel, ...], desk: Desk, about: str) -> str:
    style = desk.sentences.numbers
    parts = []
    for panel in panels:
        places = words.decimals_for(panel.series.unit, abs(panel.series.median[0]))
        first, low, last = (
            words.fixed(v, places, style)
            for v in (panel.series.median[0], min(panel.series.median), panel.series.median[-1])
        )
        parts.append(desk.say("figure.describe", name=panel.title, first=first, low=low, last=last, unit=panel.unit))
    return " ".join([*parts, about]).strip()
