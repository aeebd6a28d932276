"""Laws of harm, draw by draw: what never lowers, what never counts twice, what every range holds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentpe.simulation import harm
from opentpe.simulation.harm import (
    HarmFacts,
    OwnCount,
    Physiology,
    event_probabilities,
    harm_lines,
    risks,
)

ROWS = np.arange(60)
EPS = 1e-12
facts = st.builds(
    HarmFacts,
    sessions_count=st.integers(1, 7),
    calcium=st.booleans(),
    plasma_units=st.sampled_from([(), (0, 0, 3.0), (6.0,) * 7]),
    plasma_only=st.booleans(),
    central_catheter=st.booleans(),
    ace_inhibitor_within_24_h=st.booleans(),
    kidney_disease=st.booleans(),
)
law = settings(deadline=None, max_examples=15)


def run(library, of, physiology=None):
    return event_probabilities(of, physiology, library, 5, ROWS)


def assert_never_lower(library, low, high, physiology=(None, None), skip=()):
    a, b = run(library, low, physiology[0]), run(library, high, physiology[1])
    for event in a:
        if event not in skip:
            assert (b[event].course >= a[event].course - EPS).all(), event


@law
@given(facts)
def test_leaving_out_calcium_never_lowers_a_risk(library, of):
    """Every event is at least as likely without calcium."""
    assert_never_lower(library, replace(of, calcium=True), replace(of, calcium=False))


@law
@given(facts, st.floats(0, 12))
def test_plasma_never_lowers_a_reaction(library, of, units):
    """More units, more allergy, anaphylaxis and fever; whole exchanges likewise."""
    none = replace(of, plasma_units=(), plasma_only=False, kidney_disease=True)
    some, more = (replace(none, plasma_units=(u,) * 7) for u in (units, units + 1))
    assert_never_lower(library, none, some)
    assert_never_lower(library, some, more)
    assert_never_lower(library, none, replace(none, plasma_only=True))


@law
@given(facts)
def test_a_catheter_never_lowers_a_risk(library, of):
    """Every event is at least as likely with a central catheter."""
    assert_never_lower(library, replace(of, central_catheter=False), replace(of, central_catheter=True))


@law
@given(facts)
def test_more_sessions_never_lower_the_risk_of_a_course(library, of):
    """One more session adds or leaves."""
    assert_never_lower(library, of, replace(of, sessions_count=of.sessions_count + 1))


@law
@given(facts)
def test_a_course_is_riskier_than_a_session_and_safer_than_the_sum(library, of):
    """Frailty gathers events in some patients: between the likeliest session and the sum over sessions."""
    for event, found in run(library, of).items():
        if found.session is not None:
            first_more = 1 - (1 - found.session) ** 1.42
            assert (found.course >= found.session.max(axis=1) - EPS).all(), event
            assert (found.course <= first_more.sum(axis=1) + EPS).all(), event


@law
@given(st.floats(1, 30), st.floats(5, 20), st.floats(0.2, 1.5), st.floats(0, 1), st.floats(0, 5))
def test_worse_physiology_never_lowers_its_event(library, fall, loss, fibrinogen, below, worse):
    """A deeper fall of calcium, volume or fibrinogen, or longer low IgG, never makes anything safer."""

    def course(by):
        shape = np.ones((1, 5))
        share = np.array([min(below + by / 5, 1.0)])
        return Physiology(shape * (fall + by), shape * (loss + by), shape * (fibrinogen - by / 30), share)

    assert_never_lower(library, HarmFacts(5), HarmFacts(5), (course(0.0), course(worse)))


@pytest.mark.parametrize(
    ("change", "event", "physiology"),
    [
        ({"calcium": False}, "hypocalcaemia_symptoms", Physiology(ionised_calcium_fall_pct=np.full((1, 5), 9.0))),
        ({"calcium": False}, harm.ASKED, Physiology(ionised_calcium_fall_pct=np.full((1, 5), 9.0))),
        ({"ace_inhibitor_within_24_h": True}, "hypotension", Physiology(blood_volume_loss_pct=np.full((1, 5), 12.0))),
        ({"intensive_care": True}, "hypotension", Physiology(blood_volume_loss_pct=np.full((1, 5), 12.0))),
    ],
)
def test_each_effect_enters_once(library, change, event, physiology):
    """Where the simulation drives an event, the modifier that stands for it has no effect; without it, it has."""
    plain, changed = HarmFacts(5), replace(HarmFacts(5), **change)
    linked = [run(library, f, physiology)[event].course for f in (plain, changed)]
    alone = [run(library, f)[event].course for f in (plain, changed)]
    assert (linked[0] == linked[1]).all()
    assert (alone[0] != alone[1]).any()


@law
@given(facts)
def test_wider_events_are_never_rarer_than_their_parts(library, of):
    """Any event against each, severe against anaphylaxis and death."""
    found = run(library, of)
    for event, part in found.items():
        if part.session is not None and event != harm.ASKED:
            assert (found["any_event"].session >= part.session - EPS).all()
    for event in ("anaphylaxis", "death"):
        assert (found["severe_event"].course >= found[event].course - EPS).all()


@pytest.mark.parametrize(("events", "of"), [(300, 10_000), (60, 20_000), (4000, 50_000)])
def test_a_hospital_with_many_counts_converges_to_its_own_rate(library, events, of):
    """Own counts replace the spread between centres; the posterior settles on them."""
    own = HarmFacts(5, neurological=False, own_counts=(OwnCount("hypotension", events, of),))
    rate = run(library, own)["hypotension"].session
    prior = run(library, HarmFacts(5))["hypotension"].session
    assert np.median(rate) == pytest.approx(events / of, rel=0.05)
    assert np.ptp(np.log(np.percentile(rate, (5, 95)))) < np.ptp(np.log(np.percentile(prior, (5, 95)))) / 4


def test_a_hospital_without_counts_keeps_the_prior(library):
    """Zero sessions counted say nothing."""
    own = HarmFacts(5, neurological=False, own_counts=(OwnCount("hypotension", 0, 0),))
    found, prior = (run(library, f)["hypotension"].session for f in (own, replace(own, own_counts=())))
    assert found == pytest.approx(prior, rel=0.02)


def test_every_reported_range_includes_its_median(library):
    """Bands are ordered, fractions, with sources and a basis; what has no rate is listed without a number."""
    table = risks(HarmFacts(5, central_catheter=True, plasma_units=(3.0,) * 5), None, library, 1, 1000)
    for risk in table:
        for band in (risk.per_session, risk.per_course):
            if band is not None:
                assert 0 <= band.p05 <= band.p25 <= band.median <= band.p75 <= band.p95 <= 1
        if risk.per_course:
            assert risk.basis
            assert set(risk.sources) <= set(library.citations)
    assert {r.event for r in table if r.per_course is None} == {"sour_taste", "fatigue", "bruising"}


def test_catheter_events_are_shown_under_that_choice_and_their_deaths_never(library):
    """No catheter row without a catheter; the death rate of long-dwell plasma courses is not printed for MS."""
    without, with_one = (
        {r.event for r in risks(HarmFacts(5, central_catheter=c), None, library, 1, 200)} for c in (False, True)
    )
    assert {e for e in with_one if e.startswith("catheter")} == {
        "catheter_major",
        "catheter_infection",
        "catheter_pneumothorax",
    }
    assert without == {e for e in with_one if not e.startswith("catheter")}


def test_a_risk_names_its_route_and_its_condition(library):
    """Linked rows say by what; plasma rows say under which choice; single-source rows are marked thin."""
    physiology = Physiology(np.full((1, 5), 8.0), np.full((1, 5), 11.0))
    table = {r.event: r for r in risks(HarmFacts(5, plasma_units=(3.0,)), physiology, library, 1, 200)}
    assert table["hypotension"].linked == "relative_blood_volume"
    assert table["hypocalcaemia_symptoms"].linked == "ionised_calcium"
    assert table["mild_allergy"].condition == "plasma"
    assert table["anaphylaxis"].thin
    assert not table["hypotension"].thin


def test_a_row_is_the_same_alone(library):
    """Row i of a cohort equals that row alone, linked or not."""
    physiology = Physiology(np.linspace(4, 12, 300).reshape(60, 5), np.linspace(8, 16, 300).reshape(60, 5))
    batch = run(library, HarmFacts(5), physiology)
    one = Physiology(*(None if p is None else p[7:8] for p in physiology))
    alone = event_probabilities(HarmFacts(5), one, library, 5, [7])
    for event, found in batch.items():
        assert found.course[7] == alone[event].course[0], event


def test_the_lines_beside_the_risks_follow_the_course(library):
    """Registries record fewer than asking finds: always; plasma, catheter and ACE inhibitor where they apply."""
    plain = {x.code for x in harm_lines(HarmFacts(5), library)}
    full = {x.code for x in harm_lines(HarmFacts(5, True, (3.0,), False, True, True), library)}
    assert "harm.registries_record_fewer" in plain
    assert full - plain == {
        "harm.catheter_is_upper_bound",
        "harm.plasma_allergy_per_unit",
        "harm.ace_inhibitor_conflict",
    }
