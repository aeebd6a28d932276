"""EDSS: every row of the scoring table and its corners."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentpe.domain import edss
from opentpe.errors import InputError

OTHERS = ("brainstem", "pyramidal", "cerebellar", "sensory", "cerebral")


@pytest.fixture(scope="module")
def rules(library):
    return edss.convention(library.document("scales/edss"))


def systems(*grades):
    """Grades on systems that are not converted, bowel and bladder and visual last (grades up to 2 keep their value)."""
    names = (*OTHERS, "bowel_bladder", "visual")
    return dict.fromkeys(names, 0) | dict(zip(names, sorted(grades, reverse=True), strict=False))


# Every row of the table: counting grades, ambulation, score.
ROWS = [
    ((), 0, 0.0),
    ((1,), 0, 1.0),
    ((1, 1), 0, 1.5),
    ((1,) * 7, 0, 1.5),
    ((2,), 0, 2.0),
    ((2, 1, 1), 0, 2.0),
    ((), 1, 2.0),
    ((1, 1), 1, 2.0),
    ((2, 2), 0, 2.5),
    ((2, 2, 1, 1, 1), 1, 2.5),
    ((3,), 0, 3.0),
    ((3, 1, 1, 1), 0, 3.0),
    ((2, 2, 2), 0, 3.0),
    ((2, 2, 2, 2), 0, 3.0),
    ((3, 2), 0, 3.5),
    ((3, 2, 2), 0, 3.5),
    ((3, 3), 0, 3.5),
    ((3, 3, 1), 0, 3.5),
    ((2,) * 5, 0, 3.5),
    ((4,), 0, 4.0),
    ((4, 1, 1, 1), 1, 4.0),
    ((3, 3, 2), 0, 4.0),
    ((3, 3, 3), 0, 4.0),
    ((3, 3, 3, 3), 0, 4.0),
    ((3, 3, 3, 3, 2, 2), 0, 4.0),
    ((3, 2, 2, 2), 0, 4.0),
    ((2,) * 6, 0, 4.0),
    ((2,) * 7, 0, 4.0),
    ((4, 3), 0, 4.5),
    ((4, 3, 3), 0, 4.5),
    ((4, 2), 0, 4.5),
    ((4, 3, 2), 0, 4.5),
    ((3,) * 5, 0, 4.5),
    ((), 2, 4.5),
    ((3, 3), 2, 4.5),
    ((5,), 0, 5.0),
    ((4, 4), 0, 5.0),
    ((4, 3, 3, 3), 0, 5.0),
    ((), 3, 5.0),
    ((4, 3), 3, 5.0),
]


@pytest.mark.parametrize(("grades", "ambulation", "expected"), ROWS)
def test_each_row_of_the_table(rules, grades, ambulation, expected):
    """The pattern of functional systems and ambulation gives the printed score."""
    assert edss.score(systems(*grades), ambulation, rules).edss == expected


def test_six_systems_at_three_are_five(rules):
    """Six or seven systems at grade 3 need bowel and bladder (raw 4 counts 3) and the visual system (raw 4 or 5)."""
    six = dict.fromkeys(OTHERS, 3) | {"bowel_bladder": 4, "visual": 0}
    assert edss.score(six, 0, rules).edss == 5.0
    assert edss.score(six | {"visual": 4}, 0, rules).edss == 5.0


@pytest.mark.parametrize(
    ("ambulation", "expected"),
    [
        (4, 5.5),
        (5, 6.0),
        (6, 6.0),
        (7, 6.0),
        (8, 6.5),
        (9, 6.5),
        (10, 7.0),
        (11, 7.5),
        (12, 8.0),
        (13, 8.5),
        (14, 9.0),
        (15, 9.5),
        (16, 10.0),
    ],
)
def test_from_five_and_a_half_ambulation_decides_alone(rules, ambulation, expected):
    """The worst and the best functional systems give the same score."""
    for grades in ((), (5, 5, 5, 5, 5)):
        assert edss.score(systems(*grades), ambulation, rules).edss == expected


@pytest.mark.parametrize(
    ("system", "table"), [("visual", [0, 1, 2, 2, 3, 3, 4]), ("bowel_bladder", [0, 1, 2, 3, 3, 4, 5])]
)
def test_two_systems_are_converted(rules, system, table):
    """Raw 6 counts 4 for vision and 5 for bowel and bladder; the others count as they are."""
    assert [edss.convert(system, raw, rules) for raw in range(7)] == table
    assert [edss.convert("pyramidal", raw, rules) for raw in range(7)] == list(range(7))


def test_a_blind_patient_is_four_and_not_five(rules):
    """Visual grade 6 alone counts 4: EDSS 4.0 with unrestricted walking."""
    found = edss.score(systems() | {"visual": 6}, 0, rules)
    assert found.edss == 4.0
    assert dict(found.converted)["visual"] == 4


def test_the_convention_is_named(rules):
    """No score without the name of the rules it rests on."""
    assert "Neurostatus" in edss.score(systems(), 0, rules).convention


def test_what_was_not_examined_gives_a_range(rules):
    """Without ambulation or a system the score is the range it can still take, and says what is missing."""
    found = edss.score({"pyramidal": 3}, 1, rules)
    assert found.edss is None
    assert (found.low, found.high) == (3.0, 5.0)
    assert set(found.missing) == set(edss.SYSTEMS) - {"pyramidal"}
    assert edss.score({}, 6, rules).edss == 6.0
    assert edss.score(systems(2), None, rules).high == 10.0


@pytest.mark.parametrize(
    ("given", "ambulation", "found"),
    [({"visual": 7}, 0, "grade 7"), ({"brainstem": 6}, 0, "grade 6"), ({"mood": 1}, 0, "mood"), ({}, 17, "score 17")],
)
def test_a_grade_that_does_not_exist_is_refused(rules, given, ambulation, found):
    """The error names the system and the grades that exist."""
    with pytest.raises(InputError, match=found):
        edss.score(given, ambulation, rules)


grades = st.fixed_dictionaries({s: st.integers(0, 5) for s in edss.SYSTEMS})


@given(grades, st.integers(0, 16), st.sampled_from(edss.SYSTEMS))
def test_a_worse_system_never_lowers_the_score(library, given_grades, ambulation, system):
    """Raising one system by a grade leaves the EDSS or raises it; the score is always a step of the scale."""
    rules = edss.convention(library.document("scales/edss"))
    now = edss.score(given_grades, ambulation, rules).edss
    worse = edss.score(given_grades | {system: min(given_grades[system] + 1, 5)}, ambulation, rules).edss
    assert worse >= now
    assert edss.is_step(now)


@given(grades, st.integers(0, 15))
def test_worse_walking_never_lowers_the_score_up_to_the_chair(library, given_grades, ambulation):
    """Scores 0 to 3 and 10 to 16 rise with ambulation; 5 to 9 are two groups of aids."""
    rules = edss.convention(library.document("scales/edss"))
    a, b = (edss.score(given_grades, x, rules).edss for x in (ambulation, ambulation + 1))
    assert b >= a


@pytest.mark.parametrize(
    ("distance", "aid", "score"),
    [
        (600, "none", 1),
        (499, "none", 2),
        (300, "none", 2),
        (299, "none", 3),
        (100, "none", 4),
        (99, "none", 5),
        (50, "unilateral", 6),
        (49, "unilateral", 8),
        (120, "bilateral", 7),
        (119, "bilateral", 9),
        (5, "bilateral", 9),
    ],
)
def test_distance_and_aid_give_the_ambulation_score(rules, distance, aid, score):
    """The corners of each distance band."""
    assert edss.walk_for(distance, aid, rules).score == score


def test_no_distance_or_an_unknown_aid_is_refused(rules):
    """Below 5 m the ambulation score is asked for directly."""
    with pytest.raises(InputError, match="3 m"):
        edss.walk_for(3, "bilateral", rules)
    with pytest.raises(InputError, match="rollator"):
        edss.walk_for(30, "rollator", rules)


@pytest.mark.parametrize(
    ("before", "now", "means"),
    [(5.0, 6.0, "worse"), (5.0, 5.9, "unchanged"), (5.0, 4.0, "better"), (5.0, 4.1, "unchanged")],
)
def test_timed_tests_change_at_a_fifth(library, before, now, means):
    """Twenty per cent longer is worse, twenty per cent shorter is better."""
    for test in ("t25fw", "nhpt"):
        threshold = library.value(f"scales/timed_tests.{test}_meaningful_fraction")
        assert edss.timed_change(before, now, threshold)[1] == means
    with pytest.raises(InputError):
        edss.timed_change(0, 5, 0.2)


@pytest.mark.parametrize(
    ("value", "ok"), [(0, True), (0.5, False), (1.0, True), (4.5, True), (4.2, False), (11, False)]
)
def test_steps_of_the_scale(value, ok):
    """0, then 1 to 10 in half steps; 11 does not exist."""
    assert edss.is_step(value) is ok
