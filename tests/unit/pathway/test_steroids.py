"""Steroids: complete regimens by doses taken, the end of the pulse, and the response read off findings."""

from datetime import date

import pytest


def course(mg, count, ended=5, route="iv", drug="methylprednisolone", ratio=1.0):
    return {"mg": mg, "count": count, "ended": ended, "route": route, "drug": drug, "ratio": ratio}


@pytest.mark.parametrize(
    ("courses", "status"),
    [
        ([course(1000, 3)], "adequate"),
        ([course(500, 5, route="oral")], "adequate"),
        ([course(1250, 3, route="oral", drug="prednisone", ratio=0.8)], "adequate"),
        ([course(2000, 3)], "adequate"),
        ([course(960, 3)], "adequate"),
        ([course(500, 4, route="oral")], "inadequate"),
        ([course(1000, 2)], "inadequate"),
        ([course(60, 14, drug="prednisone", ratio=0.8, route="oral")], "inadequate"),
        ([course(1000, 2, ended=0)], "in_progress"),
        ([course(1000, 1, ended=20), course(1000, 2, ended=5)], "inadequate"),
        ([course(1000, 1, ended=8), course(1000, 2, ended=5)], "adequate"),
        ([], "none"),
    ],
)
def test_regimens_are_judged_by_doses_taken(decide, courses, status):
    """A regimen is complete when its doses were taken on enough days without a long gap."""
    assert decide(day=25, steroids=courses).fact("steroid_status").value == status


def test_doses_of_one_day_add_up(decide):
    """250 mg four times a day is 1 g a day."""
    quarters = [course(250, 3, ended=5) for _ in range(4)]
    assert decide(steroids=quarters).fact("steroid_status").value == "adequate"


def test_a_taper_does_not_move_the_end_of_steroids(decide):
    """The clock runs from the last high dose, not from the last tablet."""
    taper = course(60, 5, ended=1, drug="prednisone", ratio=0.8, route="oral")
    decision = decide(steroids=[course(1000, 5, ended=6), taper])
    assert decision.fact("steroid_end").value == date(2026, 2, 12)


def test_the_cumulative_dose_is_in_equivalents(decide):
    """Five times 1250 mg of prednisone are 5 g of methylprednisolone."""
    decision = decide(steroids=[course(1250, 5, drug="prednisone", ratio=0.8, route="oral")])
    total = next(
        f for r in decision.reasons if r.code == "steroids_adequate" for f in r.facts if f.name == "steroid_total_mg"
    )
    assert total.value == 5000


def test_two_courses_are_counted(decide):
    """A second pulse after two weeks is a second course."""
    courses = [course(1000, 3, ended=20), course(2000, 3, ended=5)]
    assert decide(day=30, steroids=courses, definition="ruprecht2004").fact("refractory").value is True


@pytest.mark.parametrize(
    ("scores", "response"),
    [
        ([(4.0, 0), (4.0, 12)], "none"),
        ([(3.0, 0), (4.5, 12)], "partial"),
        ([(2.5, 0), (4.0, 12)], "full"),
        ([(5.0, 0), (4.0, 12)], "worse"),
    ],
)
def test_the_response_is_read_off_the_edss(decide, scores, response):
    """Without a recorded response the EDSS before and after steroids tells it, and that is listed as assumed."""
    seen = {"edss": [{"is": v, "d": d} for v, d in scores]}
    decision = decide(day=20, edss_worst=max(v for v, _ in scores), without=["steroid_response"], seen=seen)
    assert decision.fact("response_to_steroids").value == response
    assert "response_to_steroids" in {f.name for f in decision.assumed}


@pytest.mark.parametrize(("after", "response"), [(0.01, "none"), (0.1, "partial"), (0.9, "full")])
def test_the_response_is_read_off_the_acuity(decide, after, response):
    """In optic neuritis two lines count; 0.8 is recovered."""
    eye = [{"is": 0.01, "d": 10, "site": "right"}, {"is": after, "d": 0, "site": "right"}]
    decision = decide("optic", without=["steroid_response"], seen={"visual_acuity": eye})
    assert decision.fact("response_to_steroids").value == response


def test_the_response_is_read_off_the_functional_system_of_the_target(decide):
    """A cerebellar target is judged by the cerebellar score, also where the EDSS stands still."""
    scores = [{"is": 3, "d": 12}, {"is": 2, "d": 0}]
    decision = decide(day=20, without=["steroid_response"], seen={"target_deficit": "ataxia", "fs_cerebellar": scores})
    assert decision.fact("response_to_steroids").value == "partial"


def test_a_recorded_response_wins(decide):
    """The clinician's word stands over what the scores suggest."""
    seen = {"edss": [{"is": 2.5}, {"is": 4.0, "d": 12}], "steroid_response": "none"}
    assert decide(seen=seen).fact("response_to_steroids").value == "none"


def test_an_old_recorded_response_is_not_believed(decide):
    """A response noted three weeks ago says nothing about today."""
    decision = decide(day=40, seen={"steroid_response": {"is": "none", "d": 21}}, without=["edss"], edss_worst=4.0)
    assert "steroid_response" in {m.fact for m in decision.missing}
