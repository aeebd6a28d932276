"""The tables of fit, plan and trial: written cells under named columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Final

from opentpe.domain import words as course_words
from opentpe.domain.consultation import Band
from opentpe.domain.learning import ArmResult, Candidate, Contrast, Estimated, Fit, Judged, PlanRanking, TrialSummary
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.sentences import opening
from opentpe.report.view import Column, Table

RUN_TIME: Final = "duration"
_NONE: Final = "–"
SMALL_SHARE: Final = 0.01  # of the variance
_LEAST_PERCENT: Final = 0.1


def _columns(*heads: str, text: int = 1) -> tuple[Column, ...]:
    """Columns of numbers but for the first `text` ones."""
    return tuple(Column(head, "", n >= text) for n, head in enumerate(heads))


def parameter(name: str, pen: Desk) -> str:
    """A parameter as the report writes it: `igg.escape_rate` is "IgG escape rate"."""
    solute, _, kind = name.rpartition(".")
    if not solute:
        return pen.say(f"learned.{kind}")
    return opening(pen.say(f"learned.{kind}", solute=pen.word("solute", solute)))


def quantity(name: str, pen: Desk) -> str:
    """What a lab measured."""
    return pen.title("solute" if pen.sentences.has(f"solute.{name}") else "quantity", name)


def learned(result: Fit, pen: Desk) -> Table:
    """Parameters before and after the labs."""
    rows = tuple(
        (
            parameter(p.name, pen),
            words.unit(p.unit),
            _band(p.prior, pen),
            _band(p.posterior, pen),
            f"{100 * p.learned_fraction:.0f}",
        )
        for p in result.learned
    )
    return Table("", _columns("parameter", "unit", "before", "after the labs", "learned, of 100", text=2), rows)


def _band(band: Band, pen: Desk) -> str:
    return pen.band(band, bare=True)


def labs_count(result: Fit) -> int:
    """Labs that were drawn; run times that the session records lend are not among them."""
    return sum(lab.measurement.solute != RUN_TIME for lab in result.labs)


def labs(result: Fit, pen: Desk) -> Table:
    """Labs beside what was expected of them."""
    rows = []
    for lab in result.labs:
        m = lab.measurement
        flags = ", ".join(f.removeprefix("lab_").replace("_", " ") for f in lab.flags) or _NONE
        value = _lab_value(lab, pen)
        day = words.fixed(m.time_min / MINUTES_PER_DAY, 1, pen.sentences.numbers)
        cells = (quantity(m.solute, pen), flags, day, value, _band(lab.expected, pen), _band(lab.fitted, pen))
        rows.append((*cells, f"{100 * lab.weight_fraction:.0f}"))
    heads = ("lab", "flag", "day", "value", "expected", "fitted", "weight, of 100")
    return Table("", _columns(*heads, text=2), tuple(rows))


def _lab_value(lab: Judged, pen: Desk) -> str:
    """A lab in the unit of what was expected, with what was reported behind it where that is another unit."""
    m, unit, style = lab.measurement, lab.expected.unit, pen.sentences.numbers
    below = "< " if m.below_detection else ""
    text = f"{below}{words.honest(lab.value, style)} {words.unit(unit)}".strip()
    same = unit in (m.unit, "1")
    return text if same else f"{text} ({below}{words.honest(m.value, style)} {words.unit(m.unit)})"


def sessions(result: Fit, pen: Desk) -> Table:
    """Levels before and after each session, by the prior and by the posterior."""
    names = [name for name, _ in result.sessions[0].prior][:2]
    heads = ["session", "day"]
    for name in names:
        title = quantity(name, pen)
        heads += [f"{title} before, prior", f"{title} before, fitted", f"{title} after, fitted"]
    rows = []
    for s in result.sessions:
        cells = [f"{s.n}", f"{s.start_min / MINUTES_PER_DAY:.0f}"]
        for name in names:
            cells += [_band(dict(x)[name], pen) for x in (s.prior, s.posterior, s.posterior_after)]
        rows.append(tuple(cells))
    return Table("", _columns(*heads), tuple(rows))


def candidates(result: PlanRanking, pen: Desk) -> Table:
    """The courses that were run in full."""
    heads = (
        "course", "days", "chair, h", "nurse, h", "albumin, g", "cost, EUR", "fall, %", "fibrinogen before, g/L",
        "ionised calcium, mmol/L", "blood volume, %", "weakest limit, of 100",
    )  # fmt: skip
    return Table("", _columns(*heads), tuple(_candidate(c, pen) for c in result.ranked))


def short(c: Candidate, pen: Desk) -> str:
    """What is still to do, in short course words: sessions, dose, days and fluids."""
    return f"{_dose(c)} on {_days(c, pen)}, {fluids(c)}"


def brief(c: Candidate, pen: Desk) -> str:
    """The same for a figure: sessions, dose, first and last day."""
    found = [date.fromisoformat(d) for d in c.dates]
    style = pen.sentences.numbers
    first, last = (words.short_date(d, style) for d in (found[0], found[-1]))
    return f"{_dose(c)}, {first}" + (f" {style.to} {last}" if len(found) > 1 else "")


def fluids(c: Candidate) -> str:
    """The fluids of a course in their order."""
    return " then ".join(
        f"{'' if p.fraction == 1 else f'{100 * p.fraction:g} % '}{course_words.fluid_words(p.fluid)}"
        for p in c.course.prescription.fluids
    )


def _dose(c: Candidate) -> str:
    return f"{c.sessions_count} x {c.course.prescription.dose:g} PV"


def _days(c: Candidate, pen: Desk) -> str:
    """Days with each month once: 25, 26, 27 Feb, 2 Mar."""
    months: dict[str, list[str]] = {}
    for text in c.dates:
        d = date.fromisoformat(text)
        months.setdefault(pen.sentences.numbers.months_short[d.month - 1], []).append(str(d.day))
    return ", ".join(f"{', '.join(days)} {month}" for month, days in months.items())


def _candidate(c: Candidate, pen: Desk) -> tuple[str, ...]:
    values = dict(c.values)
    names = ("fall_percent", "fibrinogen_before_session", "ionised_calcium", "relative_blood_volume")
    told = (_band(values[n], pen) if n in values else _NONE for n in names)
    spent = (f"{math.ceil(c.days)}", f"{c.chair_h:.1f}", f"{c.staff_h:.1f}", f"{c.albumin_g:.0f}", f"{c.cost:.0f}")
    return (short(c, pen), *spent, *told, f"{100 * c.all_kept_probability:.0f}")


def limits(c: Candidate, pen: Desk) -> Table:
    """Every limit of one course with the probability that it is kept."""
    rows = tuple(
        (
            pen.say(f"limit_name.{k.limit}"),
            f"{k.bound:g} {words.unit(k.unit)}".strip(),
            f"{100 * k.probability:.0f}",
            "screened" if k.screened else "full",
        )
        for k in c.kept
    )
    return Table("", _columns("limit", "bound", "kept, of 100", "by", text=2), rows)


def endpoint(name: str, result: TrialSummary, pen: Desk) -> str:
    """An endpoint as the report writes it, marked where it rests on a screened formula."""
    text = pen.say(f"endpoint.{name}")
    return pen.say("trial.screened_mark", endpoint=text) if name in result.screened else text


def results(result: TrialSummary, pen: Desk) -> Table:
    """Endpoints down, arms across: mean with interval, or events of 100."""
    arms = [name for name, _ in result.arms]
    found = {(r.endpoint, r.arm): r for r in result.results}
    names = list(dict.fromkeys(r.endpoint for r in result.results))
    rows = []
    for name in names:
        unit = next(r.unit for r in result.results if r.endpoint == name)
        event = _event(found, name, arms)
        of = ", of 100" if event else f", {words.unit(unit)}" if unit != "1" else ""
        title = endpoint(name, result, pen) + of
        rows.append((title, *(_result(found.get((name, arm)), event) for arm in arms)))
    return Table("", _columns("endpoint", *arms), tuple(rows))


def _event(found: dict[tuple[str, str], ArmResult], name: str, arms: Sequence[str]) -> bool:
    kept = [found[name, a] for a in arms if (name, a) in found]
    return all(r.unit == "1" and r.p05 in (0.0, 1.0) and r.p95 in (0.0, 1.0) for r in kept) and name != "sessions_done"


def _result(r: ArmResult | None, event: bool) -> str:
    if r is None or r.patients_count == 0:
        return _NONE
    if event:
        return f"{100 * r.mean.value:.1f} ({100 * r.mean.low:.1f} to {100 * r.mean.high:.1f})"
    mean, low, high = (_three(v) for v in (r.mean.value, r.p05, r.p95))
    return f"{mean} ({low} to {high})"


def _three(value: float, *, signed: bool = False) -> str:
    """Three significant digits, 0 without any, a true minus sign."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else _NONE
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", words.MINUS)


def contrasts(result: TrialSummary, pen: Desk) -> Table:
    """Each arm against the first, with the size a real trial would need."""
    sizes = [n for n, _ in result.contrasts[0].power_at]
    arms = [name for name, _ in result.arms]
    found = {(r.endpoint, r.arm): r for r in result.results}
    events = {r.endpoint for r in result.results if _event(found, r.endpoint, arms)}
    heads = ("endpoint", "arm", "difference (95 %)", "patients per arm", *(f"power at {n}" for n in sizes))
    rows = tuple(
        (
            endpoint(c.endpoint, result, pen),
            c.arm,
            _difference(c, pen, event=c.endpoint in events),
            _NONE if c.patients_per_arm is None else f"{c.patients_per_arm}",
            *(f"{100 * p:.0f} %" for _, p in c.power_at),
        )
        for c in result.contrasts
    )
    return Table("", _columns(*heads, text=2), rows)


def _difference(c: Contrast, pen: Desk, *, event: bool) -> str:
    """A difference with its interval, in points of 100 for an event."""
    d: Estimated = c.difference
    if not math.isfinite(d.value):
        return _NONE
    if d.low == d.high == 0:
        return pen.say("trial.no_difference")
    by = 100.0 if event else 1.0
    unit = pen.say("trial.points") if event else words.unit(c.unit)
    low, high = _three(by * d.low), _three(by * d.high)
    return f"{_three(by * d.value, signed=True)} {unit}".strip() + f" ({low} to {high})"


def influence(name: str, pen: Desk) -> str:
    """An uncertain parameter as the report writes it: `igg resting level` is "IgG resting level"."""
    solute, _, rest = name.partition(" ")
    if pen.sentences.has(f"solute.{solute}"):
        return opening(f"{pen.word('solute', solute)} {rest.replace('_', ' ')}")
    return pen.say(f"influence.{name}")


def influences(result: TrialSummary, endpoint: str, pen: Desk) -> Table:
    """The parameters that explain more than 1 of 100 of an endpoint's variance, with their intervals."""
    rows = tuple(
        (influence(i.parameter, pen), _estimated(i.first), _estimated(i.total))
        for i in result.influences
        if i.endpoint == endpoint and i.total.value > SMALL_SHARE
    )
    return Table("", _columns("parameter", "alone, of 100", "in all, of 100"), rows)


def _estimated(e: Estimated) -> str:
    value, low, high = (f"{100 * min(max(v, 0.0), 1.0):.0f}" for v in (e.value, e.low, e.high))
    return f"{value} ({low} to {high})"


def percent(value: float) -> str:
    """A share of 100 in two digits; below 1 in 1,000 only that."""
    return "fewer than 0.1" if value < _LEAST_PERCENT else f"{value:.2g}"
