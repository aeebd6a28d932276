"""The pages as a program asks for them: twins, roles, signatures, policy, units, and what the trainer scores."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from opentpe import consultation as flow
from opentpe.domain.consultation import Line
from opentpe.report import build, sentences
from opentpe.report.desk import Desk
from opentpe.web.pages import assets, care, course, form, go, lab_units, scenes

PAGES = ("/board", "/patients", "/consult", "/planner", "/evidence", "/trainer", "/validation")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_as_html_and_as_json(clinic, path):
    """The twin has the same address with `.json`."""
    assert "<h1>" in clinic.get(path).text
    assert clinic.get(f"{path}.json").json()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_an_inline_script_or_style(clinic, path):
    """The policy forbids both."""
    text = clinic.get(path).text
    assert "<style" not in text
    assert ' style="' not in text
    assert "<script>" not in text


def test_codes_stand_on_the_evidence_page(clinic):
    """The code of efgartigimod with its title, status and list; the twin says the same; a search narrows both."""
    text = clinic.get("/evidence?q=efgartigimod").text
    assert "L04AL01" in text
    assert "efgartigimod alfa" in text
    twin = clinic.get("/evidence.json?q=efgartigimod&file=codes/medications").json()
    assert twin["codes_found"] == len(twin["codes"]) == 2
    assert twin["codes"][0] | {"fact": "medication efgartigimod", "system": "atc"} == twin["codes"][0]
    assert clinic.get("/evidence.json?status=recalled").json()["codes"][0]["source"] == ""


def test_a_trainee_sees_no_patient_and_comes_in_at_the_trainer(signed_in):
    """The board needs the right to read; the way in leads where a role may go."""
    trainee = signed_in("trainee")
    assert trainee.get("/board").status_code == 403
    assert trainee.get("/").headers["location"] == "/trainer"


def test_what_is_kept_leads_to_the_same_advice(clinic, kept):
    """A consultation kept as records and read again decides the same."""
    here = clinic.app.state.clinic
    made = care.advice(here, care.load(here, kept))
    assert made.decision.advice.value == "offer"
    assert made.order.volume_ml == 2500


def test_a_changed_weight_voids_the_signature(clinic, kept):
    """Signed on 68 kg; at 75 kg the page says so."""
    csrf = clinic.headers["X-CSRF-Token"]
    clinic.post(f"/courses/{kept}/order", data={"csrf": csrf})
    order = clinic.get(f"/courses/{kept}.json").json()["order"]["kept"]
    clinic.post(f"/courses/{kept}/sign", data={"csrf": csrf, "order": order["id"], "version": order["version"]})
    assert clinic.get(f"/courses/{kept}.json").json()["order"]["holds"]
    weight = {"csrf": csrf, "kind": "weight", "value": "75", "unit": "kg", "taken_at": "2026-02-18T10:00"}
    assert clinic.post(f"/courses/{kept}/lab", data=weight).status_code == 303
    after = clinic.get(f"/courses/{kept}.json").json()["order"]
    assert not after["holds"]
    assert "weight 68 to 75 kg" in after["void"]


def test_an_implausible_lab_is_refused_with_what_to_do(clinic, kept):
    """A fibrinogen of 300 g/L is a unit mistaken."""
    csrf = clinic.headers["X-CSRF-Token"]
    said = {"csrf": csrf, "kind": "fibrinogen", "value": "300", "unit": "g/L", "taken_at": "2026-02-18T10:00"}
    answer = clinic.post(f"/courses/{kept}/lab", data=said)
    assert answer.status_code == 422
    assert "unit" in answer.json()["detail"]


def test_a_partial_run_below_the_limit_is_to_be_repeated(clinic, kept):
    """1200 mL of 2560 mL does not count."""
    csrf = clinic.headers["X-CSRF-Token"]
    said = {"csrf": csrf, "session": "1", "status": "partial", "started_at": "2026-02-18T09:00"}
    clinic.post(f"/courses/{kept}/sheet", data=said | {"plasma_removed_ml": "1200"})
    first = clinic.get(f"/courses/{kept}.json").json()["sessions"][0]
    assert first["actual"].startswith("1200")
    assert not first["counts"]


def test_a_setting_is_changed_with_who_and_why(clinic):
    """The board names the person and the reason, and refuses a value of another kind."""
    csrf = clinic.headers["X-CSRF-Token"]
    said = {"csrf": csrf, "name": "has_separator", "value": "false", "version": "0", "why": "in repair"}
    assert clinic.post("/board/settings", data=said).status_code == 303
    row = next(s for s in clinic.get("/board.json").json()["settings"] if s["name"] == "has_separator")
    assert row["value"] == "false"
    assert "physician" in row["by"]
    assert clinic.post("/board/settings", data=said | {"value": "perhaps", "version": "1"}).status_code == 422


def test_the_form_says_what_a_bundle_says(library):
    """The short form of a moderate relapse is read as one."""
    said = {"sex": "female", "birth": "1991-05-20", "onset": "2026-02-02", "steroid_from": "2026-02-09"}
    said |= {"steroid_days": "5", "steroid_mg": "1000", "edss_before": "2.5", "edss_now": "4", "response": "none"}
    made = flow.decide(form.bundle(said, date(2026, 2, 18)), date(2026, 2, 18), library=library)
    assert made.relapse.steroids[0].methylprednisolone_mg == 5000


def test_conventional_units_change_the_number_and_the_unit_together():
    """4.0 g/L is 400 mg/dL; a label moves with its line."""
    assert lab_units.factor("igg", "g/L", "conventional") == pytest.approx(100)
    assert lab_units.unit_of("igg", "g/L", "metric") == "g/L"
    assert lab_units.label("4 g/L look for infection", "mg/dL") == "400\u202fmg/dL look for infection"


def test_a_printed_page_names_its_styles_by_hash():
    """Style attributes become rules; no script stays."""
    page = assets.strict('<html><head></head><body><b style="flex: 3 1 0">x</b><script>1</script></body></html>')
    assert b"style=" not in page.body.replace(b"data-style=", b"")
    assert b"<script" not in page.body
    assert "sha256-" in page.headers["content-security-policy"]


def test_every_scenario_is_understood(library):
    """Each hidden event is in the words of the machine, each action in the buttons' words."""
    from opentpe.simulation import events

    for row in scenes.scenarios().values():
        assert row["title"]
        for line in row["hidden"]:
            assert events.parse(line)


def test_a_value_that_is_not_of_today_is_asked_for(clinic, kept, clock):
    """Go or no-go asks for values of the last 24 h: two days later none is left."""
    clock.at += timedelta(days=2)
    here = clinic.app.state.clinic
    state = care.load(here, kept)
    checks = go.verdict(state.read, state.today, build.desk(care.advice(here, state), here.library), 1).checks
    assert {c.state for c in checks} == {"open"}


def test_what_does_not_fit_is_told_in_words(library):
    """A value far from what was expected and an unusual parameter read as sentences, without names of the program."""
    value = (("solute", "fibrinogen"), ("value", 1.5), ("unit", "g/L"), ("day", 1.0), ("sd", 3.2))
    unusual = (("parameter", "fibrinogen.concentration"), ("sd", -2.1))
    alarms = (Line("lab_surprising", value), Line("parameter_unusual", unusual))
    told = course._learned(SimpleNamespace(labs=(1, 2), alarms=alarms), Desk(sentences.load("en"), {}, library))
    assert told[0] == "Updated from 2 measured values."
    assert "on day 1" in told[1]
    assert told[2].startswith("Fibrinogen")
    assert "_" not in "".join(told)
    assert "fibrinogen." not in "".join(told)


@pytest.mark.parametrize(
    ("text", "told"), [('{"resourceType": "Bundle", "type": 1, "type": 2}', "twice"), ("{", "end")]
)
def test_a_pasted_bundle_is_read_as_strictly_as_a_file(clinic, text, told):
    """An element given twice and a text cut short are refused with what was found."""
    answer = clinic.post("/consult", data={"bundle": text})
    assert answer.status_code == 422
    assert told in answer.text
