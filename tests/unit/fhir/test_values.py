"""Values in every unit that laboratories use, answers in every wording, and what is refused."""

from datetime import date
from typing import Any

import pytest

from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.fhir import codebook, shape, when

ON = date(2026, 2, 18)
LOINC = "http://loinc.org"
SCT = "http://snomed.info/sct"
V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
POSITIVE_TITRE = {
    "valueQuantity": {"value": 20, "unit": "{titer}"},
    "interpretation": [{"coding": [{"system": V3, "code": "POS"}]}],
}


@pytest.mark.parametrize(
    ("kind", "loinc", "value", "unit", "canonical"),
    [
        ("haematocrit", "4544-3", 38, "%", 0.38),
        ("haematocrit", "20570-8", 0.38, "L/L", 0.38),
        ("haemoglobin", "718-7", 12.6, "g/dL", 126),
        ("haemoglobin", "718-7", 7.8, "mmol/L", 125.7),
        ("weight", "29463-7", 150, "[lb_av]", 68.04),
        ("height", "8302-2", 66, "[in_i]", 167.6),
        ("temperature", "8310-5", 98.6, "[degF]", 37.0),
        ("fibrinogen", "3255-7", 300, "mg/dL", 3.0),
        ("igg", "2465-3", 950, "mg/dL", 9.5),
        ("calcium", "17861-6", 9.6, "mg/dL", 2.395),
        ("calcium", "2000-8", 4.8, "meq/L", 2.4),
        ("potassium", "2823-3", 4.1, "meq/L", 4.1),
        ("creatinine", "2160-0", 0.75, "mg/dL", 66.3),
        ("crp", "1988-5", 0.4, "mg/dL", 4.0),
        ("platelets", "777-3", 242, "10*3/uL", 242),
        ("inr", "6301-6", 1.1, "{INR}", 1.1),
    ],
)
def test_units_come_in_as_laboratories_write_them(
    reading: Any, make: Any, kind: str, loinc: str, value: float, unit: str, canonical: float
) -> None:
    """Conventional and SI units end in the one canonical unit of the kind."""
    found = reading(make.measured("x", loinc, value, unit)).patient.latest(kind, ON)
    assert found is not None
    assert found.value == pytest.approx(canonical, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "value"),
    [("37,5 %", 0.375), ("0.375 L/L", 0.375), ("37.5%", 0.375), ("< 40 %", 0.40)],
)
def test_a_number_as_text_is_read_with_its_decimal_comma(reading: Any, make: Any, text: str, value: float) -> None:
    """German texts with a comma are numbers; a bare limit is used and listed."""
    found = reading(make.finding("x", "4544-3", LOINC, valueString=text))
    hct = found.patient.latest("haematocrit", ON)
    assert hct is not None
    assert hct.value == pytest.approx(value)
    assert [i.code for i in found.issues] == (["limit_only"] if "<" in text else [])


def test_a_comma_before_three_digits_is_not_guessed() -> None:
    """2,500 may be two and a half or two and a half thousand: refused; 0,385 can only be a decimal."""
    assert shape.parse_number("2,500") is None
    assert shape.parse_number("0,385") == 0.385


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valueQuantity": {"value": 38}}, "unit_unknown"),
        ({"valueQuantity": {"value": 38, "unit": "Vol%"}}, "unit_unknown"),
        ({"valueQuantity": {"value": 38, "unit": "%", "code": "L/L"}}, "unit_unknown"),
        ({"valueQuantity": {"value": 90, "unit": "%"}}, "implausible"),
        ({"valueQuantity": {"value": "many", "unit": "%"}}, "unreadable"),
        ({"valueQuantity": {"value": 10**400, "unit": "%"}}, "unreadable"),
        ({"valueString": "about forty"}, "unreadable"),
        ({"dataAbsentReason": {"text": "clotted"}}, "no_value"),
        ({"valueQuantity": {"value": 38, "unit": "%"}, "status": "entered-in-error"}, "entered_in_error"),
        ({"valueQuantity": {"value": 38, "unit": "%"}, "status": "cancelled"}, "cancelled"),
        ({"valueQuantity": {"value": 38, "unit": "%"}, "effectiveDateTime": "2026-02-19"}, "after_on"),
        ({"valueQuantity": {"value": 38, "unit": "%"}, "effectiveDateTime": "18.02.2026"}, "unreadable"),
        ({"valueQuantity": {"value": 38, "unit": "%"}, "effectiveDateTime": None}, "undated"),
    ],
)
def test_a_value_that_cannot_be_used_is_ignored_and_listed(reading: Any, make: Any, more: Any, code: str) -> None:
    """Unknown unit, no unit, two units, no number, no date, withdrawn, later: an issue, and the work goes on."""
    found = reading(make.finding("x", "4544-3", LOINC, **more))
    assert found.patient.latest("haematocrit", ON) is None
    assert [i.code for i in found.issues] == [code]


def test_an_invalid_needed_value_without_an_alternative_stops_the_work(reading: Any, make: Any) -> None:
    """A haematocrit of 0.9 and no other, with an attack to treat: refused with resource, found and expected."""
    with pytest.raises(InputError) as caught:
        reading(make.relapse(), make.measured("hct", "4544-3", 0.9, "L/L"))
    assert "Observation/hct" in str(caught.value)
    assert "0.15 to 0.65" in str(caught.value)


def test_an_invalid_needed_value_with_an_alternative_is_an_issue(reading: Any, make: Any) -> None:
    """The same with another haematocrit on record: listed, and the other one is used."""
    found = reading(
        make.relapse(),
        make.measured("hct", "4544-3", 0.9, "L/L"),
        make.measured("old", "4544-3", 38, "%", "2026-02-16"),
    )
    hct = found.patient.latest("haematocrit", ON)
    assert hct is not None
    assert hct.source == "Observation/old"
    assert [i.code for i in found.issues] == ["implausible"]


def test_an_invalid_lab_that_no_order_needs_is_an_issue(reading: Any, make: Any) -> None:
    """A total protein of 60 g/dL is ignored and listed."""
    found = reading(make.relapse(), make.measured("tp", "2885-2", 60, "g/dL"))
    assert [(i.code, i.action) for i in found.issues] == [("implausible", "ignored")]


def test_an_impossible_score_stays_in_view(reading: Any, make: Any) -> None:
    """EDSS 11 is kept for the pathway to name; one of the same day does not outvote it, a later one replaces it."""
    alone = reading(make.relapse(), make.score("e", "edss", 11))
    assert [o.value for o in alone.patient.observations] == [11]
    assert alone.relapse.nadir_edss is None
    both = reading(make.relapse(), make.score("e", "edss", 11), make.score("f", "edss", 4))
    assert sorted(o.value for o in both.patient.observations) == [4, 11]
    later = reading(make.relapse(), make.score("e", "edss", 11, "2026-02-16"), make.score("f", "edss", 4))
    assert [o.value for o in later.patient.observations] == [4]


@pytest.mark.parametrize(
    ("value", "decimal"),
    [
        ({"valueQuantity": {"value": 0.1}}, 0.1),
        ({"valueQuantity": {"value": 1.0, "unit": "{logMAR}"}}, 0.1),
        ({"valueString": "20/200"}, 0.1),
        ({"valueString": "6/60"}, 0.1),
        ({"valueString": "Visus 0,1"}, 0.1),
        ({"valueString": "logMAR 1,0"}, 0.1),
        ({"valueString": "CF"}, 0.01),
        ({"valueString": "Handbewegungen"}, 0.005012),
        ({"valueString": "NLP"}, 0.0),
    ],
)
def test_sight_is_read_in_every_notation(reading: Any, make: Any, value: Any, decimal: float) -> None:
    """Decimal, logMAR, Snellen in feet and metres, and words all become the decimal."""
    found = reading(make.finding("va", "visual-acuity", bodySite={"text": "left eye"}, **value))
    (o,) = found.patient.observations
    assert (o.kind, o.site) == ("visual_acuity", "left")
    assert o.value == pytest.approx(decimal, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    "value", [{"valueString": "blurred"}, {"valueString": "20/0"}, {"valueQuantity": {"value": 60, "unit": "%"}}]
)
def test_sight_in_no_notation_is_listed(reading: Any, make: Any, value: Any) -> None:
    """What is no measure of sight is not guessed."""
    found = reading(make.finding("va", "visual-acuity", **value))
    assert found.patient.observations == ()
    assert len(found.issues) == 1


@pytest.mark.parametrize(
    ("code", "value", "answer"),
    [
        ("aqp4-igg", {"valueCodeableConcept": {"coding": [{"system": SCT, "code": "10828004"}]}}, "positive"),
        ("aqp4-igg", {"valueString": "nicht nachgewiesen"}, "negative"),
        ("aqp4-igg", {"valueString": "NEGATIVE"}, "negative"),
        ("urine-nitrite", {"valueBoolean": True}, "positive"),
        ("infection-symptoms", {"valueBoolean": False}, "absent"),
        ("can-stand", {"valueString": "nein"}, "no"),
        ("reflexes", {"valueCodeableConcept": {"text": "Preserved"}}, "preserved"),
        ("mri-lesion-pattern", {"valueString": "long optic nerve"}, "long_optic_nerve"),
        ("lesion-level", {"valueString": "T4"}, "T4"),
        ("target-deficit", {"valueString": "cannot button a shirt"}, "other"),
        ("mog-igg", POSITIVE_TITRE, "positive"),
    ],
)  # fmt: skip
def test_answers_are_read_in_every_wording(reading: Any, make: Any, code: str, value: Any, answer: str) -> None:
    """Codes, words in three languages, yes and no, and interpretations become one of the kind's answers."""
    found = reading(make.finding("x", code, **value))
    assert [o.answer for o in found.patient.observations] == [answer]
    assert found.issues == ()


def test_an_answer_outside_the_list_is_listed(reading: Any, make: Any) -> None:
    """An unclear serology is not turned into a negative one."""
    found = reading(make.finding("x", "aqp4-igg", valueString="borderline"))
    assert found.patient.observations == ()
    assert [(i.code, i.expected) for i in found.issues] == [("unreadable", "positive, negative")]


def test_a_mistyped_local_code_is_listed(reading: Any, make: Any) -> None:
    """A code of our own system that nobody knows is a typing error, not an unknown finding."""
    found = reading(make.score("x", "edds", 4))
    assert [i.code for i in found.issues] == ["code_unknown"]


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2026", "2026-01-01T00:00:00", "2026-12-31T23:59:59"),
        ("2026-02", "2026-02-01T00:00:00", "2026-02-28T23:59:59"),
        ("2026-02-18", "2026-02-18T00:00:00", "2026-02-18T23:59:59"),
        ("2026-02-18T07:30:00+01:00", "2026-02-18T07:30:00", "2026-02-18T07:30:00"),
        ("2026-02-18T07:30Z", "2026-02-18T07:30:00", "2026-02-18T07:30:00"),
        ("2016-12-31T23:59:60.123Z", "2016-12-31T23:59:59", "2016-12-31T23:59:59"),
    ],
)
def test_partial_dates_are_intervals(written: str, first: str, last: str) -> None:
    """A year or a month is an interval; a time is a moment on the record's own wall clock."""
    found = when.parse(written)
    assert found is not None
    assert (found.earliest.isoformat(), found.latest.isoformat()) == (first, last)


@pytest.mark.parametrize(
    "written", ["", "0000", "2026-13", "2026-02-30", "2026-02-18T25:00:00Z", "yesterday", "20260218"]
)
def test_what_is_no_date_is_none(written: str) -> None:
    """Impossible days and free text are not dates."""
    assert when.parse(written) is None


def test_every_code_has_a_source_or_says_that_it_is_recalled(library: Library) -> None:
    """Each row of codes names its status; every status but recalled and design names a source that exists."""
    for document in library.folder("codes").values():
        for rows in document.values():
            for row in (r for node in rows.values() if isinstance(node, dict) for r in node.get("codes", ())):
                assert row["status"] in ("primary", "secondary", "design", "recalled")
                assert row["status"] in ("design", "recalled") or row["source"] in library.citations


def test_no_code_and_no_word_means_two_things(library: Library) -> None:
    """Within one domain a code or a word stands for one kind only."""
    book = codebook.of(library)
    for document in library.folder("codes").values():
        for domain in set(document) & {d for d, _ in book.rows}:
            words = [w for row in document[domain].values() for w in row.get("words", ())]
            listed = [
                (system, code)
                for row in document[domain].values()
                for line in row.get("codes", ())
                for system, codes in line.items()
                if isinstance(codes, list)
                for code in codes
            ]
            assert len(words) == len(set(words)), domain
            assert len(listed) == len(set(listed)), domain


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", "G35.A", "ms_relapsing"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G35.B1", "ms_primary_progressive"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G35.C2", "ms_secondary_progressive"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G35D", "ms"),
        ("http://hl7.org/fhir/sid/icd-10", "G35", "ms"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "G35.11", "ms_exacerbation"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "G35.1-", "ms_relapsing"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "G35.30", "ms_secondary_progressive"),
        ("urn:oid:2.16.840.1.113883.6.90", "H46.01", "optic_neuritis"),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "H46+", "optic_neuritis"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G36.0", "nmosd"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G37.81", "mogad"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G37.3", "myelitis"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G37.9", "other_demyelination"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "A81.2", "pml"),
        ("http://snomed.info/sct/900000000000207008/version/20240101", "24700007", "ms"),
        ("urn:opentpe:codes", "optic-neuritis", "optic_neuritis"),
    ],
)
def test_codes_are_matched_by_system_and_prefix(library: Library, system: str, code: str, kind: str) -> None:
    """The longest listed prefix decides, with or without dots, under every address of the system."""
    match = codebook.of(library).meaning("condition", [{"system": system, "code": code}])
    assert match is not None
    assert match.kind == kind


@pytest.mark.parametrize(
    ("system", "code"), [("http://loinc.org", "G35"), ("http://hl7.org/fhir/sid/icd-10-cm", "G3"), ("", "G35")]
)
def test_a_code_of_another_system_means_nothing(library: Library, system: str, code: str) -> None:
    """The same letters in another system, or too few of them, are no diagnosis."""
    assert codebook.of(library).meaning("condition", [{"system": system, "code": code}]) is None
