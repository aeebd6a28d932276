"""Antibodies around a course: doses from the record in, what a course takes from them and when to dose again out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

import numpy as np

from opentpe.domain.consultation import DrugAdvice, Line
from opentpe.domain.patient import Medication, Patient
from opentpe.domain.therapy import MINUTES_PER_DAY, DrugDose
from opentpe.evidence.load import Library, Table
from opentpe.kernel import march
from opentpe.kernel.arrays import Cohort, Floats, Schedule, Trajectory
from opentpe.simulation.bands import band
from opentpe.simulation.cohort import BLOCKER_DRUG, Columns

_EARLIER_DOSES: Final = 5  # at the usual interval, where the record holds only the last one
_HALF: Final = 0.5  # a dose is planned where at least half of the draws need it
_CHAIR_HOUR: Final = time(9)  # sessions start in the morning; a dose without an hour is given then too


def doses_of(patient: Patient, first_session: date, library: Library) -> tuple[DrugDose, ...]:
    """Doses of drugs the library can simulate, in minutes from session 1; earlier doses at the usual interval.

    Doses after session 1 are left out: the advice says when to give them.
    """
    documents = library.folder("solutes")
    found: list[DrugDose] = []
    for kind in dict.fromkeys(m.kind for m in patient.medications):
        doc = documents.get(kind)
        if doc is None or doc["group"] not in ("drug", "blocker") or doc.get("enabled", True) is False:
            continue
        taken = [m for m in patient.medications if m.kind == kind and m.start and m.certainty != "ordered"]
        found += _history(kind, taken, doc, first_session)
    return tuple(sorted(found, key=lambda d: (d.time_min, d.drug)))


def _history(kind: str, taken: Sequence[Medication], doc: Table, first_session: date) -> list[DrugDose]:
    start = datetime.combine(first_session, _CHAIR_HOUR)
    given = sorted(
        (m for m in taken if m.start and m.start.earliest < start), key=lambda m: m.start.earliest if m.start else start
    )
    if not given:
        return []
    doses = [DrugDose(kind, _minutes(m, start), _milligrams(m, doc), m.route or "iv") for m in given]
    if "dose_interval_d" in doc and len(doses) == 1:
        step = float(doc["dose_interval_d"]["value"]) * MINUTES_PER_DAY
        last = doses[0]
        doses = [
            DrugDose(kind, last.time_min - k * step, last.dose_mg, last.route) for k in range(_EARLIER_DOSES, 0, -1)
        ] + doses
    return doses


def _minutes(medication: Medication, start: datetime) -> float:
    assert medication.start
    when = datetime.combine(medication.start.first_day, _CHAIR_HOUR)
    return (when - start).total_seconds() / 60


def _milligrams(medication: Medication, doc: Table) -> float:
    return medication.dose_mg or float(doc["dose_mg"]["value"])


def assumed(doses: Sequence[DrugDose], patient: Patient) -> tuple[Line, ...]:
    """One line for each drug whose earlier doses were assumed at the usual interval."""
    recorded = {m.kind: sum(1 for n in patient.medications if n.kind == m.kind) for m in patient.medications}
    counted = {d.drug: sum(1 for n in doses if n.drug == d.drug) for d in doses}
    return tuple(
        Line("assumed_drug_history", (("drug", drug), ("earlier_doses", _EARLIER_DOSES)), (), "design")
        for drug, count in counted.items()
        if count > recorded.get(drug, count)
    )


def advise(
    doses: Sequence[DrugDose],
    columns: Columns,
    people: Cohort,
    plan: Schedule,
    run: Trajectory,
    end_min: float,
    library: Library,
) -> tuple[DrugAdvice, ...]:
    """What the course does to each drug: share lost, levels, when to dose again, and what would replace the loss."""
    drugs = [d for d in dict.fromkeys(x.drug for x in doses) if d != BLOCKER_DRUG]
    if not drugs:
        return ()
    idle = plan._replace(plasma_flow=0 * plan.plasma_flow, replacement_flow=0 * plan.replacement_flow)
    still = march.course_all(people, idle)
    ahead = library.value("order.drug_look_ahead_d") * MINUTES_PER_DAY
    until = min(end_min + ahead, float(plan.output_min[-1]))
    return tuple(_advice(drug, doses, columns, plan, run, still, until) for drug in drugs)


def _advice(
    drug: str,
    doses: Sequence[DrugDose],
    columns: Columns,
    plan: Schedule,
    run: Trajectory,
    still: Trajectory,
    until: float,
) -> DrugAdvice:
    j = columns.column(drug)
    scale = columns.scale[j]
    deficit = still.body_after[:, j, -1] - run.body_after[:, j, -1]
    lost = deficit / np.maximum(still.body_after[:, j, -1], 1e-12)
    before, after = run.before[:, j, 0] * scale, run.after[:, j, -1] * scale
    lines = [
        Line(
            "drug.levels",
            (("drug", drug), *_named("before", before), *_named("after", after), ("unit", columns.units[j])),
        ),
        Line("drug.after_last", (("drug", drug),), ("opentpe_practice",)),
        Line("drug.supplement", (("drug", drug), *_named("mg", deficit))),
    ]
    lines += _redose(drug, doses, columns, plan, run, until)
    return DrugAdvice(drug, tuple(lines), band(lost, "1"))


def _redose(
    drug: str, doses: Sequence[DrugDose], columns: Columns, plan: Schedule, run: Trajectory, until: float
) -> list[Line]:
    """Whether the level falls below the drug's threshold before the next regular dose or soon after the course."""
    j = columns.column(drug)
    doc = columns.documents[j]
    if "effect_threshold_ug_ml" not in doc or "dose_interval_d" not in doc:
        return []
    limit = float(doc["effect_threshold_ug_ml"]["value"])
    due = max(d.time_min for d in doses if d.drug == drug) + float(doc["dose_interval_d"]["value"]) * MINUTES_PER_DAY
    last = max(due, until)
    inside = (plan.output_min >= 0) & (plan.output_min <= last)
    low: Floats = (run.concentration[:, j, :][:, inside] * columns.scale[j]).min(axis=1)
    share = float(np.mean(low < limit))
    values = (
        ("drug", drug),
        ("of_100", round(100 * share)),
        ("threshold", limit),
        ("unit", columns.units[j]),
        ("day", round(last / MINUTES_PER_DAY)),
    )
    code = "drug.redose_needed" if share >= _HALF else "drug.redose_check"
    return [Line(code, values, (str(doc["effect_threshold_ug_ml"]["source"]),))]


def _named(name: str, values: Floats) -> tuple[tuple[str, float], ...]:
    of = band(values, "")
    return ((f"{name}_median", of.median), (f"{name}_low", of.p05), (f"{name}_high", of.p95))
