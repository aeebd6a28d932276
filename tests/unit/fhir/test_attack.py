"""Which entry is the attack, when it began, and what belongs to it."""

from datetime import date
from typing import Any

import pytest

ON = date(2026, 2, 18)
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SCT = "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        (SCT, "192929006", "ms_relapse"),
        (ICD, "H46.01", "optic_neuritis"),
        (ICD, "G37.3", "myelitis"),
        (ICD, "G37.9", "other_demyelination"),
        (ICD, "G36.0", "nmosd"),
        (ICD, "G35.A", "ms_relapse"),
        (ICD, "G35.D", "ms_relapse"),
        (SCT, "445967004", "cis"),
    ],
)
def test_entry_is_the_attack_not_the_code(reading: Any, make: Any, system: str, code: str, kind: str) -> None:
    """First attack, optic neuritis, myelitis, unspecified MS that just began: all are attacks."""
    relapse = reading(make.diagnosis("c", code, system, "2026-02-02")).relapse
    assert relapse is not None
    assert (relapse.kind, relapse.day(ON)) == (kind, 16)


@pytest.mark.parametrize(
    ("code", "onset", "more", "issue"),
    [
        ("G35.A", "2019-06", {}, []),
        ("G35.B1", "2026-01-10", {}, []),
        ("H46.01", "2023-05-01", {}, ["old_attack"]),
        ("H46.01", "2026-02-02", {"abatementDateTime": "2026-02-15"}, ["contradiction", "resolved_attack"]),
        ("H46.01", "2026-02-20", {}, ["after_on"]),
        ("H46.01", "2026-02-02", {"verificationStatus": {"coding": [{"code": "refuted"}]}}, ["refuted"]),
        (
            "H46.01",
            "2026-02-02",
            {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}},
            ["entered_in_error"],
        ),
        ("R51", "2026-02-02", {}, []),
    ],
)
def test_no_attack_gives_no_relapse(
    reading: Any, make: Any, codes: Any, code: str, onset: str, more: Any, issue: Any
) -> None:
    """Old disease, progression, past, future, refuted and unrelated entries are no present attack."""
    found = reading(make.diagnosis("c", code, ICD, onset, **more))
    assert found.relapse is None
    assert codes(found) == issue


def test_a_returned_disease_is_an_attack_of_unknown_onset(reading: Any, make: Any, codes: Any) -> None:
    """MS on the problem list with clinical status relapse: the attack counts, its onset is asked for."""
    status = {"coding": [{"code": "relapse"}]}
    found = reading(make.diagnosis("c", "G35.A", ICD, "2019-06", clinicalStatus=status))
    assert found.relapse is not None
    assert found.relapse.onset is None
    assert codes(found) == ["onset_missing"]


def test_an_encounter_for_an_attack_is_a_hint(reading: Any, make: Any, codes: Any) -> None:
    """An attack that only the reason of a recent encounter names counts, with unknown onset."""
    visit = make.resource("Encounter", "e", status="in-progress", period={"start": "2026-02-16"})
    found = reading({**visit, "reasonCode": [make.concept("192929006", SCT)]})
    assert found.relapse is not None
    assert (found.relapse.source, found.relapse.onset) == ("Encounter/e", None)
    assert codes(found) == ["onset_missing"]


def test_of_two_attacks_the_newest_is_taken(reading: Any, make: Any, codes: Any) -> None:
    """Onsets thirty days or more apart are two attacks; the older one is listed."""
    found = reading(make.diagnosis("old", "H46.01", ICD, "2025-12-01"), make.relapse())
    assert found.relapse.source == "Condition/attack"
    assert codes(found) == ["several_attacks"]


def test_two_entries_of_one_attack_are_one_attack(reading: Any, make: Any, codes: Any) -> None:
    """Onsets a week apart are one attack: the earlier onset counts, and both are named."""
    found = reading(make.diagnosis("eye", "H46.01", ICD, "2026-02-09", bodySite=[{"text": "left"}]), make.relapse())
    assert (found.relapse.kind, found.relapse.day(ON), found.relapse.site) == ("ms_relapse", 16, "left")
    assert codes(found) == ["contradiction"]


def test_an_attack_recorded_before_its_onset_stays_in_view(reading: Any, make: Any, codes: Any) -> None:
    """A mistyped onset in the future must not read as "no attack"; one that nobody recorded yet is not there yet."""
    found = reading(make.relapse("2026-03-02", recordedDate="2026-02-06"))
    assert (found.relapse.day(ON), codes(found)) == (-12, ["contradiction"])
    assert reading(make.relapse("2026-03-02")).relapse is None


def test_a_month_as_onset_is_an_interval(reading: Any, make: Any) -> None:
    """A partial onset keeps its width; the day count runs from its first day."""
    onset = reading(make.relapse("2026-02")).relapse.onset
    assert (onset.first_day, onset.certain_day) == (date(2026, 2, 1), False)


def test_the_course_of_the_disease_is_one_or_unknown(reading: Any, make: Any, codes: Any) -> None:
    """Relapsing and progressive at once is named with both sources and not settled."""
    rrms, spms = make.diagnosis("r", "G35.A", ICD, "2010"), make.diagnosis("s", "G35.C1", ICD, "2022")
    assert reading(make.relapse(), rrms).relapse.course == "relapsing"
    found = reading(make.relapse(), rrms, spms)
    assert found.relapse.course == ""
    assert codes(found) == ["contradiction"]
    assert "Condition/r" in found.issues[0].found
    assert "Condition/s" in found.issues[0].found
    ended = {**rrms, "clinicalStatus": {"coding": [{"code": "inactive"}]}}
    assert reading(make.relapse(), ended, spms).relapse.course == "secondary_progressive"


def test_edss_before_and_at_the_worst(reading: Any, make: Any) -> None:
    """Baseline is the last score before the onset, the worst one counts from the onset on."""
    scores = [("2025-01-01", 1.0), ("2026-01-20", 2.5), ("2026-02-05", 6.0), ("2026-02-18", 4.0)]
    rows = [make.score(f"e{i}", "edss", v, on) for i, (on, v) in enumerate(scores)]
    relapse = reading(make.relapse(), *rows).relapse
    assert (relapse.baseline_edss, relapse.nadir_edss) == (2.5, 6.0)


@pytest.mark.parametrize(
    ("code", "onset", "person", "active"),
    [
        ("Z34.02", "2025-11-01", {}, True),
        ("Z34.02", "2024-11-01", {}, False),
        ("Z34.02", "2025-11-01", {"gender": "male"}, False),
        ("Z34.02", "2025-11-01", {"birthDate": "1950-01-01"}, False),
        ("N39.0", "2026-02-10", {}, True),
        ("N39.0", "2025-06-10", {}, False),
        ("K74.6", "2010", {}, True),
    ],
)
def test_an_entry_nobody_closed_is_not_believed_for_ever(
    reading: Any, make: Any, code: str, onset: str, person: Any, active: bool
) -> None:
    """A pregnancy of last year, a pregnant man and a urinary infection of last summer are not going on."""
    found = reading(make.diagnosis("c", code, ICD, onset), person={**make.person, **person})
    assert [c.active for c in found.patient.conditions] == [active]
    assert len(found.issues) == (0 if active else 1)


def test_a_diagnosis_in_words_only_is_listed(reading: Any, make: Any, codes: Any) -> None:
    """Free text is not interpreted; it is shown."""
    found = reading(make.resource("Condition", "c", code={"text": "optic neuritis"}, onsetDateTime="2026-02-02"))
    assert found.relapse is None
    assert codes(found) == ["uncoded"]


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ({"gender": "other"}, "no_value"),
        ({"birthDate": "2030-01-01"}, "implausible"),
        ({"birthDate": "1850"}, "implausible"),
        ({"birthDate": "in May"}, "unreadable"),
        ({"deceasedBoolean": True}, "deceased"),
    ],
)
def test_who_it_is_is_checked(reading: Any, make: Any, codes: Any, person: Any, code: str) -> None:
    """An unknown sex, an impossible birth and a recorded death are listed."""
    assert codes(reading(person={**make.person, **person})) == [code]
