"""The order is written in whole bottles, on open days, for the patient's own size."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from opentpe.domain import words
from opentpe.domain.decision import Advice, Decision
from opentpe.domain.patient import Condition, Observation, Patient, When
from opentpe.pathway import calendar, order
from opentpe.pathway.unit import settings

ON = date(2026, 2, 18)


def _seen(kind, value, answer="", unit=""):
    return Observation(kind, value, unit, When.at(datetime(2026, 2, 18, 8)), f"Observation/{kind}", answer)


def _patient(**changes):
    rows = {"weight": 68.0, "height": 168.0, "haematocrit": 0.38, "fibrinogen": 3.0} | changes
    seen = tuple(_seen(k, v) for k, v in rows.items() if v is not None)
    veins = (_seen("veins_left", None, "good"), _seen("veins_right", None, "good"))
    return Patient("a", "female", When.day(date(1991, 5, 1)), observations=seen + veins)


DECISION = Decision(Advice.OFFER, ON, (), start_on=date(2026, 2, 20))


def test_scenario_a_is_five_bottles_on_five_open_days(library):
    """2.56 L of plasma becomes 2.5 L in 5 x 500 mL, on 20, 23, 25, 27 February and 2 March."""
    written = order.build(_patient(), DECISION, library, settings(library))
    assert written.plasma_volume_ml == pytest.approx(2560, abs=10)
    assert (written.volume_ml, written.bottles) == (2500.0, (("albumin_5", 500.0, 5),))
    assert [d.isoformat()[5:] for d in written.dates] == ["02-20", "02-23", "02-25", "02-27", "03-02"]
    assert written.plasma_volumes == pytest.approx(0.98, abs=0.005)


def test_the_order_parses_back(library):
    """The order in course words is the same course when read."""
    written = order.build(_patient(), DECISION, library, settings(library))
    assert words.parse(written.words) == written.course


def test_missing_size_is_named_and_no_volume_is_invented(library):
    """Without height and haematocrit the order says what it needs."""
    written = order.build(_patient(height=None, haematocrit=None), DECISION, library, settings(library))
    assert written.needs == ("height", "haematocrit")
    assert written.volume_ml == 0.0


@pytest.mark.parametrize(("weight", "used"), [(68, "nadler"), (125, "lemmens")])
def test_lemmens_takes_over_above_the_limit(library, weight, used):
    """Body mass index above 40 changes the formula; the others stay beside it."""
    written = order.build(_patient(weight=float(weight)), DECISION, library, settings(library))
    assert [e.name for e in written.estimators if e.used] == [used]
    assert len(written.estimators) >= 4


def test_pregnancy_is_outside_validity(library):
    """The volume formulas were not made for pregnancy, and each says so."""
    patient = replace(_patient(), conditions=(Condition("pregnancy", "Z33", "", True, "Condition/p"),))
    written = order.build(patient, DECISION, library, settings(library))
    assert all("pregnancy" in e.outside_validity for e in written.estimators)


@pytest.mark.parametrize(
    ("left", "right", "access"),
    [
        ("good", "good", "peripheral_two_needles"),
        ("poor", "good", "peripheral_single_needle"),
        ("poor", "poor", "central_dialysis_catheter"),
    ],
)
def test_access_follows_the_arms(library, left, right, access):
    """Two arms, one arm, or the neck."""
    patient = Patient("a", "female", observations=(_seen("veins_left", None, left), _seen("veins_right", None, right)))
    assert order.propose_access(patient, ON, settings(library))[0] == access


def test_a_holiday_moves_a_session(library):
    """A closed day is skipped, and the next session keeps its distance."""
    unit = {**settings(library), "holidays": ["2026-02-23"]}
    days = calendar.session_days(date(2026, 2, 20), 3, 2, unit)
    assert [d.day for d in days] == [20, 24, 26]
