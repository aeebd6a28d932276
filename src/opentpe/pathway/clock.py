"""The clock: when to judge steroids, when to start, the last date for a first exchange."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from opentpe.domain.decision import Advice, Fact
from opentpe.pathway.calendar import last_open, next_open
from opentpe.pathway.sheet import Sheet


def _days(sheet: Sheet, name: str) -> timedelta:
    return timedelta(days=int(sheet.limits[f"clock.{name}"]))


def decide_on(sheet: Sheet) -> Fact:
    """The day to judge steroids: the earlier of their end + 5 d and day 14; the last dose when severe or worsening."""
    end = sheet.value("steroid_end")
    if sheet.value("steroid_status") == "in_progress":
        end = sheet.value("steroid_planned_end") or end
    if end is None:
        return sheet.unknown("decide_on")
    if sheet.value("severity") == "severe" or sheet.value("worsening"):
        return Fact("decide_on", end, note="the last dose, because severe or worsening")
    after = end + _days(sheet, "judge_after_end_d")
    if sheet.onset is None:
        return Fact("decide_on", after, note="end of steroids")
    by_day = max(end, sheet.onset + _days(sheet, "judge_by_day_d"))
    note = "end of steroids" if after <= by_day else "day 14"
    return Fact("decide_on", min(after, by_day), note=note)


def decision_due(sheet: Sheet) -> Fact:
    """Whether the day to judge steroids has come."""
    day = sheet.ask("decide_on")
    due = None if day.value is None else sheet.on >= day.value  # type: ignore[operator] # a date
    return Fact("decision_due", due, day.sources, note=day.note)


def start_day(sheet: Sheet, advice: Advice) -> date | None:
    """The first session: within 24 to 48 h when urgent, else the first open day after the lead time."""
    unit: Mapping[str, Any] = sheet.unit
    if advice is Advice.URGENT:
        first, last = sheet.on + _days(sheet, "urgent_first_d"), sheet.on + _days(sheet, "urgent_by_d")
        opens = next_open(first, unit)
        return opens if opens <= last else first
    return next_open(sheet.on + _days(sheet, "lead_time_d"), unit) if advice.exchange else None


def reassess_day(sheet: Sheet, advice: Advice, own_d: float | None = None) -> date | None:
    """When to examine again: as the rule says, the day steroids are judged, or after the trigger was treated."""
    if own_d is not None:
        return sheet.on + timedelta(days=int(own_d))
    if advice is Advice.TREAT_TRIGGER_FIRST or advice is Advice.NOT_A_RELAPSE:
        return sheet.on + _days(sheet, "recheck_trigger_d")
    if advice is Advice.STEROIDS_FIRST:
        return _after_steroids(sheet)
    if advice is Advice.WAIT_REASSESS:
        return _next_look(sheet)
    return None


def _next_look(sheet: Sheet) -> date:
    """The day steroids are judged; once that has passed, a few days on, but inside the window where it is open."""
    tomorrow = sheet.on + timedelta(days=1)
    day: date | None = sheet.value("decide_on")
    if day is not None and day >= tomorrow:
        return day
    later = sheet.on + _days(sheet, "judge_after_end_d")
    if sheet.onset is None:
        return later
    window = sheet.onset + _days(sheet, "window_late_d")
    return max(min(later, window), tomorrow) if window > sheet.on else later


def _after_steroids(sheet: Sheet) -> date:
    end = sheet.on + timedelta(days=int(sheet.limits["adequacy.usual_course_d"]) - 1)
    if sheet.value("severity") == "severe":
        return end
    after = end + _days(sheet, "judge_after_end_d")
    if sheet.onset is None:
        return after
    return min(after, max(end, sheet.onset + _days(sheet, "judge_by_day_d")))


def latest_first_exchange(sheet: Sheet, advice: Advice, not_before: date) -> date | None:
    """The last open day for the first exchange inside the window in force; source key asfa2023 for the first one."""
    if advice is Advice.URGENT:
        return max(sheet.on + _days(sheet, "urgent_by_d"), not_before)
    onset = sheet.onset
    if onset is None:
        return None
    for name in ("window_late_d", "late_d", "very_late_d"):
        end = onset + _days(sheet, name)
        if end >= not_before:
            return last_open(end, not_before, sheet.unit)
    return not_before


def holds_until(sheet: Sheet, advice: Advice, reassess: date | None, by: date | None) -> date:
    """The day until which the advice stands as it is."""
    if reassess is not None:
        return reassess
    if advice.exchange and by is not None:
        return by
    return sheet.on + _days(sheet, "holds_d")
