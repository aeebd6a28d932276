"""One course as the records tell it: sessions done and planned, findings of today, and the forecast from both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from opentpe import consultation as flow
from opentpe.domain import words
from opentpe.domain.consultation import Consultation, Forecast, Order
from opentpe.domain.learning import Fit
from opentpe.domain.patient import Patient
from opentpe.domain.subject import MEASURED, Subject, subject_of
from opentpe.domain.therapy import Course, Dose, Measurement, Procedure, Schedule
from opentpe.errors import InputError, UnitError
from opentpe.evidence.load import Library
from opentpe.fhir import read
from opentpe.pathway import order as orders
from opentpe.records import kinds
from opentpe.records.exchange import EXCHANGED
from opentpe.records.exchange_shapes import SHAPES, public_codes
from opentpe.records.store import Kept
from opentpe.records.times import moment
from opentpe.units import convert
from opentpe.web.clinic import Clinic
from opentpe.web.pages import unit

DRAWS: Final = 60
FIT_ROWS: Final = 300  # a page waits for it
SOLUTES: Final = ("igg", "fibrinogen")
_USUAL: Final = time(9)  # when a session is planned to begin


@dataclass(frozen=True, slots=True)
class Care:
    """A course with everything that belongs to it; `plan` is the order in course words, as a domain value."""

    kept: Kept[kinds.Course]
    patient: Kept[kinds.Patient]
    plan: Course
    days: tuple[date, ...]
    procedures: tuple[Kept[kinds.Procedure], ...]
    orders: tuple[Kept[kinds.Order], ...]
    labs: tuple[Kept[kinds.Lab], ...]
    decisions: tuple[Kept[kinds.Decision], ...]
    read: Patient
    today: date

    @property
    def done(self) -> int:
        """The last session that was performed, in part or whole; 0 before the first."""
        return max((p.body.session for p in self.procedures if p.body.status in ("performed", "partial")), default=0)

    @property
    def next_session(self) -> int:
        """The session that comes next; 0 after the last."""
        return self.done + 1 if self.done < self.plan.count else 0

    def procedure(self, session: int) -> Kept[kinds.Procedure] | None:
        """The record of a session."""
        return next((p for p in self.procedures if p.body.session == session), None)


def load(here: Clinic, course_id: str) -> Care:
    """The course with its patient, sessions, orders and labs as they stand."""
    with here.store.looking():
        return _load(here, course_id)


def _load(here: Clinic, course_id: str) -> Care:
    kept = here.store.get(kinds.Course, course_id)
    patient_id = str(kept.patient_id)

    def mine(kind: Any) -> tuple[Kept[Any], ...]:
        return here.store.current(kind, patient_id)

    plan = words.parse(kept.body.words)
    first = kept.body.first_on or here.today()
    own = tuple(p for p in mine(kinds.Procedure) if p.body.course_id == course_id)
    return Care(
        kept=kept,
        patient=here.store.get(kinds.Patient, patient_id),
        plan=plan,
        days=plan.schedule.on_dates(plan.count, first),
        procedures=tuple(sorted(own, key=lambda p: p.body.session)),
        orders=tuple(o for o in mine(kinds.Order) if o.body.course_id == course_id),
        labs=tuple(sorted(mine(kinds.Lab), key=lambda lab: lab.body.taken_at, reverse=True)),
        decisions=tuple(sorted(mine(kinds.Decision), key=lambda d: d.at)),
        read=read.read(bundle(here, patient_id), here.today(), here.library).patient,
        today=here.today(),
    )


def bundle(here: Clinic, patient_id: str) -> dict[str, Any]:
    """Everything that is kept about a patient as a bundle for the reader; what is read leaves no line in the chain."""
    codes = public_codes(here.library)
    return {"resourceType": "Bundle", "type": "collection", "entry": list(_entries(here, patient_id, codes))}


def _entries(here: Clinic, patient_id: str, codes: Any) -> Iterator[dict[str, Any]]:
    for kind in EXCHANGED:
        if kind in (kinds.Paper, kinds.Decision, kinds.Override, kinds.Order, kinds.RunRow):
            continue
        found: tuple[Kept[Any], ...] = here.store.current(kind, patient_id) if kind.of_patient else ()
        if kind is kinds.Patient:
            found = (here.store.get(kinds.Patient, patient_id),)
        for kept in found:
            made = SHAPES[kind](kept, codes)
            made["id"] = kept.id
            if kept.patient_id:
                about = "patient" if made["resourceType"] == "AllergyIntolerance" else "subject"
                made[about] = {"reference": f"Patient/{kept.patient_id}"}
            yield {"resource": {k: v for k, v in made.items() if v not in (None, "", [], {})}}


def moved_on(care: Care, session: kinds.Procedure) -> kinds.Course | None:
    """The course as running, once a session of a planned one was begun; None where it needs no change."""
    begun = session.status in ("performed", "partial", "running")
    if not begun or care.kept.body.status is not kinds.CourseStatus.PLANNED:
        return None
    return care.kept.body.model_copy(update={"status": kinds.CourseStatus.RUNNING})


def decided_on(care: Care) -> date:
    """The day the advice counts from: today until the first session, then the day it was decided."""
    if care.done and care.decisions:
        return care.decisions[-1].body.decided_on
    return care.today


def consultation(here: Clinic, care: Care) -> Consultation:
    """The consultation as the records stand, with the course that was planned."""
    made = flow.consult(
        bundle(here, care.patient.id), decided_on(care), library=here.library, unit=unit.of(here),
        guideline=here.settings.guideline, draws=DRAWS,
    )  # fmt: skip
    return replace(made, order=replace(made.order, dates=care.days)) if made.order else made


def advice(here: Clinic, care: Care) -> Consultation:
    """The decision and the order without a forecast: quick, and enough for today's order."""
    made = flow.decide(
        bundle(here, care.patient.id), decided_on(care), library=here.library, unit=unit.of(here),
        guideline=here.settings.guideline,
    )  # fmt: skip
    if not made.decision.advice.exchange:
        return made
    written: Order = orders.build(made.patient, made.decision, here.library, unit.of(here))
    return replace(made, order=replace(written, dates=care.days))


def subject(care: Care) -> Subject | None:
    """Size and haematocrit of today, solutes as measured before the first session; None where size is missing."""
    now = subject_of(care.read, care.today)
    if now is None:
        return None
    zero = _began(care)
    if zero is None:
        return now
    earlier = tuple(o for o in care.read.observations if o.when.earliest <= zero)
    before = subject_of(replace(care.read, observations=earlier), zero.date())
    return replace(now, measured=before.measured if before else ())


def volume_ml(here: Clinic, care: Care) -> float:
    """The volume of the next session: as written, or plasma volumes of today's size."""
    prescription, about = care.plan.prescription, subject(care)
    if prescription.dose_unit is Dose.ML:
        return prescription.dose
    if about is None:
        return 0.0
    return prescription.dose * plasma_volume_ml(about, here.library)


def plasma_volume_ml(about: Subject, library: Library) -> float:
    """The plasma volume that orders use."""
    from opentpe.simulation.setup import used_plasma_volume

    return used_plasma_volume(about, library)


def basis(here: Clinic, care: Care) -> kinds.Basis | None:
    """What today's signature rests on; None where weight or haematocrit is missing."""
    about = subject(care)
    if about is None:
        return None
    return kinds.Basis(
        weight_kg=about.weight_kg, haematocrit_fraction=about.hct, volume_ml=round(volume_ml(here, care), 1)
    )


def start(care: Care) -> datetime:
    """Zero of the course's clock: when session 1 began, or nine o'clock of the day it is planned for."""
    return _began(care) or datetime.combine(care.days[0], _USUAL)


def _began(care: Care) -> datetime | None:
    """When session 1 began; None before it."""
    first = care.procedure(1)
    return moment(first.body.started_at) if first and _counts(first.body) else None


def real_days(care: Care) -> tuple[date, ...]:
    """The day of each session: as it was done, else as planned, but never before the day after the one before."""
    found: list[date] = []
    for n, planned in enumerate(care.days, 1):
        kept = care.procedure(n)
        began = moment(kept.body.started_at) if kept and _counts(kept.body) else None
        earliest = found[-1] + timedelta(days=1) if found else planned
        found.append(began.date() if began else max(planned, earliest))
    return tuple(found)


def as_done(care: Care) -> Course:
    """The planned course on its real days, with what was done and what was measured since, on one clock."""
    began = start(care)
    schedule = Schedule("dates", dates=real_days(care))
    performed = tuple(_performed(care, p.body, began) for p in care.procedures if _counts(p.body))
    return replace(care.plan, schedule=schedule, performed=performed, measurements=tuple(measurements(care)))


def _counts(body: kinds.Procedure) -> bool:
    return body.status in ("performed", "partial", "missed")


def _performed(care: Care, body: kinds.Procedure, zero: datetime) -> Procedure:
    began = moment(body.started_at) or datetime.combine(real_days(care)[body.session - 1], zero.time())
    end = body.sheet.end
    return Procedure(
        n=body.session, start_min=(began - zero).total_seconds() / 60, prescription=care.plan.prescription,
        status=body.status, on=began, duration_min=end.run_min, plasma_removed_ml=end.plasma_removed_ml, note=body.note,
    )  # fmt: skip


def measurements(care: Care) -> Iterator[Measurement]:
    """Solutes measured from the day of session 1 on, in g/L, on the course's clock."""
    zero = _began(care)
    if zero is None:  # before session 1 every value is where the forecast starts from
        return
    for kept in reversed(care.labs):
        lab = kept.body
        minutes = ((moment(lab.taken_at) or zero) - zero).total_seconds() / 60
        if lab.kind not in SOLUTES or lab.value is None or lab.kind not in MEASURED or minutes < -60:
            continue
        try:
            value = convert(lab.value, lab.unit, "g/L", lab.kind)
        except UnitError:
            continue
        yield Measurement(lab.kind, minutes, value, "g/L", f"labs/{kept.id}", lab.below_detection)


def forecast(here: Clinic, care: Care, *, planned: bool = False) -> Forecast:
    """The course forecast: as planned, or with what was done and measured; `InputError` where size is missing."""
    about = subject(care)
    if about is None:
        raise InputError("patient", "no weight, height, haematocrit or sex", "all four, to forecast")
    course = care.plan if planned else as_done(care)
    return flow.simulate(about, course, library=here.library, unit=unit.of(here), solutes=SOLUTES, draws=DRAWS)


def learned(here: Clinic, care: Care) -> Fit | None:
    """What the values measured since the first session taught; None where there are none."""
    from opentpe.simulation import fit

    about, course = subject(care), as_done(care)
    if about is None or not course.measurements:
        return None
    return fit.fit(about, course, here.library, unit.of(here), solutes=SOLUTES, seed=flow.SEED, rows=FIT_ROWS)
