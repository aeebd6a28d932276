"""Laboratory values in the unit a reader thinks in: metric as computed, or conventional (mg/dL, g/dL)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from opentpe.domain.consultation import Band, Consultation, Forecast, Moment, Series, SessionForecast
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.view import Figure, ForecastView, Limit, Measured, Panel, ReportView
from opentpe.units import convert

# Proteins that laboratories with conventional units report in mg/dL; albumin is reported in g/dL.
_IN: Final = {"albumin": "g/dL", "total_protein": "g/dL"}
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)[\s\u202f]g/L")


def unit_of(name: str, unit: str, units: str) -> str:
    """The unit a solute is shown in."""
    return _IN.get(name, "mg/dL") if unit == "g/L" and units == "conventional" else unit


def factor(name: str, unit: str, units: str) -> float:
    """What a value in `unit` is multiplied with to be shown."""
    return convert(1.0, unit, unit_of(name, unit, units), name) if unit == "g/L" and units == "conventional" else 1.0


def shown(consultation: Consultation, units: str) -> Consultation:
    """The consultation with its solutes in the reader's unit; everything else as it was."""
    if units != "conventional" or consultation.forecast is None:
        return consultation
    return replace(consultation, forecast=_forecast(consultation.forecast))


def _forecast(forecast: Forecast) -> Forecast:
    return replace(
        forecast,
        sessions=tuple(_session(s) for s in forecast.sessions),
        moments=tuple(Moment(m.label, m.time_min, _bands(m.values)) for m in forecast.moments),
        series=tuple(series(s, "conventional") for s in forecast.series),
    )


def _session(session: SessionForecast) -> SessionForecast:
    return replace(session, pre=_bands(session.pre), post=_bands(session.post))


def _bands(rows: tuple[tuple[str, Band], ...]) -> tuple[tuple[str, Band], ...]:
    return tuple((name, band(name, value, "conventional")) for name, value in rows)


def band(name: str, value: Band, units: str) -> Band:
    """A band in the reader's unit."""
    k = factor(name, value.unit, units)
    if k == 1.0:
        return value
    unit = unit_of(name, value.unit, units)
    return Band(k * value.median, k * value.p05, k * value.p25, k * value.p75, k * value.p95, unit)


def series(row: Series, units: str) -> Series:
    """A series in the reader's unit."""
    k = factor(row.name, row.unit, units)
    if k == 1.0:
        return row
    lines = [tuple(k * v for v in getattr(row, p)) for p in ("median", "p05", "p25", "p75", "p95")]
    return Series(row.name, unit_of(row.name, row.unit, units), row.time_min, *lines)


def limits(view: ReportView) -> ReportView:
    """The report with limits and measured values in the unit of the series they are drawn into."""
    if view.forecast is None:
        return view
    forecast: ForecastView = view.forecast
    course, other = forecast.course_figure, forecast.other_figure
    return replace(
        view,
        forecast=replace(
            forecast, course_figure=_figure(course) if course else None, other_figure=_figure(other) if other else None
        ),
    )


def _figure(figure: Figure) -> Figure:
    return replace(figure, panels=tuple(_panel(p) for p in figure.panels))


def _panel(panel: Panel) -> Panel:
    unit = panel.series.unit
    if unit not in ("mg/dL", "g/dL"):
        return panel
    k = convert(1.0, "g/L", unit, panel.series.name)
    scaled = tuple(Limit(k * line.value, label(line.label, unit)) for line in panel.limits)
    dots = tuple(Measured(m.time, k * m.value, k * m.low, k * m.high) for m in panel.measured)
    return replace(panel, limits=scaled, measured=dots)


def label(text: str, unit: str) -> str:
    """A limit's label with its amount in another unit."""
    return _AMOUNT.sub(lambda m: words.NARROW.join((f"{convert(float(m[1]), 'g/L', unit, text):g}", unit)), text)


# Laboratory names that are no words of the report, as a ward writes them.
_NAMES: Final = {"alt": "ALT", "ast": "AST", "iga": "IgA", "igm": "IgM", "ph": "pH", "edss": "EDSS", "bmi": "BMI"}


def title(kind: str, pen: Desk) -> str:
    """What a finding is called at the head of a row."""
    return _NAMES.get(kind) or pen.title("finding", kind)
