"""Documents hold what they were given, and refuse what they cannot read."""

import json
from datetime import date

import pytest

from opentpe.domain import documents, words
from opentpe.domain.consultation import Band
from opentpe.domain.decision import Advice, Decision, Fact, Reason
from opentpe.domain.therapy import Course, DrugDose, Measurement
from opentpe.errors import InputError

COURSE = words.parse(
    "5 x 2500 mL patient plasma on 2026-02-20 2026-02-23 2026-02-25 2026-02-27 2026-03-02, albumin 5 %"
)


def test_a_course_survives_the_file(tmp_path):
    """A course written as course.json reads back equal, with doses and labs."""
    course = Course(
        5,
        COURSE.prescription,
        COURSE.schedule,
        measurements=(Measurement("igg", 0.0, 9.5, "g/L"),),
        drug_doses=(DrugDose("natalizumab", -14400.0, 300.0),),
    )
    file = tmp_path / "course.json"
    file.write_text(documents.text(documents.document("course", course)), encoding="utf-8")
    assert documents.read_course(file) == course


def test_a_decision_survives_encoding():
    """Enums, dates, nested facts and None survive the way out and back."""
    decision = Decision(Advice.OFFER, date(2026, 2, 18), (Reason("x", "g6", (Fact("edss", 4.0, ("Observation/1",)),)),))
    again = documents.decode(Decision, json.loads(json.dumps(documents.encode(decision))), "decision")
    assert again == decision


def test_name_pairs_become_objects():
    """Named bands are an object in JSON, so that a reader finds igg by name."""
    from opentpe.domain.consultation import Moment

    band = Band(1, 0, 0.5, 1.5, 2, "g/L")
    assert documents.encode(Moment("24h", 1440.0, (("igg", band),)))["values"]["igg"]["median"] == 1


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda d: d.pop("count"), "course.json.count"),
        (lambda d: d["prescription"].update(dose_unit="pints"), "dose_unit"),
        (lambda d: d["schedule"].update(dates=["yesterday"]), r"dates\[0\]"),
        (lambda d: d.update(schema="opentpe.patient/1"), "opentpe.course/1"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, change, names):
    """The error names the element of the file that does not fit."""
    data = documents.document("course", COURSE)
    change(data)
    file = tmp_path / "course.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match=names):
        documents.read_course(file)
