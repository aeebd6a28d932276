"""The clock: when steroids are judged, when exchange starts, the last date for the first one."""

from datetime import date

import pytest

EVERY_DAY = {"opening_days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]}


def pulse(ended, count=5):
    return [{"mg": 1000, "count": count, "ended": ended}]


@pytest.mark.parametrize(
    ("day", "ended", "expected"),
    [
        (9, 1, date(2026, 2, 22)),  # end + 5 d is 22 Feb, day 14 is 23 Feb: the earlier
        (12, 1, date(2026, 2, 20)),  # day 14 is 20 Feb, before end + 5 d
        (10, 0, date(2026, 2, 22)),  # day 14 is 22 Feb, before end + 5 d
    ],
)
def test_moderate_steroids_are_judged_at_the_earlier_date(decide, day, ended, expected):
    """The earlier of end of steroids + 5 d and day 14 from onset."""
    decision = decide(day=day, steroids=pulse(ended), seen={"steroid_response": "partial"})
    assert decision.fact("decide_on").value == expected


def test_severe_steroids_are_judged_at_the_last_dose(decide):
    """A severe attack does not wait after the last dose."""
    decision = decide("severe", day=8, steroids=pulse(0))
    assert decision.fact("decide_on").value == decision.on
    assert decision.advice == "urgent"


def test_waiting_always_carries_both_dates(decide):
    """Wait names the day to look again and the last day for the first exchange, in this order."""
    decision = decide(day=9, steroids=pulse(1), seen={"steroid_response": "partial"})
    assert decision.advice == "wait_reassess"
    assert decision.on < decision.reassess_on <= decision.first_exchange_by
    assert decision.holds_until == decision.reassess_on


def test_steroids_first_says_when_to_look_again(decide):
    """After steroids are ordered the clock already runs."""
    decision = decide(day=5, steroids=[], without=["steroid_response"])
    assert decision.reassess_on == date(2026, 2, 27)  # day 14
    assert decision.first_exchange_by == date(2026, 3, 5)  # day 20


def test_a_planned_start_lands_on_an_open_day(decide):
    """Two days of preparation, then the first open day."""
    assert decide(on="2026-02-19", day=17).start_on == date(2026, 2, 23)
    assert decide(on="2026-02-19", day=17, unit=EVERY_DAY).start_on == date(2026, 2, 21)


def test_a_holiday_is_no_open_day(decide):
    """The start moves past a holiday of the unit."""
    assert decide(unit={"holidays": ["2026-02-20"]}).start_on == date(2026, 2, 23)


def test_urgent_starts_within_48_h_even_on_closed_days(decide):
    """On Friday the first session is on call on Saturday; on Saturday it is Monday."""
    assert decide("severe", on="2026-02-20").start_on == date(2026, 2, 21)
    assert decide("severe", on="2026-02-21").start_on == date(2026, 2, 23)


def test_the_last_date_is_open_and_inside_the_window(decide):
    """Day 20 is a Sunday here: the Friday before it is the last date."""
    assert decide().first_exchange_by == date(2026, 2, 20)


def test_past_the_window_the_next_one_counts(decide):
    """On day 30 the last date lies within six weeks of onset."""
    decision = decide(day=30)
    assert decision.start_on <= decision.first_exchange_by <= date(2026, 3, 2)


def test_partial_response_looks_again_before_the_window_closes(decide):
    """Partly better on day 16: the next look is not after day 20."""
    assert decide(seen={"steroid_response": "partial"}).reassess_on == date(2026, 2, 22)
