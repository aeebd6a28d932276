"""What one patient is told about benefit."""

import pytest

from opentpe.domain.decision import Fact
from opentpe.simulation import benefit_model as model
from opentpe.simulation.benefit import BenefitFacts, benefit_facts, expected_benefit

FACTS = BenefitFacts(delay_days=18, severe_fraction=0.0, course="relapsing", gd_enhancement=True)


@pytest.fixture(scope="module")
def told(library):
    return expected_benefit(FACTS, library, 0, 4000)


def codes(told):
    return [line.code for line in told.lines]


def test_every_arm_is_answered_at_discharge_and_six_months(told):
    """Five arms at two horizons, in a fixed order."""
    assert [(b.horizon, b.arm) for b in told.benefit] == [
        (h, a) for h in ("discharge", "six_months") for a in model.ARMS
    ]


def test_bands_are_wide_where_little_is_known(library):
    """A chance between 30 and 70 of 100 never has a 90 % band narrower than 20 points."""
    for severe in (0.0, 0.5, 1.0, None):
        for benefit in expected_benefit(BenefitFacts(severe_fraction=severe), library, 0, 4000).benefit:
            band = benefit.moderate_or_better
            if 0.3 <= band.median <= 0.7:
                assert band.p95 - band.p05 >= 0.20


def test_a_progressive_course_without_a_relapse_gets_no_number(library):
    """Exchange was ineffective there: the model is not run, and the line says why."""
    told = expected_benefit(BenefitFacts(course="progressive"), library, 0, 100)
    assert told.benefit == ()
    assert codes(told) == ["benefit.none_for_progressive_course"]
    assert told.lines[0].sources == ("aan2011",)


def test_no_ms_number_while_nmosd_is_open(library):
    """Another disease on another clock: nothing is printed until serology is back."""
    told = expected_benefit(FACTS, library, 0, 100, nmosd_open=True)
    assert told.benefit == ()
    assert codes(told) == ["benefit.none_while_nmosd_open"]


def test_both_sham_trials_stand_side_by_side(told):
    """The positive and the neutral trial are both shown, with what each alone would give."""
    assert {"benefit.trial_positive", "benefit.trial_neutral", "benefit.effect_rests_on_one_trial"} <= set(codes(told))
    assert "benefit.not_calibrated_on_patient" in codes(told)


def test_waiting_is_one_contrast_and_never_a_curve(told):
    """Exactly one line speaks of a later start, with its band and low certainty."""
    lines = [x for x in told.lines if x.code == "benefit.one_week_later"]
    assert len(lines) == 1
    assert 0 <= lines[0].value("low") < lines[0].value("median") < lines[0].value("high") < 15
    assert lines[0].value("certainty") == "low"


@pytest.mark.parametrize("delay", [None, 3, 66, 90])
def test_no_contrast_where_no_cohort_was_treated(library, delay):
    """Unknown delay, before day 7, or a week that leads beyond day 70: no cost of waiting is printed."""
    told = expected_benefit(BenefitFacts(delay_days=delay), library, 0, 200)
    assert "benefit.one_week_later" not in codes(told)


@pytest.mark.parametrize(("delay", "code"), [(3, "outside_evidence"), (90, "outside_evidence"), (None, "not_known")])
def test_a_delay_outside_the_evidence_is_said(library, delay, code):
    """The delay is held at the nearest treated one and the result carries a caution."""
    assert f"benefit.delay_{code}" in codes(expected_benefit(BenefitFacts(delay_days=delay), library, 0, 200))


def test_nothing_invites_stopping_before_session_5(library):
    """No chance of a late response is printed for session 3 or 4, whatever the plan."""
    for planned in (3, 5, 7):
        told = expected_benefit(BenefitFacts(sessions_planned=planned), library, 0, 200)
        sessions = [x.value("session") for x in told.lines if x.code == "benefit.late_response"]
        assert sessions == list(range(5, planned + 1))


def test_contributions_add_up_to_what_was_used(library, told):
    """Shrunk contributions are smaller than raw ones, and together they are the patient's shift."""
    rows = told.benefit[0].contributions
    predictors = [c for c in rows if c.predictor != "delay"]
    assert all(abs(c.shrunk_log_odds) <= abs(c.raw_log_odds) for c in predictors)
    assert {c.predictor for c in rows if c.present} == {"relapsing_course", "gd_enhancement"}
    assert sum(c.shrunk_log_odds for c in rows) < 1.5


def test_one_imaging_finding_speaks_for_all(library):
    """Enhancement, ring and mass effect together count as the strongest of them."""
    facts = BenefitFacts(gd_enhancement=True, ring_enhancement=True, mass_effect=True)
    rows = expected_benefit(facts, library, 0, 500).benefit[0].contributions
    assert sum(c.shrunk_log_odds != 0 for c in rows) == 1


def test_predictors_in_conflict_are_listed_and_not_used(told):
    """Sex, age and the rest appear with both sides of their conflict."""
    unused = {x.value("predictor") for x in told.lines if x.code == "benefit.predictor_not_used"}
    assert {"age", "sex", "disease_duration", "sessions"} <= unused


def test_optic_neuritis_is_told_that_the_trial_left_it_out(library):
    """The sham trial excluded isolated optic neuritis and the guideline has no row for it."""
    told = expected_benefit(BenefitFacts(optic_neuritis=True), library, 0, 200)
    assert "benefit.optic_neuritis_not_in_trial" in codes(told)


def test_every_cited_source_exists(library, told):
    """Each line, arm and contribution names sources of the library."""
    cited = {s for x in (*told.lines, *told.benefit) for s in x.sources}
    assert cited <= set(library.citations)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"edss": 4.0}, 0.0),
        ({"edss": 5.5}, 0.5),
        ({"edss": 6.0}, 1.0),
        ({"edss": 3.0, "visual_acuity": 0.05}, 1.0),
        ({"edss": 3.0, "visual_acuity": 0.5}, 0.0),
        ({"edss": 4.0, "plegia_bulbar_or_coma": True}, 1.0),
        ({}, None),
    ],
)
def test_severity_is_the_worst_of_what_is_known(library, found, expected):
    """EDSS from 5 to 6, blindness and plegia each make an attack severe."""
    assert model.severe_fraction(library, **found) == expected


def test_the_answer_repeats_with_its_seed(library, told):
    """Same facts, seed and draws: the same numbers."""
    assert expected_benefit(FACTS, library, 0, 4000) == told
    assert expected_benefit(FACTS, library, 1, 4000) != told


def test_cohorts_the_model_was_fitted_to_lie_in_its_bands(library):
    """Calibration, not validation: nine in ten cohort rows fall into the 90 % band for a new centre."""
    import numpy as np

    from opentpe.kernel import response

    known = model.knowledge(library, 3, np.arange(20_000))
    rng = np.random.default_rng(0)
    inside, rows = 0, library.document("studies/benefit_cohorts")["cohort"]
    for row in rows:
        patient = model.Covariates(float(row["severe"]), 30.0, 0.0, float(row["horizon"] == "six_months"))
        levels = model.arms(library, known, patient)[row["arm"]]
        log_odds = getattr(levels, row["at_least"]) + 0.37 * rng.standard_normal(20_000)
        share = rng.binomial(row["treated"], response.expit(log_odds)) / row["treated"]
        low, high = np.percentile(share, (5, 95))
        inside += low <= row["responders"] / row["treated"] <= high
    assert inside >= 0.85 * len(rows)


def asked(library, **answers):
    facts = [Fact(name, value) for name, value in answers.items()]
    return benefit_facts(facts, library, delay_days=18)


def test_the_facts_of_a_decision_become_the_facts_of_the_model(library):
    """EDSS, course and imaging are taken over; what the record does not say stays unknown."""
    facts = asked(library, edss_now=4.0, progressive=False, gd_enhancement=True, branch="ms", mri_lesion_pattern=None)
    assert facts == BenefitFacts(18, 0.0, "relapsing", gd_enhancement=True)
    assert asked(library) == BenefitFacts(18)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"branch": "nmosd"}, "benefit.none_while_nmosd_open"),
        ({"branch": "ms", "serology_open": True, "ms_established": False}, "benefit.none_while_nmosd_open"),
        ({"branch": "mogad"}, "benefit.none_for_other_disease"),
        ({"branch": "ms", "progressive": True}, "benefit.none_for_progressive_course"),
    ],
)
def test_where_the_model_does_not_belong_it_gives_no_number(library, answers, code):
    """NMOSD present or open, another disease, progression alone: no bars, one line that says why."""
    told = expected_benefit(asked(library, **answers), library, 0, 50)
    assert (told.benefit, codes(told)) == ((), [code])


def test_an_established_ms_keeps_its_number_while_serology_is_awaited(library):
    """A known relapsing course is not made an NMOSD by a missing test."""
    facts = asked(library, branch="ms", serology_open=True, ms_established=True, progressive=False)
    assert expected_benefit(facts, library, 0, 50).benefit


def test_optic_neuritis_of_unknown_serology_still_learns_of_the_trial(library):
    """No bars, but what is known: NMOSD is open, and the trial and the guideline left isolated optic neuritis out."""
    facts = asked(library, branch="ms", serology_open=True, visual_attack=True)
    told = expected_benefit(facts, library, 0, 50)
    assert told.benefit == ()
    assert codes(told) == ["benefit.none_while_nmosd_open", "benefit.optic_neuritis_not_in_trial"]
