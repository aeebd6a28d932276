"""The main job, end to end: a bundle becomes a decision, an order, a forecast and a report."""

import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from opentpe import consultation as flow
from opentpe.cli import consult as command
from opentpe.domain import documents, words
from opentpe.domain.consultation import Consultation

INDEX = tomllib.loads((Path(__file__).resolve().parents[2] / "examples" / "index.toml").read_text(encoding="utf-8"))


def on(name):
    return date.fromisoformat(str(INDEX[name]["on"]))


@pytest.fixture(scope="module")
def scenario_a(library, examples):
    return flow.consult(examples / "scenario-a.json", on("scenario-a.json"), library=library, draws=200)


@pytest.mark.parametrize("name", INDEX)
def test_every_example_gets_the_advice_its_index_promises(name, library, examples):
    """Each example is for one lesson; its advice is the lesson."""
    row = INDEX[name]
    found = flow.decide(examples / name, on(name), library=library).decision.advice.value
    assert found == row.get("advice", row.get("expected"))


def test_scenario_a_is_offered_from_friday_20_february(scenario_a):
    """Offer exchange, start Friday 20 February, day 18; not wait to the 23rd."""
    decision = scenario_a.decision
    assert (decision.advice.value, decision.start_on) == ("offer", date(2026, 2, 20))
    assert scenario_a.relapse.day(decision.start_on) == 18
    sources = {s for r in decision.reasons for s in r.sources}
    assert {"weinshenker1999", "brochet2020"} <= sources
    assert any("AAN B" in r.level and "1A" in r.level for r in decision.reasons)


def test_scenario_a_is_ordered_in_litres_bottles_and_days(scenario_a):
    """2.56 L of plasma, 2.5 L in 5 x 500 mL, five open days, 25 mL calcium gluconate each."""
    order = scenario_a.order
    assert order.plasma_volume_ml == pytest.approx(2560, rel=0.01)
    assert (order.volume_ml, order.bottles) == (2500, (("albumin_5", 500.0, 5),))
    assert [d.isoformat()[5:] for d in order.dates] == ["02-20", "02-23", "02-25", "02-27", "03-02"]
    calcium = next(line for line in order.lines if line.code == "order_calcium")
    assert calcium.value("ml") == 25
    assert words.parse(order.words) == order.course


def test_scenario_a_separator_shows_what_practice_expects(scenario_a):
    """At 60 mL/min about 2.95 L in the bag, about 86 min, the chair under 3 h."""
    first = scenario_a.forecast.sessions[0]
    assert first.bag_ml == pytest.approx(2950, rel=0.01)
    assert first.duration_min == pytest.approx(86, rel=0.03)
    assert first.chair_min < 180


def test_scenario_a_fibrinogen_before_each_session_is_within_ten_per_cent(scenario_a):
    """3.0, 2.2, 1.8, 1.6, 1.7 g/L before the sessions."""
    found = [dict(s.pre)["fibrinogen"].median for s in scenario_a.forecast.sessions]
    assert found == pytest.approx([3.0, 2.2, 1.8, 1.6, 1.7], rel=0.10)


def test_scenario_a_igg_ends_near_the_expected_values(scenario_a):
    """About 1.5 g/L at the end, 5.5 to 6 on day 14."""
    last = dict(scenario_a.forecast.sessions[-1].post)["igg"].median
    later = dict(scenario_a.forecast.at("14d").values)["igg"].median
    assert last == pytest.approx(1.5, rel=0.10)
    assert 5.4 <= later <= 6.1


def test_scenario_c_fibrinogen_is_within_ten_per_cent_of_practice(library, examples):
    """29 weeks, 2.75 L a session: 4.8, 3.3, 2.7, 2.8, 2.5 g/L before, 1.9, 1.3, 1.1, 1.1, 1.0 after."""
    result = flow.consult(examples / "scenario-c.json", on("scenario-c.json"), library=library, draws=60)
    before = [dict(s.pre)["fibrinogen"].median for s in result.forecast.sessions]
    after = [dict(s.post)["fibrinogen"].median for s in result.forecast.sessions]
    assert before == pytest.approx([4.8, 3.3, 2.7, 2.8, 2.5], rel=0.10)
    assert after == pytest.approx([1.9, 1.3, 1.1, 1.1, 1.0], rel=0.10)


def test_bands_hold_their_median_and_are_ordered(scenario_a):
    """5, 25, 50, 75 and 95 % stand in order for every solute at every time."""
    for series in scenario_a.forecast.series:
        for low, q1, mid, q3, high in zip(series.p05, series.p25, series.median, series.p75, series.p95, strict=True):
            assert low <= q1 <= mid <= q3 <= high


def test_the_same_seed_gives_the_same_consultation(library, examples, scenario_a):
    """Two runs with one seed are equal to the last bit."""
    again = flow.consult(examples / "scenario-a.json", on("scenario-a.json"), library=library, draws=200)
    assert documents.encode(again) == documents.encode(scenario_a)


def test_report_json_and_object_show_the_same_numbers(tmp_path, library, scenario_a):
    """One result: the files hold the numbers of the object they were written from."""
    written = command.write(scenario_a, library, tmp_path, "en")
    data = json.loads(written["consult.json"].read_text(encoding="utf-8"))
    assert documents.decode(Consultation, data, "consult.json") == scenario_a
    page = written["report.html"].read_text(encoding="utf-8")
    first = scenario_a.forecast.sessions[0]
    for number in (f"{first.bag_ml:.0f}", f"{first.plasma_removed_ml:.0f}", f"{first.duration_min:.0f}"):
        assert number in page
    assert documents.read_course(written["course.json"]) == scenario_a.order.course


def test_the_report_stands_alone_and_says_what_it_is(tmp_path, library, scenario_a):
    """Nothing is fetched; not a medical device; library hash and version are printed."""
    page = command.write(scenario_a, library, tmp_path, "en")["report.html"].read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script src" not in page
    assert "not a medical device" in page.lower()
    assert library.digest[:12] in page


def test_a_missing_height_still_gets_a_decision(library, examples):
    """The decision is made and the order says what it needs."""
    bundle = json.loads((examples / "scenario-a.json").read_text(encoding="utf-8"))
    bundle["entry"] = [e for e in bundle["entry"] if "8302-2" not in json.dumps(e)]
    result = flow.consult(bundle, on("scenario-a.json"), library=library, draws=20)
    assert result.decision.advice.value == "offer"
    assert result.order.needs == ("height",)
    assert result.forecast is None


def test_a_child_goes_to_paediatric_apheresis(library, examples):
    """A child is not bad input: specialist review, paediatric apheresis."""
    result = flow.consult(examples / "child.json", on("child.json"), library=library, draws=20)
    assert result.decision.advice.value == "specialist_review"
    assert "paediatric" in result.decision.setting


def test_no_benefit_number_is_shown_while_nmosd_is_open(library, examples):
    """Scenario B: serology never sent, so the MS numbers stay away and a line says why."""
    result = flow.consult(examples / "scenario-b.json", on("scenario-b.json"), library=library, draws=20)
    assert result.benefit == ()
    assert result.benefit_lines


def test_options_stand_side_by_side_without_an_order_too(library, examples):
    """A mild attack still has alternatives; a line says why no number is given."""
    result = flow.consult(examples / "mild-relapse.json", on("mild-relapse.json"), library=library)
    assert len(result.options) == 10
    assert [line.code for line in result.benefit_lines] == ["benefit.none_without_exchange"]


def test_while_waiting_the_benefit_is_that_of_an_exchange_from_the_next_look(library, examples):
    """The numbers hold for the case that steroids failed, and say from which day."""
    name = "steroids-just-finished.json"
    result = flow.consult(examples / name, on(name), library=library)
    assert result.decision.advice.value == "wait_reassess"
    assert result.benefit
    assert result.benefit_lines[0].value("start_on") == result.decision.reassess_on


def test_what_is_no_relapse_has_no_options(library, examples):
    """Heat is treated by cooling: nothing is compared for an attack that is none."""
    assert flow.consult(examples / "heat.json", on("heat.json"), library=library).options == ()
