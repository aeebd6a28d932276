"""Drugs in a virtual trial: who gets which dose, what is left, and arms in which nobody has a value."""

import numpy as np
import pytest

from opentpe.domain import documents
from opentpe.simulation import summary, trial
from unit.simulation import learning
from unit.simulation.test_trial import run, spec

COURSE = "5 x 1.0 PV daily, albumin 5 %"
ARMS = [
    {"name": "no new dose", "course": COURSE},
    {"name": "during", "course": COURSE, "doses": ["natalizumab 300 mg at 2.5 d"]},
    {"name": "after", "course": COURSE, "doses": ["natalizumab 300 mg at 5 d"]},
    {"name": "none", "course": "no exchange"},
]
DRUG = {"doses": ["natalizumab 300 mg at -10 d"], "fraction": 0.4}


@pytest.fixture(scope="module")
def re_dosed():
    one = spec(patients=60, conduct={}, drug=DRUG, arm=ARMS, endpoints=["drug_day_14_ug_ml", "drug_left_percent"])
    return trial.simulate(one, np.arange(60), learning.library(), learning.unit())


def day_14(found, arm):
    return found[trial.column(arm, "drug_day_14_ug_ml")]


def test_a_dose_after_the_last_session_stays_in_a_trial(re_dosed):
    """In every patient on natalizumab: most is left of a dose after the course, less of one during it."""
    on = np.isfinite(day_14(re_dosed, "none"))
    levels = [day_14(re_dosed, arm)[on] for arm in ("no new dose", "during", "after")]
    assert np.all(levels[0] < levels[1])
    assert np.all(levels[1] < levels[2])


def test_a_new_dose_goes_only_to_those_on_the_drug(re_dosed):
    """Two patients of five are on it, the same in every arm; the others have no level to tell."""
    on = [np.isfinite(day_14(re_dosed, arm["name"])) for arm in ARMS]
    assert 0.2 < on[0].mean() < 0.6
    assert all(np.array_equal(on[0], other) for other in on)


def test_doses_may_be_written_in_any_order():
    """The later one first: the same trial."""
    arms = [{"course": COURSE, "doses": doses} for doses in (["ofatumumab 20 mg sc at 6 d"], [])]
    early, late = "ofatumumab 20 mg sc at -3 d", "ofatumumab 20 mg sc at 7 d"
    found = [
        trial.simulate(
            spec(endpoints=["drug_day_14_ug_ml"], arm=[arms[0]], drug={"doses": order, "fraction": 1.0}),
            np.arange(5), learning.library(), learning.unit(),
        )
        for order in ([early, late], [late, early])
    ]  # fmt: skip
    assert all(np.array_equal(found[0][name], found[1][name], equal_nan=True) for name in found[0])


def test_an_arm_in_which_nobody_has_a_value_is_named(tmp_path):
    """Without an exchange no course is complete: said so, and the document can still be written."""
    one = spec(patients=5, conduct={}, endpoints=["complete", "chair_h"], arm=[ARMS[3], ARMS[0]])
    found = summary.summarise(tmp_path, one, learning.library(), run(one, tmp_path))
    said = [dict(note.values) for note in found.notes if note.code == "trial_nobody"]
    assert said == [{"endpoints": "complete", "arm": "none"}]
    assert [c.endpoint for c in found.contrasts] == ["chair_h"]
    assert "NaN" not in documents.text(documents.document("trial", found))


def test_an_endpoint_of_the_drug_needs_one_drug():
    """Two antibodies have no one level; a blocker has none that is followed."""
    for doses in (["natalizumab 300 mg at -10 d", "ofatumumab 20 mg sc at -3 d"], ["efgartigimod 700 mg at -3 d"]):
        with pytest.raises(learning.InputError, match="one antibody"):
            spec(endpoints=["drug_day_14_ug_ml"], drug={"doses": doses, "fraction": 0.5})
