"""Rates of harm: the published table of the model, by event, modifier and link."""

import numpy as np
import pytest

from opentpe.simulation import harm
from opentpe.simulation.harm import HarmFacts, Physiology, event_probabilities

ROWS = np.arange(20_000)
REFERENCE = HarmFacts(5, neurological=False)
# event, % of sessions with 5 to 95 %, then of 100 courses of five sessions.
SESSION_TABLE = [
    ("any_event", 5.7, 1.5, 20, 22, 7, 49),
    ("hypocalcaemia_symptoms", 1.7, 0.4, 7.0, 8, 2, 25),
    ("hypotension", 1.2, 0.3, 5.2, 6, 1, 20),
    ("hypotension_severe", 0.45, 0.07, 2.8, 2.3, 0.4, 12),
    ("mild_allergy", 1.0, 0.2, 4.4, 5, 1, 18),
    ("nausea_or_vomiting", 0.57, 0.08, 4.0, 2.8, 0.4, 16),
    ("dyspnoea", 0.20, 0.02, 1.6, 1.0, 0.1, 8),
    ("arrhythmia", 0.08, 0.01, 0.6, 0.4, 0.05, 3),
    ("haemorrhage", 0.025, 0.003, 0.24, 0.13, 0.01, 1.2),
    ("infection", 0.026, 0.003, 0.25, 0.13, 0.01, 1.3),
    ("access_failure", 1.8, 0.2, 17, 8, 1, 44),
    ("session_interrupted", 2.1, 0.4, 10, 9, 2, 32),
    ("severe_event", 0.33, 0.06, 1.9, 1.7, 0.3, 9),
    ("death", 0.012, 0.002, 0.08, 0.06, 0.01, 0.4),
]
POOLED_TABLE = [  # fluids pooled, before the fluid shift
    ("anaphylaxis", 0.24),
    ("fever_or_chills", 0.56),
]
COURSE_TABLE = [
    ("venous_thrombosis", 2.0, 0.4, 10),
    ("catheter_major", 15, 3, 48),
    ("catheter_infection", 4.3, 0.6, 24),
    ("catheter_pneumothorax", 0.4, 0.05, 2.6),
]
MODIFIED_TABLE = [
    ({"calcium": False}, "hypocalcaemia_symptoms", 9, 31),
    ({}, "hypocalcaemia_symptoms_asked", 8, None),
    ({"calcium": False}, "hypocalcaemia_symptoms_asked", 36, None),
    ({"plasma_only": True}, "mild_allergy", 37, 62),
    ({}, "anaphylaxis", 0.05, 0.25),
    ({"plasma_only": True}, "anaphylaxis", 0.7, 3),
    ({}, "fever_or_chills", 0.3, 1.7),
    ({"plasma_only": True}, "fever_or_chills", 2.5, 11),
    ({}, "bleeding", None, 1.6),
    ({"kidney_disease": True}, "bleeding", None, 3.1),
]


def unordered(library, facts, physiology=None):
    return harm._unordered(facts, physiology, library, 1, ROWS)


@pytest.fixture(scope="module")
def reference(library):
    return unordered(library, REFERENCE)


def assert_median(values, pct, rel=0.10):
    """Within 10 %, or within the rounding of the printed number."""
    rounding = 0.5 * 10.0 ** -len(str(pct).partition(".")[2])
    assert 100 * np.median(values) == pytest.approx(pct, rel=rel, abs=rounding)


@pytest.mark.parametrize(("event", "pct", "low", "high", "course", "course_low", "course_high"), SESSION_TABLE)
def test_session_events_are_reproduced(reference, event, pct, low, high, course, course_low, course_high):
    """Medians within 10 % of the table per session and per course of five; limits within a fifth or the rounding."""
    found = reference[event]
    assert_median(found.session[:, 0], pct)
    assert_median(found.course, course)
    for values, expected in ((found.session[:, 0], (low, high)), (found.course, (course_low, course_high))):
        limits = 100 * np.percentile(values, (5, 95))
        assert limits == pytest.approx(np.array(expected), rel=0.40)
        assert limits[1] == pytest.approx(expected[1], rel=0.15)


@pytest.mark.parametrize(("event", "pct"), POOLED_TABLE)
def test_pooled_events_are_reproduced(library, event, pct):
    """Anaphylaxis and fever before the fluid shift, as the registries pool them."""
    run = harm._Run(library, REFERENCE, Physiology(), 1, ROWS)
    assert_median(harm.response.expit(harm._base_log_odds(run, event)), pct)


@pytest.mark.parametrize(("event", "pct", "low", "high"), COURSE_TABLE)
def test_course_events_are_reproduced(library, event, pct, low, high):
    """Events counted once per course; catheter rows only with a central catheter."""
    change = {"central_catheter": True} if event.startswith("catheter") else {}
    found = unordered(library, HarmFacts(5, **change))[event]
    assert_median(found.course, pct)
    assert 100 * np.percentile(found.course, 95) == pytest.approx(high, rel=0.15)
    assert 100 * np.percentile(found.course, 5) == pytest.approx(low, rel=0.25)


@pytest.mark.parametrize(("change", "event", "pct", "course"), MODIFIED_TABLE)
def test_modifiers_are_reproduced(library, change, event, pct, course):
    """What no calcium, asking, plasma and kidney disease make of the medians."""
    found = unordered(library, HarmFacts(5, neurological=False, **change))[event]
    if pct is not None:
        assert_median(found.session[:, 0], pct)
    if course is not None:
        assert_median(found.course, course)


@pytest.mark.parametrize(("fall", "pct"), [(2, 1), (4, 3), (6, 7), (8, 11), (12, 20), (18, 32), (24, 42), (30, 51)])
def test_symptoms_follow_the_fall_of_ionised_calcium(library, fall, pct):
    """Felt symptoms in one session at a given fall, in % of patients."""
    physiology = Physiology(ionised_calcium_fall_pct=np.full((1, 5), float(fall)))
    found = unordered(library, REFERENCE, physiology)[harm.ASKED]
    assert 100 * np.median(found.session) == pytest.approx(pct, abs=1.0)
    assert found.linked == "ionised_calcium"


@pytest.mark.parametrize(("fall", "low", "high"), [(8, 2, 34), (24, 16, 74)])
def test_the_range_of_symptoms_is_wide(library, fall, low, high):
    """The fall alone does not say who feels it."""
    physiology = Physiology(ionised_calcium_fall_pct=np.full((1, 5), float(fall)))
    found = unordered(library, REFERENCE, physiology)[harm.ASKED].session
    assert 100 * np.percentile(found, (5, 95)) == pytest.approx([low, high], abs=2.5)


@pytest.mark.parametrize(("loss", "pct"), [(8.0, 0.2), (11.5, 1.2), (14.0, 3.8), (18.5, 23)])
def test_hypotension_follows_the_loss_of_blood_volume(library, loss, pct):
    """Hypotension in one session at the lowest relative blood volume."""
    physiology = Physiology(blood_volume_loss_pct=np.full((1, 5), loss))
    found = unordered(library, REFERENCE, physiology)["hypotension"]
    assert_median(found.session[:, 0], pct, rel=0.12)
    assert found.linked == "relative_blood_volume"


def test_the_two_routes_agree_at_the_reference_order(library, reference):
    """Albumin with calcium, blood volume -11.5 %, calcium -8 %: the linked medians lie in the base route's bands."""
    physiology = Physiology(np.full((1, 5), 8.0), np.full((1, 5), 11.5), np.full((1, 5), 1.5), np.zeros(1))
    linked = event_probabilities(REFERENCE, physiology, library, 1, ROWS)
    for event in ("hypocalcaemia_symptoms", harm.ASKED, "hypotension", "haemorrhage", "infection", "bleeding"):
        low, high = np.percentile(reference[event].course, (5, 95))
        assert low <= np.median(linked[event].course) <= high, event


def test_one_plasma_unit_brings_about_one_and_a_half_in_a_hundred(library, reference):
    """Allergy scales with units: the first unit adds 1.4 of 100, twelve about fifteen."""
    for units, added in ((1.0, 1.37), (12.0, 15.3)):
        found = unordered(library, HarmFacts(5, plasma_units=(units,) * 5))["mild_allergy"]
        extra = 1 - (1 - found.session[:, 0]) / (1 - reference["mild_allergy"].session[:, 0])
        assert 100 * np.median(extra) == pytest.approx(added, rel=0.03)
