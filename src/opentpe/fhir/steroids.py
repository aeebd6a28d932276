"""Glucocorticoids day by day in methylprednisolone equivalents: what was given before what was said or dispensed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from opentpe.domain.patient import When
from opentpe.domain.relapse import SteroidCourse, SteroidDose
from opentpe.fhir import doses
from opentpe.fhir.desk import Desk
from opentpe.fhir.doses import Dose
from opentpe.fhir.medications import Intake

_LONGEST_DAYS: Final = 400  # of one entry, so that a mistyped end does not fill a century with tablets


def doses_by_day(desk: Desk, intakes: Sequence[Intake]) -> tuple[SteroidDose, ...]:
    """Every glucocorticoid dose, each counted once; a running course includes the days still to come."""
    by_drug: dict[str, list[Intake]] = defaultdict(list)
    for intake in intakes:
        if intake.medication.group == "glucocorticoid" and intake.counted:
            by_drug[intake.medication.kind].append(intake)
    found = [d for drug in sorted(by_drug) for d in _of_drug(desk, by_drug[drug])]
    return tuple(sorted(found, key=lambda d: (d.on, d.drug, d.source)))


def courses(given: Sequence[SteroidDose], gap_days: float) -> tuple[SteroidCourse, ...]:
    """Doses gathered into courses: a pause longer than the gap starts a new one."""
    groups: list[list[SteroidDose]] = []
    for dose in sorted(given, key=lambda d: d.on):
        if groups and (dose.on - groups[-1][-1].on).days <= gap_days:
            groups[-1].append(dose)
        else:
            groups.append([dose])
    return tuple(SteroidCourse(tuple(g)) for g in groups)


def _of_drug(desk: Desk, intakes: Sequence[Intake]) -> list[SteroidDose]:
    given = _administered(desk, [i for i in intakes if i.medication.certainty == "taken"])
    for intake in sorted((i for i in intakes if i.medication.certainty != "taken"), key=_before_dispensed):
        said = _expanded(desk, intake)
        overlap = [d for d in given if said and said[0].on <= d.on <= said[-1].on]
        if overlap:
            _compare(desk, intake, said, overlap)
        else:
            given += said
    return given


def _before_dispensed(intake: Intake) -> tuple[bool, str]:
    return not intake.medication.source.startswith("MedicationStatement"), intake.medication.source


def _administered(desk: Desk, intakes: Sequence[Intake]) -> list[SteroidDose]:
    seen: set[tuple[When, float]] = set()
    given: list[SteroidDose] = []
    for intake in intakes:
        m = intake.medication
        if m.dose_mg is None or m.start is None or not m.start.certain_day:
            desk.note(
                "unreadable", m.source, f"{m.kind} without a dose or a day", "dose and day", "the dose is not counted"
            )
            continue
        exact = m.start.earliest == m.start.latest
        if exact and (m.start, m.dose_mg) in seen:
            desk.note(
                "duplicate",
                m.source,
                f"{m.kind} {m.dose_mg:g} mg, same drug, dose and second",
                "each dose once",
                "counted once",
            )
            continue
        seen.add((m.start, m.dose_mg))
        if (doses.days_between(m.start, m.end) or 1) > 2:
            desk.note(
                "unreadable",
                m.source,
                "one administration over several days",
                "one entry a dose",
                "counted as one dose",
            )
        given.append(
            _dose(desk, intake, m.start.first_day, m.dose_mg, intake.doses[0].route if intake.doses else m.route)
        )
    return given


def _expanded(desk: Desk, intake: Intake) -> list[SteroidDose]:
    """The days of a statement or a dispensed order, written one after the other as a taper is."""
    m = intake.medication
    if m.start is None or not m.start.certain_day:
        desk.note("undated", m.source, f"{m.kind} without a first day", "a start date", "not counted")
        return []
    if not any(d.dose_mg for d in intake.doses):
        desk.note("unreadable", m.source, f"{m.kind} without a dose", "a dose in mg", "not counted")
        return []
    given: list[SteroidDose] = []
    cursor = m.start.first_day
    for dose in intake.doses:
        days = list(_days(desk, intake, dose, cursor))
        amount = (dose.dose_mg or 0.0) * max(dose.per_day, 1.0)
        given += [_dose(desk, intake, day, amount, dose.route) for day in days if dose.dose_mg]
        cursor = days[-1] + timedelta(days=1) if days else cursor
    return sorted(given, key=lambda d: d.on)


def _days(desk: Desk, intake: Intake, dose: Dose, first: date) -> Iterator[date]:
    m = intake.medication
    if dose.on:
        yield from dose.on
        return
    count = dose.days or (doses.days_between(When.day(first), m.end) if len(intake.doses) == 1 else None)
    if count is None:
        desk.note(
            "open_ended",
            m.source,
            f"{m.kind} from {first.isoformat()} without an end",
            "an end date or a number of days",
            "counted as one day",
        )
        count = 1
    step = max(1, round(1 / dose.per_day)) if dose.per_day < 1 else 1
    for offset in range(0, min(count, _LONGEST_DAYS), step):
        yield first + timedelta(days=offset)


def _compare(desk: Desk, intake: Intake, said: Sequence[SteroidDose], given: Sequence[SteroidDose]) -> None:
    """A statement about days for which doses are already counted adds nothing; a different total is a contradiction."""
    m = intake.medication
    total, counted = sum(d.dose_mg for d in said), sum(d.dose_mg for d in given)
    sources = ", ".join(dict.fromkeys(d.source for d in given))
    if abs(total - counted) < 1:
        desk.note("duplicate", m.source, f"{m.kind} {total:g} mg, as in {sources}", "each dose once", "counted once")
    else:
        desk.note(
            "contradiction",
            m.source,
            f"{m.kind} {total:g} mg, but {counted:g} mg in {sources}",
            "one total",
            "administrations count before statements, statements before dispensed orders",
        )


def _dose(desk: Desk, intake: Intake, on: date, dose_mg: float, route: str) -> SteroidDose:
    m = intake.medication
    factor = desk.number(f"steroids.equivalence.{m.kind}")
    return SteroidDose(on, m.kind, dose_mg, dose_mg * factor, route or m.route, m.source)
