"""Duplicates, contradictions, preliminary and old values: one value stands, and every other is listed."""

from datetime import date
from typing import Any

import pytest

ON = date(2026, 2, 18)
LOINC = "http://loinc.org"


def weights(found: Any) -> list[float]:
    return [o.value for o in found.patient.observations if o.kind == "weight"]


def test_the_same_value_twice_is_one_value(reading: Any, make: Any, codes: Any) -> None:
    """A value sent by two systems counts once."""
    found = reading(make.measured("a", "29463-7", 68, "kg"), make.measured("b", "29463-7", 68000, "g"))
    assert weights(found) == [68]
    assert codes(found) == ["duplicate"]


@pytest.mark.parametrize("turned", [False, True])
def test_two_values_in_one_second_are_settled_by_the_stated_rule(
    reading: Any, make: Any, codes: Any, turned: bool
) -> None:
    """A corrected value beats a final one, whatever the order in the bundle; both are named."""
    rows = [
        make.measured("a", "29463-7", 68, "kg", status="corrected", issued="2026-02-18T08:00:00Z"),
        make.measured("b", "29463-7", 86, "kg", issued="2026-02-18T09:00:00Z"),
    ]
    found = reading(*(reversed(rows) if turned else rows))
    assert weights(found) == [68]
    assert codes(found) == ["contradiction"]
    assert "Observation/a" in found.issues[0].found
    assert "corrected before" in found.issues[0].action


def test_two_answers_of_equal_weight_are_not_settled_by_a_name(reading: Any, make: Any, codes: Any) -> None:
    """No response and full response on one day both stay in view; a corrected answer would have settled it."""
    none, full = make.answer("a", "steroid-response", "none"), make.answer("b", "steroid-response", "full")
    found = reading(none, full)
    assert [o.answer for o in found.patient.observations] == ["none", "full"]
    assert codes(found) == ["contradiction"]
    assert (found.issues[0].where, "Observation/b" in found.issues[0].found) == ("Observation/a", True)
    corrected = reading({**none, "status": "corrected"}, full)
    assert [o.answer for o in corrected.patient.observations] == ["none"]


def test_a_pregnant_man_is_named_and_stays_on_the_safe_side(reading: Any, make: Any, codes: Any) -> None:
    """Both sources are named, and the pregnancy is kept."""
    person = {**make.person, "gender": "male"}
    found = reading(make.finding("a", "82810-3", LOINC, valueCodeableConcept=make.concept("pregnant")), person=person)
    assert found.patient.latest("pregnancy", ON).answer == "pregnant"
    assert codes(found) == ["contradiction"]
    assert "Patient/p" in found.issues[0].found


def test_several_deficits_of_one_day_all_stand(reading: Any, make: Any) -> None:
    """Two target deficits of one examination are no contradiction."""
    found = reading(make.answer("a", "target-deficit", "ataxia"), make.answer("b", "target-deficit", "bladder"))
    assert [o.answer for o in found.patient.observations] == ["ataxia", "bladder"]
    assert found.issues == ()


def test_a_preliminary_value_yields_to_a_final_one(reading: Any, make: Any, codes: Any) -> None:
    """Preliminary alone is used and listed; with a later final one it goes."""
    early = make.measured("a", "29463-7", 70, "kg", "2026-02-17", status="preliminary")
    assert weights(reading(early)) == [70]
    found = reading(early, make.measured("b", "29463-7", 68, "kg"))
    assert weights(found) == [68]
    assert codes(found) == ["preliminary"]


@pytest.mark.parametrize(("hb", "contradicts"), [(126, False), (100, True), (160, True)])
def test_haemoglobin_checks_the_haematocrit(reading: Any, make: Any, codes: Any, hb: float, contradicts: bool) -> None:
    """A haematocrit that its haemoglobin contradicts is listed, and stays in use."""
    found = reading(make.measured("h", "4544-3", 38, "%"), make.measured("b", "718-7", hb, "g/L"))
    assert codes(found) == (["contradiction"] if contradicts else [])
    assert found.patient.latest("haematocrit", ON).value == 0.38


def test_an_old_haemoglobin_proves_nothing(reading: Any, make: Any, codes: Any) -> None:
    """Only values of the same day are held against each other."""
    found = reading(make.measured("h", "4544-3", 38, "%"), make.measured("b", "718-7", 90, "g/L", "2026-02-14"))
    assert codes(found) == []


def test_an_old_value_is_listed_with_its_age_and_kept(reading: Any, make: Any, codes: Any) -> None:
    """Each kind has a maximum age; only the newest value of a kind is held against it."""
    old = make.measured("a", "4544-3", 41, "%", "2024-01-01")
    found = reading(old)
    assert codes(found) == ["stale"]
    assert "779 days old" in found.issues[0].found
    assert found.patient.latest("haematocrit", ON).value == 0.41
    assert codes(reading(old, make.measured("b", "4544-3", 38, "%"))) == []


def test_many_issues_of_one_kind_are_told_once(reading: Any, make: Any) -> None:
    """Ten wrong proteins are one line with their count."""
    rows = [make.measured(f"t{i}", "2885-2", 60 + i, "g/dL", f"2026-02-{i + 1:02d}") for i in range(10)]
    (issue,) = reading(*rows).issues
    assert issue.where.endswith("and 9 more")


def test_the_order_of_the_bundle_does_not_matter(reading: Any, make: Any) -> None:
    """The same resources in another order give the same patient."""
    rows = [
        make.relapse(), make.measured("a", "29463-7", 68, "kg"), make.measured("b", "29463-7", 86, "kg"),
        make.score("e", "edss", 4), make.given("m1", "2026-02-09", 1000), make.given("m2", "2026-02-10", 1000),
    ]  # fmt: skip
    one, other = reading(*rows), reading(*reversed(rows))
    assert one.patient.observations == other.patient.observations
    assert one.relapse == other.relapse
