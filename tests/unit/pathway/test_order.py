"""The order is written in whole bottles, on open days, for the patient's own size."""

import re
from dataclasses import replace
from datetime import date, datetime

import pytest

from opentpe.domain import words
from opentpe.domain.decision import Advice, Decision
from opentpe.domain.patient import Condition, Observation, Patient, When
from opentpe.pathway import access, calendar, fluids, order
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
    ("left", "right", "proposed"),
    [
        ("good", "good", "peripheral_two_needles"),
        ("poor", "good", "peripheral_single_needle"),
        ("poor", "poor", "central_dialysis_catheter"),
    ],
)
def test_access_follows_the_arms(library, left, right, proposed):
    """Two arms, one arm, or the neck."""
    patient = Patient("a", "female", observations=(_seen("veins_left", None, left), _seen("veins_right", None, right)))
    assert access.propose(patient, ON, settings(library))[0] == proposed


def test_a_holiday_moves_a_session(library):
    """A closed day is skipped, and the next session keeps its distance."""
    unit = {**settings(library), "holidays": ["2026-02-23"]}
    days = calendar.session_days(date(2026, 2, 20), 3, 2, unit)
    assert [d.day for d in days] == [20, 24, 26]


def _wishing(*answers, **changes):
    patient = _patient(**changes)
    rows = tuple(_seen("preference", None, a) for a in answers)
    return replace(patient, observations=(*patient.observations, *rows))


def _codes(written):
    return [line.code for line in written.lines]


def test_shortage_gives_saline_first_and_spares_albumin(library):
    """While albumin is short a fifth of the replacement is saline, it runs first, and the pick list says so."""
    written = order.build(_patient(), DECISION, library, settings(library) | {"albumin_shortage": True})
    assert [(p.fluid, p.fraction) for p in written.course.prescription.fluids] == [("saline", 0.2), ("albumin_5", 0.8)]
    assert written.bottles == (("saline", 500.0, 1), ("albumin_5", 500.0, 4))
    assert "20 % saline then 80 % albumin 5 %" in written.words
    assert next(line for line in written.lines if line.code == "order_shortage").value("saved_ml") == 2500.0


@pytest.mark.parametrize("target", range(1000, 6000, 130))
def test_shortage_never_goes_above_its_share_and_parses_back(library, target):
    """Whatever the volume: whole bottles, at most a quarter saline, shares that add up, words that read back."""
    unit = settings(library) | {"albumin_shortage": True}
    given = fluids.replacement(float(target), unit, library)
    assert given.volume_of("saline") <= 0.25 * given.volume_ml
    assert sum(size * count for _, size, count in given.bottles) == given.volume_ml
    said = f"5 x {given.volume_ml:g} mL daily, " + " then ".join(
        f"{100 * p.fraction:g} % {words.fluid_words(p.fluid)}" for p in given.parts
    )
    assert words.parse(said).prescription.fluids == given.parts


def test_heparin_needs_no_citrate_ratio_and_no_calcium(library):
    """A membrane unit with heparin: no AC ratio, no routine calcium, the same volume and bottles."""
    unit = settings(library) | {"modality": "membrane_heparin", "separator": "membrane", "anticoagulant": "heparin"}
    written = order.build(_patient(), DECISION, library, unit)
    assert {"order_anticoagulant_protocol", "order_calcium_no_citrate"} < set(_codes(written))
    assert not {"order_ratio", "order_calcium", "order_rescue"} & set(_codes(written))
    assert written.volume_ml == 2500.0


def test_adsorption_gives_no_fluid_and_is_not_simulated(library):
    """Immunoadsorption: two plasma volumes on five days running, nothing to pick, no forecast."""
    unit = settings(library) | {"modality": "immunoadsorption"}
    written = order.build(_patient(), DECISION, library, unit)
    assert (written.bottles, written.course.prescription.fluids) == ((), ())
    assert written.plasma_volumes == pytest.approx(2.0, abs=0.01)
    assert [d.day for d in written.dates] == [20, 23, 24, 25, 26]
    assert not order.simulated(unit)
    assert words.parse(written.words) == written.course


def test_a_wish_for_one_week_changes_volume_and_days(library):
    """Daily sessions on request: five open days in a row at the lower volume, and the order says why."""
    written = order.build(_wishing("daily_sessions"), DECISION, library, settings(library))
    assert [d.day for d in written.dates] == [20, 23, 24, 25, 26]
    assert written.volume_ml == 1750.0
    assert "preference_daily_sessions" in _codes(written)


def test_no_donor_plasma_takes_plasma_out_of_the_table(library):
    """Who refuses plasma gets time instead of plasma when fibrinogen is low."""
    written = order.build(_wishing("no_donor_plasma"), DECISION, library, settings(library))
    assert "order_fibrinogen_no_plasma" in _codes(written)
    assert "order_fibrinogen_table" not in _codes(written)


@pytest.mark.parametrize(("veins", "code"), [("good", "preference_no_line_kept"), ("poor", "preference_no_line_open")])
def test_a_refused_neck_line_is_kept_or_named_as_open(library, veins, code):
    """With usable veins the wish is followed; without, the access is not settled and the order says so."""
    patient = _wishing("no_central_line")
    rest = tuple(o for o in patient.observations if not o.kind.startswith("veins"))
    arms = (_seen("veins_left", None, veins), _seen("veins_right", None, veins))
    written = order.build(replace(patient, observations=(*rest, *arms)), DECISION, library, settings(library))
    assert code in _codes(written)
    assert ("order_access_no_arm_refused" in _codes(written)) is (veins == "poor")


def test_a_wish_in_free_words_is_shown_as_said(library):
    """Words that fit no known wish stand in the order and change nothing."""
    written = order.build(_wishing("wants her sister there"), DECISION, library, settings(library))
    line = next(entry for entry in written.lines if entry.code == "preference_free")
    assert line.value("text") == "wants her sister there"
    assert written.volume_ml == 2500.0


def test_every_number_of_an_order_comes_from_the_library():
    """No digit stands in a sentence of the order, but for session 1 and names of products."""
    from opentpe.report import sentences

    texts = {c: t for c, t in sentences.load("en").texts.items() if c.startswith(("order_", "preference_"))}
    bare = {c: re.sub(r"\{[^}]*\}|AC 1|sessions? 1|\b100\b", "", t) for c, t in texts.items()}
    assert not {c: t for c, t in bare.items() if re.search(r"\d", t)}
