"""Severity of a relapse by each published scheme, none averaged away."""

import pytest

from opentpe.domain.severity import Examination, by_each_scheme

FULL = {"visual": 0, "brainstem": 0, "pyramidal": 0, "cerebellar": 0, "sensory": 0, "bowel_bladder": 0, "cerebral": 0}


def answers(library, before, now, onset_days=10):
    rows = by_each_scheme(library.document("scales/relapse_severity"), before, now, onset_days)
    return {r.scheme: r for r in rows}


@pytest.mark.parametrize(
    ("rise", "level"), [(0, ""), (0.5, "mild"), (1.0, "moderate"), (1.5, "moderate"), (2.0, "severe")]
)
def test_the_rise_of_the_edss_has_three_levels(library, rise, level):
    """Half a point mild, one moderate, two severe."""
    found = answers(library, Examination(edss=2.0), Examination(edss=2.0 + rise))["edss_rise"]
    assert (found.level, found.reached) == (level, level != "")


@pytest.mark.parametrize(
    ("system", "before", "now", "scheme", "reached"),
    [
        ("pyramidal", 2, 3, "plasmasep_pyramidal_or_brainstem", True),
        ("brainstem", 0, 3, "plasmasep_pyramidal_or_brainstem", True),
        ("pyramidal", 1, 2, "plasmasep_pyramidal_or_brainstem", False),
        ("pyramidal", 3, 3, "plasmasep_pyramidal_or_brainstem", False),
        ("cerebellar", 1, 2, "plasmasep_cerebellar", True),
        ("cerebellar", 0, 1, "plasmasep_cerebellar", False),
        ("sensory", 0, 1, "copousep_treatable", True),
        ("visual", 1, 2, "pfeuffer_significant", True),
    ],
)
def test_functional_systems_count_by_rise_and_grade(library, system, before, now, scheme, reached):
    """A rise of one grade, to the grade each trial asked for."""
    a, b = (Examination(edss=2.0, systems=FULL | {system: g}) for g in (before, now))
    assert answers(library, a, b)[scheme].reached is reached


@pytest.mark.parametrize(
    ("before", "now", "edss", "reached"), [(800, 300, (3.5, 4.5), True), (800, 800, (3.5, 4.5), False)]
)
def test_walking_counts_from_edss_4(library, before, now, edss, reached):
    """A shorter distance with half a point more, from EDSS 4.0."""
    a, b = Examination(edss=edss[0], walking_m=before), Examination(edss=edss[1], walking_m=now)
    assert answers(library, a, b)["plasmasep_walking"].reached is reached


@pytest.mark.parametrize(("acuity", "at_most", "below"), [(0.1, True, True), (0.11, False, True), (0.5, False, False)])
def test_optic_neuritis_has_two_published_bounds(library, acuity, at_most, below):
    """20/200 or less, or less than half of normal."""
    found = answers(library, Examination(visual_acuity=1.0), Examination(visual_acuity=acuity))
    assert found["optic_neuritis_severe"].reached is at_most
    assert found["optic_neuritis_below_half"].reached is below


@pytest.mark.parametrize(("now", "reached"), [(0.7, False), (0.69, True)])
def test_more_than_thirty_per_cent_of_acuity_is_more(library, now, reached):
    """Exactly 30 % is not more than 30 %."""
    found = answers(library, Examination(visual_acuity=1.0), Examination(visual_acuity=now))
    assert found["plasmasep_optic_neuritis"].reached is reached


def test_what_the_record_does_not_hold_is_not_answered(library):
    """Without examinations every scheme says: not known."""
    assert {r.reached for r in answers(library, Examination(), Examination()).values()} == {None}


def test_late_attacks_fall_outside_the_steroid_trial(library):
    """That trial took attacks of at most 15 days; an unknown onset leaves it open."""
    a, b = (Examination(systems=FULL | {"sensory": g}) for g in (0, 2))
    assert answers(library, a, b, 16)["copousep_treatable"].reached is False
    assert answers(library, a, b, None)["copousep_treatable"].reached is None


def test_schemes_disagree_and_each_names_its_source(library):
    """A half-point rise is mild in one scheme and moderate or severe in another: both are shown."""
    a = Examination(edss=3.5, systems=FULL | {"pyramidal": 2}, walking_m=500)
    b = Examination(edss=4.0, systems=FULL | {"pyramidal": 3}, walking_m=200)
    found = answers(library, a, b)
    assert found["edss_rise"].level == "mild"
    assert found["plasmasep_walking"].level == "moderate_or_severe"
    assert all(r.source in library.citations for r in found.values())
