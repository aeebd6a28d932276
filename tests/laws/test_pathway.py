"""Laws: a contraindication never raises the advice, nothing missing flips it silently, later never helps."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentpe.domain.decision import Advice
from opentpe.evidence.load import load
from opentpe.pathway import engine
from opentpe.pathway.book import Pathway
from opentpe.pathway.cases import patient_of

PATHWAY = Pathway.of(load())
ON = date(2026, 2, 18)
SEEN = {
    "edss": st.sampled_from([2.5, 3.0, 4.0, 4.5, 6.0, 8.0]),
    "steroid_response": st.sampled_from(["none", "partial", "full", "worse"]),
    "aqp4_igg": st.sampled_from(["positive", "negative"]),
    "mog_igg": st.sampled_from(["positive", "negative"]),
    "temperature": st.sampled_from([36.5, 37.9, 38.0, 39.2]),
    "infection_symptoms": st.sampled_from(["present", "absent"]),
    "new_objective_deficit": st.sampled_from(["present", "absent"]),
    "gd_enhancement": st.sampled_from(["present", "absent"]),
    "mri_lesion_pattern": st.sampled_from(
        ["typical", "longitudinally_extensive", "ring_enhancing", "cortical_subacute"]
    ),
    "heat_or_exertion": st.sampled_from(["present", "absent"]),
    "can_stand": st.sampled_from(["yes", "no"]),
    "visual_acuity": st.sampled_from([0.02, 0.1, 0.5, 1.0]),
    "encephalopathy": st.sampled_from(["present", "absent"]),
    "platelets": st.sampled_from([20, 45, 200]),
    "systolic_pressure": st.sampled_from([80, 120]),
    "bleeding": st.sampled_from(["present", "absent"]),
}
STEROIDS = st.sampled_from(
    [
        [],
        [{"mg": 1000, "count": 5, "ended": 5}],
        [{"mg": 1000, "count": 2, "ended": 0}],
        [{"mg": 500, "count": 5, "ended": 2, "route": "oral"}],
        [{"mg": 60, "count": 5, "ended": 3}],
    ]
)
CONTRAINDICATIONS = [
    {"platelets": 20},
    {"systolic_pressure": 80},
    {"bleeding": "present"},
    {"temperature": 39.5},
    {"infection_symptoms": "present"},
]


@st.composite
def people(draw):
    """A patient in a few words: any subset of findings, any course, day, kind and steroids."""
    names = draw(st.sets(st.sampled_from(sorted(SEEN))))
    facts = {
        "seen": {n: draw(SEEN[n]) for n in sorted(names)},
        "sex": draw(st.sampled_from(["female", "male"])),
        "kind": draw(st.sampled_from(["ms_relapse", "optic_neuritis", "myelitis", "nmosd", "mogad", "adem"])),
        "course": draw(st.sampled_from(["", "relapsing", "secondary_progressive", "primary_progressive"])),
        "steroids": draw(STEROIDS),
        "drugs": draw(st.sampled_from([[], [{"is": "natalizumab", "group": "antibody", "d": 30}]])),
    }
    for name, values in {"age": st.sampled_from([10, 34, 74]), "day": st.integers(10, 120)}.items():
        if draw(st.booleans()):
            facts[name] = draw(values)
    if draw(st.booleans()):
        facts["edss_before"] = draw(st.sampled_from([1.0, 2.5, 7.0]))
    return facts


def decided(facts, on=ON):
    return engine.decide(*patient_of(facts, ON), on, PATHWAY)


def above(new, old):
    """True where one advice stands higher on the ladder, or a stop has become a step of the ladder."""
    return new.rung is not None and (old.rung is None or new.rung > old.rung)


@settings(deadline=None, max_examples=150)
@given(people(), st.sampled_from(CONTRAINDICATIONS))
def test_a_contraindication_never_raises_the_advice(facts, contraindication):
    """Low platelets, shock, bleeding, fever, symptomatic infection: the advice stays, falls or stops."""
    worse = {**facts, "seen": {**facts["seen"], **contraindication}}
    before, after = decided(facts).advice, decided(worse).advice
    assert not above(after, before)


@settings(deadline=None, max_examples=150)
@given(people(), st.sampled_from(["sepsis", "pneumonia", "liver_failure", "pml"]))
def test_a_grave_diagnosis_never_raises_the_advice(facts, diagnosis):
    """Sepsis, pneumonia, liver failure, PML: the advice stays, falls or stops."""
    worse = {**facts, "conditions": [diagnosis]}
    assert not above(decided(worse).advice, decided(facts).advice)


# The facts that a finding answers; a response recorded without doses speaks against "no steroids recorded".
NAMES = {
    "visual_acuity": ("visual_acuity", "attack_acuity"),
    "edss": ("edss_now", "steroid_response"),
    "steroid_response": ("steroid_response", "steroid_status"),
}


@settings(deadline=None, max_examples=300)
@given(people(), st.sampled_from(sorted(SEEN)), st.data())
def test_no_missing_fact_flips_the_advice_silently(facts, name, data):
    """Adding a finding changes the advice only to what the missing list named, or against a listed assumption."""
    if name in facts["seen"]:
        return
    fuller = {**facts, "seen": {**facts["seen"], name: data.draw(SEEN[name])}}
    before, after = decided(facts), decided(fuller)
    if after.advice is before.advice:
        return
    names = NAMES.get(name, (name,))
    named = {a for m in before.missing if m.fact in names for a in m.could_become}
    assumed = {f.name for f in before.assumed}
    assert after.advice in named or assumed & {*names, "response_to_steroids"}


@settings(deadline=None, max_examples=100)
@given(people(), st.integers(1, 60))
def test_a_later_onset_day_never_raises_an_exchange(facts, days):
    """The same findings at a later day of the attack: an exchange is advised as strongly or less, never more."""
    if "day" not in facts or facts["day"] + days > 200:
        return
    early, late = decided(facts).advice, decided({**facts, "day": facts["day"] + days}).advice
    if early.exchange:
        assert not (late.exchange and above(late, early))


@settings(deadline=None, max_examples=100)
@given(people())
def test_dates_are_in_order(facts):
    """A start and a reassess date lie ahead, and not after the last date for the first exchange."""
    decision = decided(facts)
    for day in (decision.start_on, decision.reassess_on):
        if day is not None:
            assert decision.on < day
            assert decision.first_exchange_by is None or day <= decision.first_exchange_by
    if decision.advice is Advice.WAIT_REASSESS:
        assert decision.reassess_on is not None
        assert "day" not in facts or decision.first_exchange_by is not None


@settings(deadline=None, max_examples=60)
@given(people())
def test_the_order_of_the_record_does_not_matter(facts):
    """Findings in another order give the same advice, reasons and alerts."""
    patient, relapse = patient_of(facts, ON)
    turned = replace(patient, observations=patient.observations[::-1], conditions=patient.conditions[::-1])
    one, other = (engine.decide(p, relapse, ON, PATHWAY) for p in (patient, turned))
    assert (one.advice, one.reasons, one.alerts) == (other.advice, other.reasons, other.alerts)


@pytest.mark.parametrize("shift", [0, 400])
def test_the_calendar_day_itself_does_not_matter(shift):
    """The same record a year later, all dates moved: the same advice."""
    facts = {"day": 16, "edss_before": 2.5, "steroids": [{"mg": 1000, "count": 5, "ended": 5}], "seen": {"edss": 4.0}}
    facts["seen"]["steroid_response"] = "none"
    on = ON + timedelta(days=shift)
    assert engine.decide(*patient_of(facts, on), on, PATHWAY).advice is Advice.OFFER
