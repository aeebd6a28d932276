"""A unit with invented people: who works there, and patients at different points of their course."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from opentpe import consultation as flow
from opentpe.evidence.load import Library
from opentpe.pathway import calendar
from opentpe.pathway import order as orders
from opentpe.pathway.unit import settings
from opentpe.records import kinds
from opentpe.records.run_sheet import Before, End, RunSheet, Vitals
from opentpe.web.clinic import Clinic
from opentpe.web.pages import examples, keep

WHO: Final = "demo"
NAMES: Final = {
    "physician": "Dr. Maren Holt", "nurse": "Jonas Weber", "trainee": "Lea Ortiz", "viewer": "Ward round",
    "admin": "Office",
}  # fmt: skip
# Example, name, sessions done, chair.
PATIENTS: Final = (
    ("scenario-a", "Ada Brandt", 2, "Chair 1"),
    ("severe-myelitis", "Emil Sandberg", 0, "Chair 2"),
    ("natalizumab", "Noor Haddad", 1, "Chair 3"),
)


def courses(here: Clinic, today: date) -> None:
    """Patients at different points of their course, on the board of the day."""
    for name, person, done, chair in PATIENTS:
        _patient(here, here.library, name, person, done, chair, today)


def _patient(here: Clinic, library: Library, name: str, person: str, done: int, chair: str, today: date) -> None:
    bundle, on = examples.named(name)
    first = _days(today, done, done + 1, here.unit)[0]
    decided = flow.decide(bundle, on, library=library, unit=settings(library))
    start = decided.decision.start_on or on
    shift = (first - start).days
    moved = examples.moved(bundle, shift)
    _rename(moved, person, f"TPE-{1000 + sum(map(ord, person))}")
    made = flow.decide(moved, on + timedelta(days=shift), library=library, unit=here.unit)
    written = orders.build(made.patient, made.decision, library, here.unit)
    days = _days(today, done, written.course.count, here.unit)
    words = _on_days(written.words, days)
    patient_id, course_id = keep.keep(here, _with_order(made, written, words, days), moved, WHO, "invented demo")
    if not course_id:
        return
    for session in range(1, done + 1):
        _session(here, patient_id, course_id, session, days[session - 1], written.volume_ml, chair)
    planned = kinds.Procedure(course_id=course_id, session=done + 1, place=chair)
    here.store.add(planned, WHO, "invented demo", patient_id)


def _days(today: date, done: int, count: int, unit: Mapping[str, Any]) -> tuple[date, ...]:
    """Every other open day, with so many sessions before today."""
    before: list[date] = []
    for _ in range(done):
        day = (before[0] if before else today) - timedelta(days=2)
        before.insert(0, calendar.last_open(day, day - timedelta(days=7), unit))
    return (*before, *calendar.session_days(today, count - done, 2, unit))


def _rename(bundle: dict[str, Any], person: str, identifier: str) -> None:
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"] |= {"name": [{"text": person}], "identifier": [{"value": identifier}]}


def _on_days(words: str, days: tuple[date, ...]) -> str:
    """Course words with the demo's own days."""
    head, _, tail = words.partition(" on ")
    _, _, rest = tail.partition(",")
    return f"{head} on {' '.join(d.isoformat() for d in days)},{rest}"


def _with_order(made: Any, written: Any, words: str, days: tuple[date, ...]) -> Any:
    from dataclasses import replace

    return replace(made, order=replace(written, words=words, dates=days))


def _session(
    here: Clinic, patient_id: str, course_id: str, session: int, on: date, volume_ml: float, chair: str
) -> None:
    began = datetime.combine(on, time(9, 30)).astimezone()
    ended = began + timedelta(minutes=92)
    end = End(ended_at=ended, run_min=92, plasma_removed_ml=volume_ml, rinseback_given=True, signed_by=("Jonas Weber",))
    before = Before(vitals=Vitals(systolic_mmhg=122, diastolic_mmhg=76, heart_rate_per_min=74))
    body = kinds.Procedure(
        course_id=course_id, session=session, status="performed", started_at=began, place=chair,
        sheet=RunSheet(before=before, end=end),
    )  # fmt: skip
    here.store.add(body, WHO, "invented demo", patient_id)
