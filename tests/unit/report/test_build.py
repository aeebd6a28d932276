"""From a consultation to the report as plain data."""

from dataclasses import replace

import pytest

from opentpe.domain.consultation import Consultation
from opentpe.domain.decision import Advice, ByDefinition, Change, Decision, Fact, Position
from opentpe.report import build, sentences
from opentpe.report.parts import choice


@pytest.fixture(scope="module")
def view(consultation, library):
    return build.view(consultation, library)


def test_the_banner_says_what_to_do_and_until_when(view):
    """Scenario A: offer, start on day 18, with the date the advice holds until."""
    assert view.banner.text == "Offer exchange, start Fri 20 Feb (day 18)."
    assert "This advice holds until Sun 22 Feb." in view.banner.dates


def test_the_banner_shows_at_most_three_reasons_and_keeps_the_rest(view):
    """The fourth reason is a click away, not lost."""
    assert (len(view.banner.reasons), len(view.banner.more_reasons)) == (3, 1)


def test_only_what_could_change_the_advice_stands_in_the_banner(view):
    """A fact that can follow stays below."""
    assert [m.code for m in view.banner.missing] == ["missing.urine_culture"]


def test_every_number_in_brackets_leads_to_a_source(view):
    """Citations count from 1 and none points past the list."""
    cited = {n for r in (*view.banner.reasons, *view.order.lines) for n in r.cites}
    assert cited <= set(range(1, len(view.knowledge.sources) + 1))


def test_the_first_reason_carries_the_first_sources(view):
    """Sources are numbered as they are read."""
    assert view.banner.reasons[0].cites == (1, 2)


def test_the_order_reads_as_one_line_per_element(view):
    """Volume, dose, weight and haematocrit with its date stand in one line."""
    lines = {line.label: line.text for line in view.order.lines}
    assert lines["Replace"] == (
        "2500 mL patient plasma at each session (0.98 PV; 68 kg of 18 Feb, 168 cm, haematocrit 0.38 of 18 Feb)."
    )


def test_the_days_are_those_of_the_order(view):
    """Five sessions on the unit's opening days."""
    assert [d for _, d in view.order.days] == ["Fri 20 Feb", "Mon 23 Feb", "Wed 25 Feb", "Fri 27 Feb", "Mon 2 Mar"]


def test_a_harm_is_told_per_session_and_per_course(view):
    """Low calcium: both denominators with ranges."""
    row = next(h for h in view.harms[0].rows if "calcium" in h.event)
    assert (row.per_session, row.per_course) == ("2 of 100 (fewer than 1 to 7)", "8 of 100 (2 to 25)")


def test_harms_of_a_choice_stand_under_that_choice(view):
    """Catheter and plasma harms are not mixed with those of every course."""
    assert [g.title for g in view.harms] == ["Every course", "Only with a central catheter", "Only with donor plasma"]


def test_the_four_groups_are_one_hundred_people(view):
    """Rounded groups still add up."""
    assert all(sum(p.count for p in bar.parts) == 100 for bar in view.benefit.bars)


def test_groups_round_by_largest_remainder(consultation):
    """Thirds become 34, 33, 33."""
    third = replace(consultation.benefit[0].none, median=1 / 3)
    assert sorted(choice.hundred((third, third, third))) == [33, 33, 34]


def test_potassium_stays_hidden_until_it_is_validated(consultation, library):
    """A series of potassium is not drawn."""
    series = replace(consultation.forecast.session_series[0], name="potassium")
    more = replace(consultation, forecast=replace(consultation.forecast, session_series=(series,)))
    shown = build.view(more, library).forecast
    assert shown.session_figure is None
    assert shown.more_session_figure is None


@pytest.mark.parametrize("advice", list(Advice))
def test_every_advice_has_words_even_when_nothing_else_is_known(advice, library, consultation):
    """A refusal is a report too: no order, no forecast, no relapse."""
    on = consultation.on
    bare = Consultation(on, consultation.patient, None, Decision(advice, on, ()), ())
    banner = build.view(bare, library).banner
    assert banner.text.endswith(".")
    assert banner.strength.endswith(".")


def test_the_report_lists_assumptions_and_what_the_record_lacks(view):
    """Filled gaps and taken-as-absent facts are named."""
    texts = [line.text for line in view.knowledge.assumed]
    assert any("separator was not said" in t for t in texts)
    assert any("allergy to albumin" in t for t in texts)


def test_what_could_be_argued_with_is_shown(consultation, library):
    """Guidelines side by side, the advice by definition, and what would change it."""
    fact = Fact("steroid_response", "none")
    decision = replace(
        consultation.decision,
        positions=(Position("aan-2011", "supports", "AAN B", "relapsing_refractory", ("aan2011",)),),
        by_definition=(ByDefinition("opentpe", True, Advice.OFFER), ByDefinition("dgn", False, Advice.WAIT_REASSESS)),
        changes=(Change((fact,), (Fact("steroid_response", "partial"),), Advice.WAIT_REASSESS),),
    )
    known = build.view(replace(consultation, decision=decision), library).knowledge
    assert known.guidelines.rows[0][1] == "supports exchange"
    assert known.depends.startswith("The advice depends")
    assert known.changes[0].label == "Wait and reassess"
    assert known.changes[0].text.endswith("partial (now none)")


def test_every_definition_of_steroid_failure_has_a_name(library):
    """A new published definition is named before it is offered."""
    words = sentences.load("en")
    assert [d for d in library.document("pathway/refractory") if not words.has(f"definition.{d}")] == []
