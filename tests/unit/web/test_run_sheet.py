"""The run sheet page: every field there and back, conflicts instead of lost changes, a log taken in."""

from datetime import UTC, date, datetime, timedelta

import pytest

from opentpe.errors import InputError
from opentpe.records.run_sheet import Before, End, Given, Issued, Lot, Machine, RunSheet, Vitals
from opentpe.web.pages import sheet_fields

FULL = RunSheet(
    before=Before(haematocrit_fraction=0.38, inr_ratio=1.1, allergies="no", vitals=Vitals(systolic_mmhg=121)),
    machine=Machine(set_lot=Lot(product="set", lot="7", expires_on=date(2027, 1, 1)), self_test_passed=True),
    issued=(Issued(product="albumin 5 %", volume_ml=500), Issued(product="saline", volume_ml=250)),
    end=End(
        ended_at=datetime(2026, 2, 18, 11, 0, tzinfo=UTC), plasma_removed_ml=2480, rinseback_given=False,
        replaced=(Given(fluid="albumin 5 %", volume_ml=2500),), signed_by=("J. Weber", "M. Holt"),
    ),
)  # fmt: skip


def typed(sheet):
    """What a browser sends back when nothing is changed."""
    found = {}
    for group in sheet_fields.groups(sheet, {}):
        fields = [*group.fields, *(f for row in group.rows for f in row)]
        found |= {f.name: f.value for f in fields}
    return found


def post(clinic, kept, part, **said):
    return clinic.post(f"/courses/{kept}/{part}", data={"csrf": clinic.headers["X-CSRF-Token"], **said})


def test_every_field_of_a_run_sheet_goes_to_the_page_and_back():
    """What was written is what is kept, percent and lists and moments included."""
    assert sheet_fields.sheet_of(typed(FULL)) == FULL


def test_a_field_that_does_not_fit_is_named():
    """A volume in words is refused with its place."""
    with pytest.raises(InputError, match=r"end\.plasma_removed_ml"):
        sheet_fields.sheet_of({"end.plasma_removed_ml": "about two litres"})


def test_the_empty_sheet_holds_what_the_records_know(clinic, kept):
    """Weight, haematocrit and target stand there before anybody writes."""
    data = clinic.get(f"/courses/{kept}/run-sheet.json").json()
    fields = {f["name"]: f for g in data["groups"] for f in g["fields"]}
    assert fields["identity.weight_kg"]["value"] == "68"
    assert fields["planned.plasma_target_ml"]["value"] == "2500"
    assert fields["identity.weight_kg"]["known"]


def test_two_people_on_one_sheet_meet_a_conflict_page(clinic, kept):
    """The second one sees both sides, and nothing is overwritten."""
    said = {"session": "1", "status": "performed", "started_at": "2026-02-18T09:00", "version": "0"}
    assert post(clinic, kept, "run-sheet", **said, **{"end.plasma_removed_ml": "2500"}).status_code == 303
    clinic.headers["Accept"] = "text/html"
    answer = post(clinic, kept, "run-sheet", **said, **{"end.plasma_removed_ml": "2100"})
    assert answer.status_code == 409
    assert "somebody was first" in answer.text
    assert "2500.0" in answer.text
    assert "2100.0" in answer.text


def test_the_sheet_of_the_simulator_is_taken_in(clinic, kept):
    """Rows of the CSV become the run log, the last row the end."""
    rows = "time_min,plasma_removed_ml,replaced_ml,systolic_mm_hg\n0,0,0,120\n45,1300,1300,115\n92,2490,2490,112\n"
    csrf = clinic.headers["X-CSRF-Token"]
    said = {"csrf": csrf, "session": "1", "started_at": "2026-02-18T09:00", "version": "0"}
    answer = clinic.post(f"/courses/{kept}/log", data=said, files={"file": ("run.csv", rows.encode())})
    assert answer.status_code == 303, answer.text
    data = clinic.get(f"/courses/{kept}/run-sheet.json?session=1").json()
    assert data["status"] == "performed"
    assert [r["at"] for r in data["log"]] == ["09:00", "09:45", "10:32"]
    end = {f["name"]: f["value"] for g in data["groups"] if g["key"] == "end" for f in g["fields"]}
    assert end["end.plasma_removed_ml"] == "2490"
    assert clinic.get(f"/courses/{kept}.json").json()["sessions"][0]["actual"].startswith("2490")


def test_an_adverse_event_gets_the_registry_grade(clinic, kept):
    """Calcium was needed: moderate. It stands on the course and on the patient's page."""
    said = {"what": "Tingling", "session": "1", "happened_at": "2026-02-18T09:30", "medication_given": "yes"}
    assert post(clinic, kept, "event", **said).status_code == 303
    course = clinic.get(f"/courses/{kept}.json").json()
    assert course["events"][0]["what"] == "Tingling, moderate"
    patient = clinic.get(f"/patients/{course['patient']['id']}").text
    assert "Tingling" in patient


def test_an_override_keeps_its_reason(clinic, kept):
    """Another way than advised, and why."""
    assert post(clinic, kept, "override", code="offer", reason="patient declines", instead="wait").status_code == 303
    assert "patient declines" in clinic.get(f"/courses/{kept}").text


def test_patients_are_found_without_a_name_in_the_address(clinic, kept):
    """The search is a form; a wrong name finds nobody."""
    csrf = clinic.headers["X-CSRF-Token"]
    assert "Nobody of that name" in clinic.post("/patients", data={"csrf": csrf, "name": "zzz"}).text
    assert clinic.get("/patients.json").json()["count"] == 1


def test_a_line_that_is_due_out_stands_on_the_board(clinic, kept, clock):
    """Entered on the course, reminded of the day before, gone once it is out."""
    day = (clock.at.date() + timedelta(days=1)).isoformat()
    assert post(clinic, kept, "line", version="1", out_on=day).status_code == 303
    assert "Line due out" in [d["what"] for d in clinic.get("/board.json").json()["due"]]
    assert post(clinic, kept, "line", version="2").status_code == 303
    assert "Line due out" not in [d["what"] for d in clinic.get("/board.json").json()["due"]]


def test_a_course_with_every_session_done_is_closed_not_stopped(clinic, kept):
    """The last session is on record: the form closes the course with its result."""
    count = clinic.get(f"/courses/{kept}.json").json()["count"]
    for n in range(1, count + 1):
        said = {"session": str(n), "status": "performed", "started_at": "2026-02-18T09:00", "version": "0"}
        assert post(clinic, kept, "run-sheet", **said, **{"end.plasma_removed_ml": "2500"}).status_code == 303
    course = clinic.get(f"/courses/{kept}.json").json()["course"]
    assert post(clinic, kept, "stop", version=str(course["version"]), reason="walks again").status_code == 303
    assert clinic.get(f"/courses/{kept}.json").json()["course"]["body"]["status"] == "completed"
