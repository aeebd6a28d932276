"""What was taken: administrations before statements before dispensed orders, in mg, each dose once."""

from datetime import date
from typing import Any

import pytest

ON = date(2026, 2, 18)
ATC = "http://www.whocc.no/atc"
RX = "http://www.nlm.nih.gov/research/umls/rxnorm"


def totals(found: Any) -> list[float]:
    return [c.methylprednisolone_mg for c in found.relapse.steroids]


def order(make: Any, **more: Any) -> Any:
    body = {"status": "completed", "intent": "order", "authoredOn": "2026-02-09",
            "medicationCodeableConcept": make.concept("H02AB04", ATC),
            "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "g"}}],
                                   "timing": {"repeat": {"boundsDuration": {"value": 3, "code": "d"}}}}]}  # fmt: skip
    return make.resource("MedicationRequest", "rq", **{**body, **more})


def dispense(make: Any, **more: Any) -> Any:
    body = {
        "status": "completed",
        "whenHandedOver": "2026-02-09",
        "authorizingPrescription": [{"reference": "MedicationRequest/rq"}],
    }
    return make.resource("MedicationDispense", "d", **{**body, **more})


def test_five_infusions_are_one_course(reading: Any, make: Any) -> None:
    """Doses on consecutive days are one course with its sum; a second course after a pause is another."""
    days = ["2026-02-04", "2026-02-05", "2026-02-06", "2026-02-15", "2026-02-16"]
    found = reading(make.relapse(), *(make.given(f"m{i}", d, 1000) for i, d in enumerate(days)))
    assert totals(found) == [3000, 2000]


def test_a_statement_counts_each_of_its_days(reading: Any, make: Any) -> None:
    """A period of five days at one gram is five grams."""
    assert totals(reading(make.relapse(), make.taken("s", "2026-02-09", "2026-02-13", 1000))) == [5000]


def test_given_doses_count_before_what_was_said(reading: Any, make: Any, codes: Any) -> None:
    """Three infusions given and five stated: three count, and both totals are named."""
    said = make.taken("s", "2026-02-09", "2026-02-13", 1000)
    given = [make.given(f"m{i}", f"2026-02-{9 + i:02d}", 1000) for i in range(3)]
    found = reading(make.relapse(), said, *given)
    assert totals(found) == [3000]
    assert codes(found) == ["contradiction"]
    assert "5000 mg, but 3000 mg" in found.issues[0].found


def test_the_same_total_twice_counts_once(reading: Any, make: Any, codes: Any) -> None:
    """A statement that repeats the drug chart adds nothing."""
    said = make.taken("s", "2026-02-09", "2026-02-10", 1000)
    found = reading(make.relapse(), said, make.given("a", "2026-02-09", 1000), make.given("b", "2026-02-10", 1000))
    assert (totals(found), codes(found)) == ([2000], ["duplicate"])


def test_an_order_counts_only_once_dispensed(reading: Any, make: Any, codes: Any) -> None:
    """Ordered is not taken; ordered and handed over is."""
    found = reading(make.relapse(), order(make))
    assert (totals(found), codes(found)) == ([], ["ordered_only"])
    assert totals(reading(make.relapse(), order(make), dispense(make))) == [3000]


def test_tablets_are_counted_by_their_strength(reading: Any, make: Any) -> None:
    """Five tablets of 100 mg are 500 mg; prednisone counts at its equivalent."""
    strength = {"numerator": {"value": 50, "unit": "mg"}, "denominator": {"value": 1, "unit": "{tablet}"}}
    drug = {
        "resourceType": "Medication",
        "id": "t",
        "ingredient": [{"itemCodeableConcept": make.concept("8640", RX), "strength": strength}],
    }
    said = make.taken("s", "2026-02-09", "2026-02-10", 25)
    said = {k: v for k, v in said.items() if k != "medicationCodeableConcept"} | {
        "contained": [drug],
        "medicationReference": {"reference": "#t"},
    }
    said["dosage"] = [{"doseAndRate": [{"doseQuantity": {"value": 25, "unit": "{tablet}"}}]}]
    assert totals(reading(make.relapse(), said)) == [pytest.approx(2 * 25 * 50 * 0.8)]


def test_a_taper_is_written_one_after_the_other(reading: Any, make: Any) -> None:
    """60 mg for two days, then 40 mg for two days."""
    days = {"repeat": {"boundsDuration": {"value": 2, "code": "d"}}}
    steps = [{"doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}], "timing": days} for mg in (60, 40)]
    found = reading(make.relapse(), make.taken("s", "2026-02-09", None, 0, dosage=steps))
    assert [(d.on.day, d.dose_mg) for d in found.relapse.steroids[0].doses] == [(9, 60), (10, 60), (11, 40), (12, 40)]


def test_four_times_a_day_is_four_doses(reading: Any, make: Any) -> None:
    """250 mg every six hours is one gram a day."""
    dosage = [
        {
            "doseAndRate": [{"doseQuantity": {"value": 250, "unit": "mg"}}],
            "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
        }
    ]
    assert totals(reading(make.relapse(), make.taken("s", "2026-02-09", "2026-02-11", 0, dosage=dosage))) == [3000]


def test_an_open_end_is_not_filled_in(reading: Any, make: Any, codes: Any) -> None:
    """A pulse without an end counts as one day and is listed."""
    found = reading(make.relapse(), make.taken("s", "2026-02-09", None, 1000, status="active"))
    assert (totals(found), codes(found)) == ([1000], ["open_ended"])


@pytest.mark.parametrize(
    ("more", "issue", "total"),
    [
        ({"status": "not-done"}, ["not_taken"], []),
        ({"status": "entered-in-error"}, ["entered_in_error"], []),
        ({"effectiveDateTime": "2026-02-19"}, ["after_on"], []),
        ({"effectiveDateTime": "2026-02"}, ["unreadable"], []),
        ({"dosage": {"dose": {"value": 1, "unit": "mg"}, "route": {"text": "iv"}}}, ["implausible"], [1]),
        ({"dosage": {"dose": {"value": 1000, "unit": "g"}}}, ["implausible"], [1e6]),
        ({"dosage": {"dose": {"value": 15, "unit": "mg/kg"}}}, ["unit_unknown", "unreadable"], []),
    ],
)
def test_a_dose_that_is_no_dose(reading: Any, make: Any, codes: Any, more: Any, issue: Any, total: Any) -> None:
    """Not given, withdrawn, later, undated, without a mass: not counted. Grams for milligrams: kept and listed."""
    found = reading(make.relapse(), make.given("m", "2026-02-09", 1000, **more))
    assert (totals(found), codes(found)) == (total, issue)


def test_treatment_before_the_onset_is_a_contradiction(reading: Any, make: Any, codes: Any) -> None:
    """A pulse shortly before the onset stays in view; a low daily dose before it treats something else."""
    found = reading(make.relapse(), make.given("m", "2026-01-28", 1000))
    assert (totals(found), codes(found)) == ([1000], ["contradiction"])
    assert totals(reading(make.relapse(), make.taken("s", "2026-01-20", "2026-01-31", 8))) == []


@pytest.mark.parametrize(
    ("concept", "kind", "group", "issue"),
    [
        ({"coding": [{"system": ATC, "code": "C09BA05"}]}, "ramipril", "ace_inhibitor", []),
        ({"coding": [{"system": ATC, "code": "C09AA16"}]}, "ace_inhibitor", "ace_inhibitor", []),
        ({"coding": [{"system": RX, "code": "354770"}]}, "natalizumab", "antibody", []),
        ({"text": "Eliquis 5 mg"}, "apixaban", "anticoagulant", ["matched_by_name"]),
        ({"text": "TYSABRI conc."}, "natalizumab", "antibody", ["matched_by_name"]),
        ({"text": "Vitamin D"}, "other", "other", []),
    ],
)
def test_drugs_are_known_by_code_or_name(
    reading: Any, make: Any, codes: Any, concept: Any, kind: str, group: str, issue: Any
) -> None:
    """A code decides; without one an international or trade name does, and that is said."""
    found = reading(make.resource("MedicationStatement", "s", status="active", medicationCodeableConcept=concept,
                                  effectiveDateTime="2026-01-01"))  # fmt: skip
    (drug,) = found.patient.medications
    assert (drug.kind, drug.group) == (kind, group)
    assert codes(found) == issue


def test_one_infusion_does_not_end_a_drug(reading: Any, make: Any) -> None:
    """An administration has no end: that the infusion is over does not say that the drug was stopped."""
    drug = make.concept("L04AG03", ATC)
    found = reading(make.given("n", "2026-02-01", 300, medicationCodeableConcept=drug))
    assert [m.end for m in found.patient.medications] == [None]


def test_a_completed_order_has_ended(reading: Any, make: Any) -> None:
    """A drug ordered for three days is not taken for ever."""
    (drug,) = reading(order(make), dispense(make)).patient.medications
    assert drug.end.first_day == date(2026, 2, 11)


def test_a_vaccine_is_a_drug_with_a_day(reading: Any, make: Any) -> None:
    """Immunizations are read with their day."""
    shot = {"resourceType": "Immunization", "id": "v", "status": "completed", "patient": {"reference": "Patient/p"},
            "vaccineCode": {"text": "MMR"}, "occurrenceDateTime": "2026-02-01"}  # fmt: skip
    (drug,) = reading(shot).patient.medications
    assert (drug.group, drug.name, drug.start.first_day) == ("vaccine", "MMR", date(2026, 2, 1))
