"""The walk as a whole: scenarios, trace, missing facts, contradictions, definitions, guidelines, changes."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from opentpe.domain.decision import Absence, Advice
from opentpe.domain.patient import When
from opentpe.errors import InputError
from opentpe.pathway import engine


def test_scenario_a(decide):
    """Offer exchange, start Friday 20 February (day 18), at AAN B and ASFA II 1A, with the neutral trial."""
    decision = decide()
    assert (decision.advice, decision.start_on) == (Advice.OFFER, date(2026, 2, 20))
    assert decision.reasons[0].level == "AAN B; ASFA II, 1A"
    assert {"sham_trial", "neutral_trial"} <= {r.code for r in decision.reasons[:3]}
    assert decision.missing == ()


def test_scenario_b(decide):
    """Urgent, transfer today; bloods first without waiting; no MS figure while NMOSD is open."""
    decision = decide("optic", unit={"has_separator": False})
    assert (decision.advice, decision.setting) == (Advice.URGENT, "transfer")
    codes = {r.code for r in decision.reasons}
    assert {"no_ms_number_while_open", "sham_trial_excluded_optic", "asfa_has_no_row"} <= codes
    assert {"draw_aqp4", "draw_mog", "culture_bacteriuria"} <= {a.code for a in decision.alerts}


def test_scenario_c(decide):
    """Urgent in a hospital with obstetrics, starting on Monday; no neuraxial puncture below 2.0 g/L."""
    decision = decide("pregnant")
    assert (decision.advice, decision.setting) == (Advice.URGENT, "hospital_with_obstetrics")
    assert decision.start_on == date(2026, 2, 16)
    floor = next(a for a in decision.alerts if a.code == "neuraxial_floor")
    assert {f.name: f.value for f in floor.facts}["fibrinogen_g_l"] == 2.0


def test_every_step_names_its_facts_with_resource_and_age(decide):
    """The trace can be argued with: the rule that decided shows where each fact came from."""
    decision = decide()
    step = next(s for s in decision.trace if s.rule == "moderate_by_edss")
    rise = step.facts[0]
    assert (step.outcome, rise.value) == (True, 1.5)
    assert "Observation/edss-0" in rise.sources
    fever = next(s for s in decision.trace if s.rule == "fever")
    assert (fever.facts[0].sources, fever.facts[0].age_days) == (("Observation/temperature-0",), 0)


def test_the_trace_holds_every_rule_up_to_the_advice_and_every_remark(decide, pathway):
    """Nothing is skipped silently: each rule of a gate that applies was looked at."""
    seen = {f"{s.gate}.{s.rule}" for s in decide().trace}
    remarks = {r.key for r in pathway.rules if r.effect in ("alert", "reason", "setting", "provisional")}
    assert remarks <= seen


def test_contradictory_courses_are_named_with_both_sources(decide):
    """Relapsing and progressive at once: both resources stand in the reason."""
    decision = decide(conditions=["ms_secondary_progressive"])
    assert decision.advice is Advice.CANNOT_DECIDE
    assert {"Condition/ms_relapsing", "Condition/ms_secondary_progressive"} <= set(decision.reasons[0].facts[0].sources)


def test_onset_after_treatment_names_both_sources(decide):
    """The attack and the dose that precedes it are both named."""
    sources = decide(day=7).reasons[0].facts[0].sources
    assert "Condition/attack" in sources
    assert any(s.startswith("MedicationAdministration") for s in sources)


def test_an_unknown_onset_stops_and_says_what_it_could_become(decide):
    """Without the onset the clock cannot run; the missing list says what the answer could lead to."""
    decision = decide(without=["day"])
    assert decision.advice is Advice.CANNOT_DECIDE
    gap = decision.missing[0]
    assert (gap.fact, gap.absence) == ("day_of_attack", Absence.STOPS)
    assert Advice.OFFER in gap.could_become


def test_an_interval_as_onset_is_said(pathway, case):
    """An onset known only by month is used from its first day, and the report says so."""
    patient, relapse, on = case()
    month = When(datetime(2026, 2, 1), datetime(2026, 2, 8))
    decision = engine.decide(patient, replace(relapse, onset=month), on, pathway)
    assert decision.fact("day_of_attack").value == 17
    assert "onset_uncertain" in {r.code for r in decision.reasons}


def test_missing_serology_goes_on_and_is_drawn(decide):
    """Unknown antibodies do not stop a moderate attack: draw now, and the advice hangs on them."""
    decision = decide(without=["aqp4_igg"])
    gap = next(m for m in decision.missing if m.fact == "aqp4_igg")
    assert (decision.advice, gap.absence) == (Advice.OFFER, Absence.DRAW_NOW)
    assert gap.could_become == (Advice.RECOMMENDED,)
    assert "aqp4_igg" in decision.provisional_on


def test_what_was_assumed_is_listed(decide):
    """A drug or a sign that nobody recorded is taken as absent, and said."""
    assumed = {f.name for f in decide().assumed}
    assert {"natalizumab_exposure", "sepsis", "heat_or_exertion", "bleeding"} <= assumed
    assert "course_contradiction" not in assumed


@pytest.mark.parametrize(
    ("definition", "advice"),
    [
        ("opentpe", "offer"),
        ("plasmasep", "wait_reassess"),
        ("pfeuffer2020", "offer"),
        ("ruprecht2004", "wait_reassess"),
    ],
)
def test_the_definition_of_refractory_can_be_chosen(decide, definition, advice):
    """The same patient under another published definition."""
    assert decide(definition=definition).advice == advice


def test_explain_says_whether_the_advice_depends_on_the_definition(pathway, case):
    """Scenario A depends on the definition; scenario B does not."""
    assert engine.explain(*case(), pathway).depends_on_definition
    assert not engine.explain(*case("optic"), pathway).depends_on_definition


def test_the_chosen_guideline_speaks_first_and_others_are_shown(decide):
    """With NICE chosen, its silence is said, and every edition that supports exchange stands beside it."""
    decision = decide(guideline="nice-ng220")
    said = next(r for r in decision.reasons if r.code == "guideline_says")
    assert said.facts[1].value == "silent"
    differing = {r.facts[0].value for r in decision.reasons if r.code == "guideline_differs"}
    assert {"aan-2011", "asfa-2019", "asfa-2023", "dgn"} == differing


def test_guidelines_disagree_on_progression(decide):
    """AAN speaks against exchange in progression, ASFA leaves it to the single case."""
    positions = {p.guideline: p.position for p in decide(course="primary_progressive").positions}
    assert (positions["aan-2011"], positions["asfa-2023"]) == ("opposes", "individual")


def test_an_unknown_guideline_is_refused(decide):
    """The message names the editions there are."""
    with pytest.raises(InputError, match="aan-2011"):
        decide(guideline="asfa-1999")


def test_what_would_change_finds_the_nearest_single_facts(pathway, case):
    """Half a point more of EDSS is enough for a recommendation; a full response ends it."""
    changes = engine.what_would_change(*case(), pathway)
    single = {(c.would_be[0].name, c.would_be[0].value): c.advice for c in changes if len(c.was) == 1}
    assert single["edss_now", 4.5] is Advice.RECOMMENDED
    assert single["steroid_response", "full"] is Advice.NOT_INDICATED
    assert single["platelets", 29.0] is Advice.SPECIALIST_REVIEW


def test_what_would_change_finds_pairs_where_no_single_fact_is_enough(pathway, case):
    """From urgent optic neuritis to an offer it takes two facts."""
    pairs = [c for c in engine.what_would_change(*case("optic"), pathway) if len(c.was) == 2]
    assert Advice.OFFER in {c.advice for c in pairs}


def test_a_library_will_do_in_place_of_a_pathway(library, case):
    """For one patient the library itself may be passed."""
    assert engine.decide(*case(), library).advice is Advice.OFFER


def test_no_attack_and_no_relapse_object(pathway, case):
    """A record without an attack is answered, not refused."""
    patient, _, on = case(attack=False)
    assert engine.decide(patient, None, on, pathway).advice is Advice.NO_ATTACK_ON_RECORD


def test_two_missing_facts_are_both_named(decide):
    """Where neither alone would be enough, both are asked for."""
    decision = decide(without=["edss", "edss_before", "edss_worst"])
    assert decision.advice is Advice.CANNOT_DECIDE
    assert {"edss_now", "edss_baseline"} <= {m.fact for m in decision.missing}
