"""How a number is written, once for terminal, page, leaflet and letter: digits, units, bands, dates and frequencies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from opentpe.domain.consultation import Band

MINUS: Final = "\u2212"
NARROW: Final = "\u202f"  # narrow no-break space between a number and its unit
UNITS: Final = {
    "1": "",
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "umol/L": "µmol/L",
    "10*9/L": "×10⁹/L",
    "ug/mL": "µg/mL",
    "mg/L": "mg/L",
}
# Decimals that a bedside reader expects; anything else gets three significant digits.
_DECIMALS: Final = {"mL": 0, "L": 1, "%": 0, "mm[Hg]": 0, "/min": 0, "min": 0, "ms": 0, "Cel": 1, "mmol/L": 2}


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a language writes numbers and dates."""

    decimal: str
    to: str
    months: tuple[str, ...]
    months_short: tuple[str, ...]
    weekdays: tuple[str, ...]
    date_long: str
    date_day: str
    date_short: str


def numbers(texts: Mapping[str, str]) -> Numbers:
    """The number words of a language out of its sentence files."""
    return Numbers(
        texts.get("number.decimal", "."),
        texts.get("number.to", "to"),
        tuple(texts.get("number.months", "").split()),
        tuple(texts.get("number.months_short", "").split()),
        tuple(texts.get("number.weekdays", "").split()),
        texts.get("number.date_long", ""),
        texts.get("number.date_day", ""),
        texts.get("number.date_short", ""),
    )


def unit(ucum: str) -> str:
    """A unit as it is printed: `mm[Hg]` becomes mmHg, `1` nothing."""
    return UNITS.get(ucum, ucum)


def fixed(value: float, decimals: int, style: Numbers) -> str:
    """A number with a fixed count of decimals, a true minus sign and never "-0"."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS).replace(".", style.decimal)


def honest(value: float, style: Numbers, digits: int = 3) -> str:
    """A number with so many significant digits and no trailing zeros: 2.5, 0.0123, 2950, 10 000."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 10_000:
        return f"{value:,.0f}".replace(",", NARROW).replace("-", MINUS)
    if value == 0:
        return "0"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS).replace(".", style.decimal)


def decimals_for(ucum: str, size: float) -> int:
    """Decimals for a quantity: by its unit, otherwise two significant digits of its size."""
    if ucum in _DECIMALS:
        return _DECIMALS[ucum]
    if size <= 0:
        return 1
    return min(max(1 - math.floor(math.log10(size)), 0), 3)


def amount(value: float, ucum: str, style: Numbers, decimals: int | None = None) -> str:
    """A number with its unit: "2500 mL", "0.38"."""
    places = decimals_for(ucum, abs(value)) if decimals is None else decimals
    return with_unit(fixed(value, places, style), ucum)


def with_unit(text: str, ucum: str) -> str:
    """A written number with its unit behind a narrow space."""
    return f"{text}{NARROW}{unit(ucum)}" if unit(ucum) else text


def band(value: Band, style: Numbers, *, bare: bool = False) -> str:
    """Median and 90 % band: "1.5 g/L (1.1 to 2.0)"; `bare` leaves the unit to a table's head."""
    places = min(decimals_for(value.unit, abs(value.median)), decimals_for(value.unit, abs(value.p95)) + 1)
    low, middle, high = (_above_nought(v, places, style) for v in (value.p05, value.median, value.p95))
    head = middle if bare else with_unit(middle, value.unit)
    return head if low == high == middle else f"{head} ({low} {style.to} {high})"


def _above_nought(value: float, places: int, style: Numbers) -> str:
    """A number that rounding would print as nought is written as below the last figure."""
    if 0 < value < 0.5 * 10.0**-places:
        return "<" + fixed(10.0**-places, places, style)
    return fixed(value, places, style)


def percent(value: Band, style: Numbers) -> str:
    """A share in per cent with its 90 % band: "62 % (55 to 68)"."""
    scaled = Band(100 * value.median, 100 * value.p05, 100 * value.p25, 100 * value.p75, 100 * value.p95, "%")
    return band(scaled, style)


def long_date(day: date, style: Numbers) -> str:
    """Day, month in full and year, as in 20 February 2026."""
    return _dated(day, style.date_long, style)


def day(day: date, style: Numbers) -> str:
    """Weekday, day and month in short, as in Fri 20 Feb."""
    return _dated(day, style.date_day, style)


def short_date(day: date, style: Numbers) -> str:
    """Day and month in short, as in 20 Feb."""
    return _dated(day, style.date_short, style)


def _dated(day: date, pattern: str, style: Numbers) -> str:
    return pattern.format(
        weekday=style.weekdays[day.weekday()],
        day=day.day,
        month=style.months[day.month - 1],
        month_short=style.months_short[day.month - 1],
        year=day.year,
    )


def written(value: Any, spec: str, style: Numbers) -> str:
    """A number, band or date in a sentence; `spec` is a count of decimals, or day, date, short, pct, bare."""
    if isinstance(value, Band):
        return percent(value, style) if spec == "pct" else band(value, style, bare=spec == "bare")
    if isinstance(value, date):
        return {"day": day, "short": short_date}.get(spec, long_date)(value, style)
    if isinstance(value, int | float):
        if spec == "pct":
            return with_unit(fixed(100 * value, 0, style), "%")
        return fixed(value, int(spec), style) if spec.isdigit() else honest(float(value), style)
    return str(value)
