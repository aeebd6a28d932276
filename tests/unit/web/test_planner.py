"""The planner: controls stand where the plan stands, a saved plan keeps what was done and lands on open days."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from opentpe.domain import words
from opentpe.errors import InputError
from opentpe.web.pages import care, planner

OPEN = {"opening_days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "holidays": ["2026-02-25"]}
DAYS = (date(2026, 2, 16), date(2026, 2, 18), date(2026, 2, 20), date(2026, 2, 23), date(2026, 2, 25))


class State:
    """As much of a course as the planner asks for."""

    days = DAYS

    @staticmethod
    def procedure(session):
        return None

    today = date(2026, 2, 19)
    done = 2


def test_sessions_done_keep_their_days_and_the_rest_land_on_open_ones():
    """Daily from the third on: not on a weekend, not on the holiday."""
    made = planner.anchored(State, words.parse("6 x 1.2 PV daily, albumin 5 %"), OPEN)
    assert made.schedule.dates[:2] == DAYS[:2]
    assert made.schedule.dates[2:] == (date(2026, 2, 20), date(2026, 2, 23), date(2026, 2, 24), date(2026, 2, 26))
    assert made.prescription.dose == 1.2


def test_fewer_sessions_than_were_done_are_refused():
    """What was done cannot be planned away."""
    with pytest.raises(InputError, match="at least 2"):
        planner.anchored(State, words.parse("1 x 1.0 PV daily, albumin 5 %"), OPEN)


def test_stopping_after_what_was_done_is_a_plan():
    """Two done, two planned: nothing is left."""
    made = planner.anchored(State, words.parse("2 x 1.0 PV every other day"), OPEN)
    assert made.schedule.dates == DAYS[:2]


def test_every_control_of_the_page_stands_where_the_plan_stands(signed_in, kept_course):
    """Volumes, number, interval, fluids, calcium, ratio and needle come from the kept words."""
    clinic = signed_in("physician")
    course = kept_course(clinic)
    here = clinic.app.state.clinic
    state = care.load(here, course)
    said = "6 x 1.2 PV every 72 h, 20 % saline then 70 % albumin 4 % then 10 % plasma, inlet:AC 12:1, "
    plan = words.parse(said + "calcium gluconate 15 mL/L, single needle")
    found = planner.defaults(here, replace(state, plan=plan))
    assert (found["plasma_volumes"], found["count"], found["interval_h"]) == (pytest.approx(1.2), 6, 72)
    assert (found["saline_percent"], found["plasma_percent"], found["albumin"]) == (20, 10, "albumin 4 %")
    assert (found["calcium_ml_l"], found["inlet_ac"], found["single"]) == (15, 12, True)


def test_saving_a_plan_voids_the_signature_and_moves_the_days(signed_in, kept_course):
    """A larger volume is another order."""
    clinic = signed_in("physician")
    course, csrf = kept_course(clinic), clinic.headers["X-CSRF-Token"]
    clinic.post(f"/courses/{course}/order", data={"csrf": csrf})
    order = clinic.get(f"/courses/{course}.json").json()["order"]["kept"]
    clinic.post(f"/courses/{course}/sign", data={"csrf": csrf, "order": order["id"], "version": order["version"]})
    said = {"csrf": csrf, "course": course, "version": "1", "words": "6 x 1.3 PV daily, albumin 5 %", "why": "faster"}
    assert clinic.post("/planner/save", data=said).status_code == 303
    after = clinic.get(f"/courses/{course}.json").json()
    assert after["count"] == 6
    assert "volume" in after["order"]["void"]
    assert clinic.post("/planner/save", data=said).status_code == 409


def test_a_session_held_on_another_day_keeps_labs_and_sessions_on_one_clock(signed_in, kept_course):
    """Session 1 two days early: it stays the zero of the clock, a lab a day later stands at one day, the rest move."""
    clinic = signed_in("physician")
    course, csrf = kept_course(clinic), clinic.headers["X-CSRF-Token"]
    here = clinic.app.state.clinic
    planned = care.load(here, course).days
    early = planned[0] - timedelta(days=2)
    sheet = {"csrf": csrf, "session": "1", "status": "performed", "started_at": f"{early}T10:00", "version": "0"}
    clinic.post(f"/courses/{course}/run-sheet", data=sheet | {"end.plasma_removed_ml": "2500"})
    taken = f"{early + timedelta(days=1)}T10:00"
    lab = {"csrf": csrf, "kind": "fibrinogen", "value": "1.5", "unit": "g/L", "taken_at": taken}
    assert clinic.post(f"/courses/{course}/lab", data=lab).status_code == 303
    state = care.load(here, course)
    assert care.subject(state).value("fibrinogen") == 3.0  # as before session 1, not as after it
    done = care.as_done(state)
    assert done.procedures()[0].start_min == 0
    assert done.procedures()[1].start_min == (planned[1] - early).days * 1440
    assert [m.time_min for m in done.measurements if m.value == 1.5] == [1440]
