"""Antibodies around a course: the record's doses go in, timing and loss come out of the simulation."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from opentpe import consultation as flow
from opentpe.domain import words
from opentpe.domain.patient import Medication, Patient, When
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import DrugDose
from opentpe.errors import InputError
from opentpe.simulation import drugs

WOMAN = Subject(True, 168.0, 68.0, 0.38)
COURSE = words.parse("5 x 2500 mL every other day, albumin 5 %")
FIRST = date(2026, 4, 3)


def _taken(kind, day, dose=None):
    when = When.at(datetime(2026, *day))
    return Medication(kind, "antibody", kind, f"MedicationAdministration/{kind}", when, dose_mg=dose, route="iv")


def _advice(library, days_before):
    course = replace(COURSE, drug_doses=(DrugDose("natalizumab", -1440.0 * days_before, 300.0),))
    return flow.simulate(WOMAN, course, library=library, draws=60).drugs[0]


def test_recorded_doses_become_minutes_before_session_one(library):
    """A dose on 11 March is 23 days before a first session on 3 April."""
    patient = Patient(
        "a", "female", medications=(_taken("natalizumab", (3, 11), 300.0), _taken("natalizumab", (2, 11), 300.0))
    )
    found = drugs.doses_of(patient, FIRST, library)
    assert [round(d.time_min / 1440) for d in found] == [-51, -23]


def test_a_lone_dose_gets_a_history_that_is_named_as_assumed(library):
    """Only the last dose on record: earlier ones at the usual interval, and a line that says so."""
    patient = Patient("a", "female", medications=(_taken("natalizumab", (3, 11)),))
    found = drugs.doses_of(patient, FIRST, library)
    assert len(found) > 1
    assert {d.dose_mg for d in found} == {300.0}
    assert [line.code for line in drugs.assumed(found, patient)] == ["assumed_drug_history"]


def test_a_dose_after_session_one_and_an_unknown_drug_are_left_out(library):
    """What is still to come is advice, not history; a drug without kinetics is not invented."""
    patient = Patient(
        "a", "female", medications=(_taken("natalizumab", (4, 9), 300.0), _taken("alemtuzumab", (1, 1), 12.0))
    )
    assert drugs.doses_of(patient, FIRST, library) == ()


def test_a_dose_just_before_the_course_loses_more_than_an_old_one_keeps(library):
    """Five exchanges take most of natalizumab, whenever it was given; the share never leaves 0 to 1."""
    for days in (1, 14):
        lost = _advice(library, days).lost_fraction
        assert 0.6 < lost.median < 1.0
        assert 0.0 <= lost.p05 <= lost.p95 <= 1.0


def test_the_loss_is_what_would_have_been_there_without_exchange(library):
    """The supplement in mg is the dose share that left: less than what was given."""
    line = next(x for x in _advice(library, 2).lines if x.code == "drug.supplement")
    assert 0 < line.value("mg_median") < 300


def test_a_redose_is_planned_when_half_fall_below_the_threshold(library):
    """An old dose leaves most patients under 1 ug/mL: the advice changes from check to dose."""
    codes = {days: [x.code for x in _advice(library, days).lines] for days in (1, 42)}
    assert "drug.redose_needed" in codes[42]
    assert "drug.redose_check" in codes[1] or "drug.redose_needed" in codes[1]


def test_an_unknown_drug_is_named(library):
    """A dose of something the library does not hold says which drugs it holds."""
    course = replace(COURSE, drug_doses=(DrugDose("aspirin", -60.0, 100.0),))
    with pytest.raises(InputError, match="natalizumab"):
        flow.simulate(WOMAN, course, library=library, draws=10)
