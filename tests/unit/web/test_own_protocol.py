"""The unit's own numbers: set on the board with a reason, in force at once, refused where they are far away."""

import pytest

from opentpe.evidence.load import Library
from opentpe.web.pages import unit


def set_to(clinic, name, *values, version="0", why="as agreed in the unit"):
    said = {"csrf": clinic.headers["X-CSRF-Token"], "name": name, "version": version, "why": why, "value": list(values)}
    return clinic.post("/board/settings", data=said)


def row(clinic, name):
    return next(r for r in clinic.get("/board.json").json()["settings"] if r["name"] == name)


def test_the_calcium_protocol_of_the_unit_is_in_force(clinic):
    """Twelve millilitres a litre instead of ten: planner and orders start from it."""
    assert set_to(clinic, "order.calcium_gluconate_ml_per_l", "12").status_code == 303
    assert row(clinic, "order.calcium_gluconate_ml_per_l")["value"] == "12.0"
    assert clinic.get("/planner.json").json()["defaults"]["calcium_ml_l"] == 12


def test_a_threshold_is_shown_with_who_and_why_and_keeps_the_shipped_one(clinic):
    """The evidence page names the unit's number as in use and the shipped one as its rival."""
    assert set_to(clinic, "limits.safety.platelets_call_10_9_l", "90", why="local policy").status_code == 303
    found = row(clinic, "limits.safety.platelets_call_10_9_l")
    assert "physician" in found["by"]
    assert found["why"] == "local policy"
    assert "local policy" in clinic.get("/evidence?q=platelets_call").text


def test_a_number_far_away_is_a_typing_error(clinic):
    """A call limit of 1000 platelets is refused with between what it may lie."""
    answer = set_to(clinic, "limits.safety.platelets_call_10_9_l", "1000")
    assert answer.status_code == 422
    assert " to " in answer.json()["expected"]


def test_without_a_reason_nothing_changes(clinic):
    """Who, when and why belong to every change."""
    assert set_to(clinic, "has_separator", "no", why="").status_code == 422
    assert row(clinic, "has_separator")["value"] == "true"


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("opening_days", ["Sat", "Mon"], ["Mon", "Sat"]),
        ("bottle_sizes_ml", ["100, 250"], [250, 100]),
        ("holidays", ["2026-12-25, 2026-01-01"], ["2026-01-01", "2026-12-25"]),
        ("modality", ["membrane_heparin"], "membrane_heparin"),
        ("fluid", ["albumin_4"], "albumin_4"),
        ("has_separator", ["no"], False),
    ],
)
def test_every_kind_of_setting_is_changed_in_words(clinic, name, typed, value):
    """Days, bottles, holidays, modality, fluid, yes or no."""
    assert set_to(clinic, name, *typed).status_code == 303
    assert unit.of(clinic.app.state.clinic)[name] == value


@pytest.mark.parametrize(("name", "typed"), [("modality", "by hand"), ("opening_days", "Someday"), ("fluid", "tea")])
def test_what_a_setting_may_not_be_is_refused_with_what_it_may(clinic, name, typed):
    """The list of what there is stands in the message."""
    answer = set_to(clinic, name, typed)
    assert answer.status_code == 422
    assert answer.json()["expected"]


def test_two_people_changing_one_setting_meet_a_conflict(clinic):
    """The second one read an older version."""
    assert set_to(clinic, "has_separator", "no").status_code == 303
    assert set_to(clinic, "has_separator", "yes", version="7").status_code == 409


def test_the_digest_tells_that_the_evidence_is_not_as_shipped(clinic, library: Library):
    """A decision under the unit's own protocol names another evidence than one without it."""
    from opentpe.web import protocol

    set_to(clinic, "order.lab_age_h", "36")
    here = clinic.app.state.clinic
    own = protocol.laid(library, protocol.kept(here.store, library))
    assert own.value("order.lab_age_h") == 36
    assert own.digest != library.digest
    assert library.value("order.lab_age_h") != 36
