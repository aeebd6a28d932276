"""Facts: look-back, drugs by last dose, severity, serology, lesion level, size."""

import pytest

from opentpe.errors import EvidenceError
from opentpe.pathway.facts import question


def drug(name, group, **days):
    return [{"is": name, "group": group, **days}]


def test_an_old_value_counts_as_not_recorded(decide):
    """A temperature of three days ago is stale: the fact is unknown and keeps its source."""
    fact = decide(seen={"temperature": {"is": 39.0, "d": 3}}).fact("temperature")
    assert (fact.value, fact.age_days, fact.sources) == (None, 3, ("Observation/temperature-0",))


def test_the_newest_value_counts(decide):
    """Of two temperatures the later one decides."""
    seen = {"temperature": [{"is": 39.0, "d": 1}, {"is": 36.8, "d": 0}]}
    assert decide(seen=seen).advice == "offer"


def test_a_value_after_the_day_is_not_used(decide):
    """Nothing from the future counts."""
    assert decide(seen={"temperature": [{"is": 36.8, "d": 0}, {"is": 39.0, "d": -1}]}).advice == "offer"


@pytest.mark.parametrize(
    ("days", "current"),
    [({}, True), ({"d": 3}, True), ({"d": 300, "ended": 2}, True), ({"d": 300, "ended": 30}, False)],
)
def test_a_drug_is_current_by_its_last_dose(decide, days, current):
    """An open-ended statement is current; a drug stopped a month ago is not."""
    alerts = {a.code for a in decide(drugs=drug("ramipril", "ace_inhibitor", **days)).alerts}
    assert ("ace_hold" in alerts) is current


def test_the_drug_is_named(decide):
    """The alert carries the drug itself and the days since its last dose."""
    decision = decide(drugs=drug("ocrelizumab", "antibody", d=30))
    fact = decision.fact("antibody")
    assert (fact.value, fact.age_days) == ("ocrelizumab", 30)


def test_a_positive_antibody_never_expires(decide):
    """AQP4 once positive stays positive, also under a later negative."""
    seen = {"aqp4_igg": [{"is": "positive", "d": 900}, {"is": "negative", "d": 3}]}
    assert decide(seen=seen).fact("aqp4_igg").value == "positive"


def test_an_unverified_diagnosis_is_not_believed(pathway, case):
    """A provisional diagnosis does not stop the walk."""
    from dataclasses import replace

    from opentpe.pathway import engine

    patient, relapse, on = case(conditions=["sepsis"])
    doubtful = tuple(replace(c, verified=c.kind != "sepsis") for c in patient.conditions)
    assert engine.decide(replace(patient, conditions=doubtful), relapse, on, pathway).advice == "offer"


@pytest.mark.parametrize(("level", "high"), [("C5", True), ("T4", True), ("T6", True), ("T7", False), ("L1", False)])
def test_dysreflexia_from_t6_up(decide, level, high):
    """Lesions at T6 or above carry the dysreflexia card."""
    decision = decide("severe", seen={"lesion_level": level})
    assert ("dysreflexia" in {a.code for a in decision.alerts}) is high


def test_the_worse_eye_decides(decide):
    """Of two eyes the worse one is taken, each at its newest value."""
    eyes = [{"is": 0.8, "site": "left"}, {"is": 0.05, "site": "right", "d": 3}, {"is": 0.6, "site": "right"}]
    assert decide(seen={"visual_acuity": eyes}).fact("visual_acuity").value == 0.6


@pytest.mark.parametrize("changes", [{"sex": "male"}, {"age": 62}])
def test_pregnancy_is_not_asked_where_it_cannot_be(decide, changes):
    """Neither a man nor a woman of 62 is asked."""
    decision = decide(without=["pregnancy"], **changes)
    assert "test_pregnancy" not in {a.code for a in decision.alerts}


def test_a_declaration_that_cannot_be_read_names_the_fact():
    """A mistyped declaration says which fact."""
    with pytest.raises(EvidenceError, match="crp"):
        question("crp", {"read": "guess crp", "absence": "missing_stops"}, {})
