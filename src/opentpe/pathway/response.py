"""How the target deficit answered to steroids: as recorded, else read off acuity, functional systems or EDSS."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from opentpe.domain.decision import Fact
from opentpe.pathway.sheet import Sheet

_NAME: Final = "response_to_steroids"
_SYSTEM_OF: Final = {
    "sensory": "fs_sensory",
    "ataxia": "fs_cerebellar",
    "brainstem": "fs_brainstem",
    "bladder": "fs_bowel_bladder",
    "paraparesis": "fs_pyramidal",
    "hemiparesis": "fs_pyramidal",
    "tetraparesis": "fs_pyramidal",
}


class Course(NamedTuple):
    """A score around the steroids: before the attack, when they began, at its worst, and now; higher is worse."""

    before: float | None
    at_start: float | None
    worst: float
    now: float
    found: Fact  # what `now` rests on


def response_to_steroids(sheet: Sheet) -> Fact:
    """None, partial, full or worse: as recorded, else by the score of the target deficit, else by the EDSS."""
    coded = sheet.ask("steroid_response")
    if coded.value is not None:
        return Fact(_NAME, coded.value, coded.sources, coded.age_days)
    first = sheet.value("steroid_first")
    if first is None:
        return sheet.unknown(_NAME)
    if sheet.ask("visual_attack").value:
        return _by_acuity(sheet, first)
    system = _by_system(sheet, first)
    return system if system.value is not None else _by_edss(sheet, first)


def worsening(sheet: Sheet) -> Fact:
    """Whether the deficit still deepens under or after steroids."""
    response = sheet.ask(_NAME)
    if response.value == "worse":
        return Fact("worsening", True, response.sources, response.age_days)
    return sheet.no("worsening")


def _course(sheet: Sheet, kind: str, site: str, first: date, score: Callable[[float], float]) -> Course | None:
    onset = sheet.onset or first
    rows = [o for o in sheet.since(kind, onset) if o.value is not None and o.site in ("", site)]
    after = [o for o in rows if o.when.first_day > first]
    if not after or len(rows) < 2:
        return None
    values = [score(o.value or 0.0) for o in rows]
    start = [v for o, v in zip(rows, values, strict=True) if o.when.first_day <= first]
    before = sheet.before(kind, onset)
    base = score(before.value) if before is not None and before.value is not None else None
    last = after[-1]
    found = Fact(kind, last.value, (last.source,), last.when.age_days(sheet.on))
    return Course(base, start[-1] if start else None, max(values), values[-1], found)


def _judged(course: Course, step: float, well: float | None, note: str) -> Fact:
    sources, age = course.found.sources, course.found.age_days
    if course.at_start is not None and course.now - course.at_start >= step:
        return Fact(_NAME, "worse", sources, age, note)
    if course.worst - course.now < step:
        return Fact(_NAME, "none", sources, age, note)
    return Fact(_NAME, "full" if well is not None and course.now <= well else "partial", sources, age, note)


def _by_acuity(sheet: Sheet, first: date) -> Fact:
    """By logMAR: two lines count; source key llufriu2009 for the lines."""
    eye = sheet.ask("attack_acuity")
    course = _course(sheet, "visual_acuity", eye.note, first, _log_mar) if eye.value is not None else None
    if course is None:
        return Fact(_NAME, None, note="no acuity before and after steroids")
    step, well = sheet.limits["severity.acuity_step_log_mar"], _log_mar(sheet.limits["severity.acuity_well"])
    return _judged(course, step, well, "read off the acuity")


def _log_mar(decimal: float) -> float:
    return -math.log10(max(decimal, 1e-3))


def _by_system(sheet: Sheet, first: date) -> Fact:
    target = sheet.newest.get("target_deficit")
    kind = _SYSTEM_OF.get(target.answer, "") if target is not None else ""
    course = _course(sheet, kind, "", first, float) if kind else None
    if course is None:
        return sheet.unknown(_NAME)
    return _judged(course, sheet.limits["severity.fs_rise"], course.before, "read off the functional system")


def _by_edss(sheet: Sheet, first: date) -> Fact:
    now, worst, base = (sheet.ask(n) for n in ("edss_now", "edss_worst", "edss_baseline"))
    if not isinstance(now.value, float | int) or not isinstance(worst.value, float | int):
        return sheet.unknown(_NAME)
    if now.age_days is None or now.age_days >= (sheet.on - first).days:
        return Fact(_NAME, None, note="no EDSS since steroids began")
    rows = [o for o in sheet.since("edss", sheet.onset or first) if o.when.first_day <= first]
    start = rows[-1].value if rows else None
    step = sheet.limits["severity.edss_step"]
    well = float(base.value) if isinstance(base.value, float | int) else None
    return _judged(Course(None, start, worst.value, now.value, now), step, well, "read off the EDSS")
