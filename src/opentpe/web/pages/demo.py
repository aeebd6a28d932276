"""A unit with invented people: accounts of every role, four patients at different points of their course."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from opentpe import consultation as flow
from opentpe.evidence.load import Library
from opentpe.pathway import order as orders
from opentpe.pathway.unit import settings
from opentpe.records import accounts, kinds
from opentpe.records.run_sheet import Before, End, RunSheet, Vitals
from opentpe.records.store import Store
from opentpe.web import passwords
from opentpe.web.clinic import Clinic
from opentpe.web.pages import examples, keep

PASSWORD: Final = "opentpe-demo-only"  # noqa: S105 - the demo says it on its front page
WHO: Final = "demo"
NAMES: Final = {
    "physician": "Dr. Maren Holt", "nurse": "Jonas Weber", "trainee": "Lea Ortiz", "viewer": "Ward round",
    "admin": "Office",
}  # fmt: skip
# Example, days between its own "today" and the start of its course in the demo, sessions done, chair.
PATIENTS: Final = (
    ("scenario-a", "Ada Brandt", 2, "Chair 1"),
    ("severe-myelitis", "Emil Sandberg", 0, "Chair 2"),
    ("natalizumab", "Noor Haddad", 1, "Chair 3"),
)


def furnish(store: Store, clinic: Callable[[Store], Clinic], today: date) -> None:
    """Fills empty records with the demo; does nothing where there is a patient already."""
    if store.count(kinds.Patient):
        return
    hashed = passwords.hashed(PASSWORD)
    for role, full in NAMES.items():
        account = store.add(kinds.Account(name=role, full_name=full, role=kinds.Role(role)), WHO)
        accounts.set_password(store, account.id, hashed, WHO)
    courses(clinic(store), today)


def courses(here: Clinic, today: date) -> None:
    """Patients at different points of their course, on the board of the day."""
    for name, person, done, chair in PATIENTS:
        _patient(here, here.library, name, person, done, chair, today)


def _patient(here: Clinic, library: Library, name: str, person: str, done: int, chair: str, today: date) -> None:
    bundle, on = examples.named(name)
    first = today - timedelta(days=2 * done)
    decided = flow.decide(bundle, on, library=library, unit=settings(library))
    start = decided.decision.start_on or on
    shift = (first - start).days
    moved = examples.moved(bundle, shift)
    _rename(moved, person)
    made = flow.decide(moved, on + timedelta(days=shift), library=library, unit=here.unit)
    written = orders.build(made.patient, made.decision, library, here.unit)
    days = tuple(first + timedelta(days=2 * i) for i in range(written.course.count))
    words = _on_days(written.words, days)
    patient_id, course_id = keep.keep(here, _with_order(made, written, words, days), moved, WHO, "invented demo")
    if not course_id:
        return
    for session in range(1, done + 1):
        _session(here, patient_id, course_id, session, days[session - 1], written.volume_ml, chair)
    planned = kinds.Procedure(course_id=course_id, session=done + 1, place=chair)
    here.store.add(planned, WHO, "invented demo", patient_id)


def _rename(bundle: dict[str, Any], person: str) -> None:
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["name"] = [{"text": person}]


def _on_days(words: str, days: tuple[date, ...]) -> str:
    """Course words with the demo's own days, whatever the weekday."""
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
