"""Named questions about steroids: what was really taken, whether it was a complete regimen, how it was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from opentpe.domain.decision import Fact
from opentpe.domain.relapse import SteroidDose
from opentpe.pathway.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Regimen:
    """A regimen accepted as complete: so much methylprednisolone equivalent a day, on so many days."""

    key: str
    dose_mg_per_d: float
    days_count: int
    routes: tuple[str, ...] = ()


def regimens_of(document: Mapping[str, Any]) -> tuple[Regimen, ...]:
    """The accepted regimens of `evidence/steroids.toml`, largest dose first; source: in each entry."""
    rows = [
        Regimen(key, float(row["dose_mg_per_d"]["value"]), int(row["days_count"]["value"]), tuple(row["routes"]))
        for key, row in document["regimen"].items()
    ]
    return tuple(sorted(rows, key=lambda r: (-r.dose_mg_per_d, r.days_count)))


def daily_mg(doses: Iterable[SteroidDose]) -> dict[date, float]:
    """Methylprednisolone equivalents per day, in mg."""
    days: dict[date, float] = {}
    for dose in doses:
        days[dose.on] = days.get(dose.on, 0.0) + dose.methylprednisolone_mg
    return days


def _taken_mg(sheet: Sheet) -> dict[date, float]:
    """What was taken on each day, in mg of methylprednisolone; added up once."""
    if sheet.taken_mg is None:
        sheet.taken_mg = daily_mg(sheet.doses)
    return sheet.taken_mg


def met_regimen(sheet: Sheet) -> Regimen | None:
    """The first accepted regimen that the doses taken fulfil, None where none is."""
    tolerance = 1.0 - sheet.limits["adequacy.dose_tolerance_fraction"]
    top = max(_taken_mg(sheet).values(), default=0.0)
    for regimen in sheet.regimens:
        floor = regimen.dose_mg_per_d * tolerance
        if top >= floor and _fulfils(sheet, regimen, floor):
            return regimen
    return None


def _fulfils(sheet: Sheet, regimen: Regimen, floor_mg: float) -> bool:
    other = {d.route for d in sheet.doses if d.route and d.route not in regimen.routes}
    days = daily_mg(d for d in sheet.doses if d.route not in other) if other else _taken_mg(sheet)
    full = sorted(d for d, mg in days.items() if mg >= floor_mg)
    count, gap_days = regimen.days_count, sheet.limits["adequacy.gap_d"]
    ends = zip(full, full[count - 1 :], strict=False)
    return any((last - first).days < count + gap_days for first, last in ends)


def pulse_days(sheet: Sheet) -> list[date]:
    """The days of high dose: an oral taper after the pulse does not move the end of steroids."""
    if sheet.pulse is None:
        tolerance = 1.0 - sheet.limits["adequacy.dose_tolerance_fraction"]
        floor = min(r.dose_mg_per_d for r in sheet.regimens) * tolerance
        sheet.pulse = sorted(d for d, mg in _taken_mg(sheet).items() if mg >= floor)
    return sheet.pulse


def _sources(sheet: Sheet) -> tuple[str, ...]:
    return tuple(dict.fromkeys(d.source for d in sheet.doses))


def steroid_status(sheet: Sheet) -> Fact:
    """Whether the attack had none, an unfinished, an inadequate or an adequate steroid course, by doses taken."""
    if not sheet.doses:
        return Fact("steroid_status", "none", note="no dose recorded since onset")
    regimen = met_regimen(sheet)
    if regimen is not None:
        return Fact("steroid_status", "adequate", _sources(sheet), note=regimen.key)
    running = (sheet.on - sheet.doses[-1].on).days <= sheet.limits["adequacy.running_d"]
    return Fact("steroid_status", "in_progress" if running and pulse_days(sheet) else "inadequate", _sources(sheet))


def steroid_total_mg(sheet: Sheet) -> Fact:
    """Cumulative methylprednisolone equivalents of the attack, in mg."""
    total = sum(d.methylprednisolone_mg for d in sheet.doses)
    return Fact("steroid_total_mg", total if sheet.doses else None, _sources(sheet))


def steroid_first(sheet: Sheet) -> Fact:
    """The first day of high-dose steroids, else of any."""
    days = pulse_days(sheet) or [d.on for d in sheet.doses]
    return Fact("steroid_first", days[0] if days else None, _sources(sheet))


def steroid_end(sheet: Sheet) -> Fact:
    """The last day of high-dose steroids, else of any."""
    days = pulse_days(sheet) or [d.on for d in sheet.doses]
    return Fact("steroid_end", days[-1] if days else None, _sources(sheet))


def steroid_planned_end(sheet: Sheet) -> Fact:
    """The day a running course should end: as ordered, else after the usual number of days."""
    ahead = [d.on for c in sheet.relapse.steroids for d in c.doses] if sheet.relapse is not None else []
    days = pulse_days(sheet)
    if not days:
        return sheet.unknown("steroid_planned_end")
    usual = days[0] + timedelta(days=int(sheet.limits["adequacy.usual_course_d"]) - 1)
    return Fact("steroid_planned_end", max(ahead) if ahead and max(ahead) > sheet.on else usual)


def days_since_steroid_end(sheet: Sheet) -> Fact:
    """Days since the last high dose."""
    end = sheet.value("steroid_end")
    return Fact("days_since_steroid_end", None if end is None else (sheet.on - end).days, _sources(sheet))


def days_since_steroid_start(sheet: Sheet) -> Fact:
    """Days since the first high dose."""
    first = sheet.value("steroid_first")
    return Fact("days_since_steroid_start", None if first is None else (sheet.on - first).days, _sources(sheet))


def steroid_courses_count(sheet: Sheet) -> Fact:
    """How many high-dose courses the attack had: runs of days apart by more than the gap."""
    days, gap = pulse_days(sheet), sheet.limits["adequacy.course_gap_d"]
    breaks = sum((b - a).days > gap for a, b in pairwise(days))
    return Fact("steroid_courses_count", breaks + 1 if days else 0, _sources(sheet))


def steroid_dose_implausible(sheet: Sheet) -> Fact:
    """Whether a recorded dose cannot be meant: g entered as mg, or the reverse; small doses by mouth are a taper."""
    low, high = sheet.limits["adequacy.dose_low_mg"], sheet.limits["adequacy.dose_high_mg"]
    days = _taken_mg(sheet)
    tiny = bool(days) and max(days.values()) < low
    wrong = [
        d
        for d in sheet.doses
        if tiny or d.methylprednisolone_mg > high or (d.route == "iv" and d.methylprednisolone_mg < low)
    ]
    if not wrong:
        return sheet.no("steroid_dose_implausible")
    note = ", ".join(dict.fromkeys(f"{d.dose_mg:,.10g} mg {d.drug}" for d in wrong))
    return Fact("steroid_dose_implausible", True, tuple(dict.fromkeys(d.source for d in wrong)), note=note)


def steroids_contraindicated(sheet: Sheet) -> Fact:
    """Why steroids cannot be given: recorded as such, an allergy, or liver injury after an earlier pulse."""
    row = sheet.newest.get("steroid_contraindication")
    if row is not None and row.answer == "present":
        return Fact("steroids_contraindicated", "recorded", (row.source,), row.when.age_days(sheet.on))
    injury = sheet.conditions.get("steroid_hepatotoxicity")
    if injury is not None:
        return Fact("steroids_contraindicated", "liver_injury", (injury.source,))
    allergy = next((a for a in sheet.patient.allergies if a.kind == "glucocorticoid"), None)
    if allergy is not None:
        return Fact("steroids_contraindicated", "allergy", (allergy.source,))
    return sheet.no("steroids_contraindicated")


def response_without_doses(sheet: Sheet) -> Fact:
    """Whether a response to steroids is on record, but no dose: what was taken cannot be judged."""
    row = sheet.newest.get("steroid_response")
    if row is None or sheet.doses:
        return sheet.no("response_without_doses")
    return Fact("response_without_doses", True, (row.source,))
