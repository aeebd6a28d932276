"""Expected benefit: the published table of the model, and the laws it must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentpe.kernel import response
from opentpe.simulation import benefit_model as model
from opentpe.simulation.benefit_model import Covariates

# Reference at 30 days, no predictors: severe, six months, arm, then median, 5 %, 95 % of 100 for three levels.
REFERENCE = [
    (0, 0, "exchange", (81, 64, 91), (68, 47, 83), (32, 15, 54)),
    (0, 0, "no_exchange", (54, 21, 85), (37, 11, 73), (12, 3, 39)),
    (0, 1, "exchange", (89, 76, 96), (80, 61, 92), (48, 24, 72)),
    (0, 1, "no_exchange", (70, 32, 92), (53, 19, 85), (21, 5, 57)),
    (1, 0, "exchange", (66, 43, 84), (49, 29, 70), (18, 7, 37)),
    (1, 0, "no_exchange", (35, 10, 73), (21, 5, 56), (6, 1, 24)),
    (1, 1, "exchange", (79, 57, 92), (65, 41, 83), (30, 12, 56)),
    (1, 1, "no_exchange", (52, 17, 85), (34, 10, 72), (11, 2, 39)),
]
OTHER_ARMS = [
    ("exchange", (49, 29, 70)),
    ("immunoadsorption", (53, 26, 78)),
    ("second_pulse", (25, 7, 59)),
    ("ivig", (21, 5, 58)),
    ("no_exchange", (21, 5, 56)),
]
PREDICTED = [
    ({"relapsing_course": True, "gd_enhancement": True}, (72, 49, 88)),
    ({"relapsing_course": True, "gd_enhancement": False}, (57, 32, 79)),
    ({"relapsing_course": False, "gd_enhancement": True}, (55, 29, 79)),
    ({"relapsing_course": False, "gd_enhancement": False}, (42, 21, 68)),
]
# severe, planned sessions, none seen by session, then chance by the end and by six months.
LATE = [
    (0, 5, 3, (38, 19, 60), (62, 38, 81)),
    (0, 7, 5, (13, 4, 29), (47, 22, 68)),
    (0, 7, 7, (0, 0, 0), (38, 13, 59)),
    (1, 5, 3, (22, 10, 41), (46, 23, 69)),
    (1, 7, 5, (6, 2, 16), (36, 14, 58)),
    (1, 7, 7, (0, 0, 0), (31, 9, 53)),
]
IMAGING = ("gd_enhancement", "ring_enhancement", "mass_effect")


@pytest.fixture(scope="module")
def many(library):
    return model.knowledge(library, 1, np.arange(100_000))


@pytest.fixture(scope="module")
def few(library):
    return model.knowledge(library, 2, np.arange(400))


def of_100(values):
    return [100 * float(v) for v in np.percentile(values, (50, 5, 95))]


def assert_near(values, expected, on_median=2, on_limits=3):
    median, low, high = of_100(values)
    assert median == pytest.approx(expected[0], abs=on_median)
    assert [low, high] == pytest.approx(expected[1:], abs=on_limits)


@pytest.mark.parametrize(("severe", "six", "arm", "mild", "moderate", "marked"), REFERENCE)
def test_the_reference_table_is_reproduced(library, many, severe, six, arm, mild, moderate, marked):
    """Medians within 2 points of 100 and limits within 3, for three levels in eight settings."""
    levels = response.probabilities(model.arms(library, many, Covariates(severe, 30, 0.0, six))[arm])
    for values, expected in zip(levels, (mild, moderate, marked), strict=True):
        assert_near(values, expected)


@pytest.mark.parametrize(("arm", "expected"), OTHER_ARMS)
def test_the_compared_arms_are_reproduced(library, many, arm, expected):
    """At least moderate at discharge in severe attacks, for every arm."""
    levels = model.arms(library, many, Covariates(1, 30, 0.0, 0))[arm]
    assert_near(response.expit(levels.moderate), expected)


@pytest.mark.parametrize(
    ("severe", "six", "gain"), [(0, 0, (29, 0, 52)), (0, 1, (25, 0, 53)), (1, 0, (25, 0, 45)), (1, 1, (28, 0, 51))]
)
def test_the_gain_over_no_exchange_is_reproduced(library, many, severe, six, gain):
    """Points of 100 that exchange adds to at least moderate response."""
    arms = model.arms(library, many, Covariates(severe, 30, 0.0, six))
    assert_near(response.expit(arms["exchange"].moderate) - response.expit(arms["no_exchange"].moderate), gain)


@pytest.mark.parametrize(("severe", "cost"), [(0, (4, 0.5, 9)), (1, (5, 1, 11))])
def test_the_cost_of_one_week_is_reproduced(library, many, severe, cost):
    """Fewer responders of 100 at six months for one more week from day 30."""
    assert_near(model.waiting_cost(library, many, Covariates(severe, 30, 0.0, 1)), cost)


@pytest.mark.parametrize(("present", "expected"), PREDICTED)
def test_the_predicted_patients_are_reproduced(library, many, present, expected):
    """Severe attack at six months with course and enhancement known."""
    predictors = model.predictor_sum(library, many, present)
    levels = model.arms(library, many, Covariates(1, 30, predictors, 1))["exchange"]
    assert_near(response.expit(levels.moderate), expected)


@pytest.mark.parametrize(("severe", "planned", "session", "by_end", "by_six"), LATE)
def test_late_response_is_reproduced(library, many, severe, planned, session, by_end, by_six):
    """Chance of a response by the end and by six months, none seen so far."""
    final, six = (
        response.expit(model.arms(library, many, Covariates(severe, 30, 0.0, t))["exchange"].moderate) for t in (0, 1)
    )
    now = model.visible_by(many, final, session, planned)
    assert_near(response.late_response(now, final), by_end)
    assert_near(response.late_response(now, six), by_six)


@pytest.mark.parametrize(
    ("k", "of_5", "of_7"),
    [
        (1, (7, 1, 18), (6, 1, 16)),
        (2, (38, 22, 51), (35, 21, 48)),
        (3, (71, 61, 80), (65, 56, 77)),
        (5, (100, 100, 100), (92, 89, 97)),
    ],
)
def test_the_onset_by_session_is_reproduced(many, k, of_5, of_7):
    """Share of in-course responders whose response is visible by a session."""
    for planned, expected in ((5, of_5), (7, of_7)):
        assert_near(model.visible_by(many, np.ones(100_000), k, planned), expected)


known = st.sampled_from([None, True, False])
people = st.builds(
    dict,
    severe=st.floats(0, 1),
    delay=st.floats(0, 120),
    six=st.sampled_from([0.0, 1.0]),
    present=st.fixed_dictionaries(dict.fromkeys(("relapsing_course", "reflexes_preserved", *IMAGING), known)),
)


def run(library, few, person, **change):
    person = person | change
    predictors = model.predictor_sum(library, few, person["present"])
    return model.arms(library, few, Covariates(person["severe"], person["delay"], predictors, person["six"]))


@settings(deadline=None, max_examples=60)
@given(people)
def test_levels_are_ordered_probabilities_and_groups_sum_to_one(library, few, person):
    """At least mild is never rarer than moderate, nor moderate than marked, in any arm."""
    for levels in run(library, few, person).values():
        mild, moderate, marked = response.probabilities(levels)
        assert ((mild >= moderate) & (moderate >= marked)).all()
        assert ((marked > 0) & (mild < 1)).all()
        assert sum(response.groups(response.Levels(mild, moderate, marked))) == pytest.approx(1.0)


@settings(deadline=None, max_examples=60)
@given(people, st.floats(0, 60))
def test_later_is_never_better(library, few, person, longer):
    """More delay lowers nothing but the chances: with exchange, without it, and the effect itself."""
    now, later = run(library, few, person), run(library, few, person, delay=person["delay"] + longer)
    for arm in ("exchange", "no_exchange"):
        assert (later[arm].moderate <= now[arm].moderate + 1e-12).all()
    effect_now = now["exchange"].moderate - now["no_exchange"].moderate
    assert (later["exchange"].moderate - later["no_exchange"].moderate <= effect_now + 1e-12).all()


@given(people)
@settings(deadline=None, max_examples=20)
def test_outside_the_delays_that_were_treated_nothing_changes(library, few, person):
    """Day 0 counts as day 7 and day 200 as day 70."""
    for outside, held in ((0, 7), (200, 70)):
        a, b = run(library, few, person, delay=outside), run(library, few, person, delay=held)
        assert (a["exchange"].moderate == b["exchange"].moderate).all()


@given(people, st.sampled_from(["relapsing_course", "reflexes_preserved", *IMAGING]))
@settings(deadline=None, max_examples=60)
def test_unknown_lies_between_present_and_absent(library, few, person, name):
    """A favourable finding never lowers, its absence never raises, and not knowing lies between."""
    yes, unknown, no = (
        run(library, few, person, present=person["present"] | {name: x})["exchange"].moderate
        for x in (True, None, False)
    )
    assert ((yes >= unknown - 1e-12) & (unknown >= no - 1e-12)).all()


@given(people)
@settings(deadline=None, max_examples=30)
def test_severe_is_never_better_and_six_months_never_worse(library, few, person):
    """Two directions that every study agrees on."""
    mild, severe = (run(library, few, person, severe=s)["exchange"].moderate for s in (0.0, 1.0))
    early, late = (run(library, few, person, six=t)["exchange"].moderate for t in (0.0, 1.0))
    assert (severe <= mild).all()
    assert (late >= early).all()


@given(people)
@settings(deadline=None, max_examples=30)
def test_predictors_and_delay_together_stay_inside_the_cap(library, few, person):
    """No patient's log-odds move by 1.5 or more from the average patient's."""
    own = run(library, few, person)["exchange"].moderate
    average = run(library, few, person, delay=30.0, present={})["exchange"].moderate
    assert (np.abs(own - average) < 1.5).all()


@given(people)
@settings(deadline=None, max_examples=30)
def test_a_second_pulse_lies_between_none_and_exchange(library, few, person):
    """Never below none; never above exchange where exchange is at least as good as none."""
    arms = run(library, few, person)
    pulse, none, exchange = (arms[a].moderate for a in ("second_pulse", "no_exchange", "exchange"))
    assert (pulse >= none).all()
    assert (pulse <= np.maximum(exchange, none)).all()


def test_exchange_may_be_worse_than_none_and_it_is_not_hidden(library, many):
    """In 2 to 5 % of draws the effect is negative; there none is better, nowhere else."""
    arms = model.arms(library, many, Covariates(0, 30, 0.0, 0))
    worse = arms["no_exchange"].moderate > arms["exchange"].moderate
    assert (worse == (many.effect < 0)).all()
    assert 0.02 < worse.mean() < 0.05


def test_responses_gather_with_sessions_and_the_end_does_not_depend_on_their_number(few):
    """What is visible grows with the session; at the last one it is the final chance, for 5 and for 7."""
    final = np.full(400, 0.5)
    seen = np.stack([model.visible_by(few, final, k, 7) for k in range(1, 8)])
    assert (np.diff(seen, axis=0) >= 0).all()
    assert (model.visible_by(few, final, 5, 5) == seen[-1]).all()


def test_a_row_is_the_same_alone(library, few):
    """Row i of a cohort equals that row alone, bit for bit."""
    alone = model.knowledge(library, 2, [17])
    assert all(a[0] == b[17] for a, b in zip(alone[:-1], few[:-1], strict=True))
    patient = Covariates(0.3, 19.0, 0.2, 1.0)
    assert model.arms(library, alone, patient)["ivig"].mild[0] == model.arms(library, few, patient)["ivig"].mild[17]
