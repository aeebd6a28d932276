"""The figures of fit, plan and trial: prior beside posterior, fans before and after, trade-offs, forests, bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from opentpe.domain.consultation import Band, Series
from opentpe.domain.learning import Fit, PlanRanking, TrialSummary
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.report import plots
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.learning_tables import SMALL_SHARE, brief, fluids, influence, labs_count, parameter, quantity
from opentpe.report.learning_tables import endpoint as endpoint_name
from opentpe.report.plots import Interval, Point, Row, Scatter
from opentpe.report.sentences import opening
from opentpe.report.view import Figure, Measured, Panel

_TONES: Final = {"igg": "igg", "fibrinogen": "fibrinogen", "albumin": "albumin", "igm": "igm"}
_FANS: Final = 2  # solutes drawn before and after
_BARS: Final = 10  # parameters with the largest share of the variance
_ARM: Final = 26  # letters of an arm's name in a figure
_SHOWN_SD: Final = 1e-9
_NINETY: Final = 1.645  # standard deviations of a 90 % band


def _key(key: str, *, narrow: bool) -> str:
    """The name of a drawing in its page, where the wide and the narrow one stand together."""
    return f"{key}-narrow" if narrow else key


def parameters(result: Fit, pen: Desk, *, narrow: bool = False) -> str:
    """Prior and posterior of each parameter, relative to the prior's median."""
    rows = []
    for p in result.learned:
        middle = p.prior.median
        rows.append(
            Row(
                parameter(p.name, pen),
                (_interval(p.prior, middle, "quiet", filled=False), _interval(p.posterior, middle, "accent")),
            )
        )
    title = pen.say("fit.parameters")
    return plots.intervals(
        _key("parameters", narrow=narrow),
        title,
        title,
        rows,
        pen.say("fit.parameters_axis"),
        reference=1.0,
        logarithmic=True,
        narrow=narrow,
    )


def _interval(band: Band, by: float, tone: str, *, filled: bool = True) -> Interval:
    return Interval(band.p05 / by, band.median / by, band.p95 / by, tone, band.p25 / by, band.p75 / by, filled)


def fans(result: Fit, pen: Desk) -> Figure:
    """The forecast before and after the labs, with the labs as ringed dots; IgG and fibrinogen, or what there is."""
    names = [s.name for s in result.prior_series]
    chosen = [n for n in ("igg", "fibrinogen", *names) if n in names]
    panels = []
    for name in dict.fromkeys(chosen[:_FANS] + [n for n in names if _measured(result, n)][:_FANS]):
        pair = [next(s for s in found if s.name == name) for found in (result.prior_series, result.posterior_series)]
        top = max(max(s.p95) for s in pair)
        for code, series in zip(("fit.before_labs", "fit.after_labs"), pair, strict=True):
            panels.append(_panel(series, code, result, pen, top))
    last = result.sessions[-1].start_min / MINUTES_PER_DAY
    until = 7.0 * math.ceil((last + 14) / 7)
    marks = tuple((s.start_min / MINUTES_PER_DAY, str(s.n)) for s in result.sessions)
    about = " ".join(_describe(p.series, pen) for p in panels[1::2])
    return Figure("fit", pen.say("fit.fans"), about, tuple(panels), pen.say("axis.days"), "day", until, marks)


def _panel(series: Series, code: str, result: Fit, pen: Desk, top: float) -> Panel:
    title = pen.say(code, name=quantity(series.name, pen))
    tone = _TONES.get(series.name, "drug")
    return Panel(
        series, title, words.unit(series.unit), tone, (), _measured(result, series.name), at_least=top,
        label=quantity(series.name, pen),
    )  # fmt: skip


def _measured(result: Fit, name: str) -> tuple[Measured, ...]:
    found = []
    for lab in result.labs:
        m = lab.measurement
        if m.solute == name and not m.below_detection:
            wide = math.exp(_NINETY * lab.error_sd)
            found.append(Measured(m.time_min, lab.value, lab.value / wide, lab.value * wide))
    return tuple(found)


def _describe(series: Series, pen: Desk) -> str:
    first, low, last = (f"{v:.2g}" for v in (series.median[0], min(series.median), series.median[-1]))
    return pen.say(
        "fit.describe", name=quantity(series.name, pen), first=first, low=low, last=last, unit=words.unit(series.unit)
    )


def steps(fits: Sequence[Fit], pen: Desk, *, narrow: bool = False) -> str:
    """How the band before the last session narrowed, one row for each sample more."""
    rows = []
    name = fits[0].sessions[-1].posterior[0][0]
    for n, f in enumerate(fits):
        band = dict(f.sessions[-1].posterior)[name]
        rows.append(Row(_labs(f, pen), (_interval(band, 1.0, "accent", filled=n > 0),)))
    title = pen.say("fit.steps")
    last = fits[0].sessions[-1]
    unit = words.unit(dict(last.posterior)[name].unit)
    axis = pen.say("fit.steps_axis", name=quantity(name, pen), session=last.n, unit=unit)
    return plots.intervals(_key("steps", narrow=narrow), title, title, rows, axis, narrow=narrow)


def step_fans(fits: Sequence[Fit], pen: Desk) -> Figure:
    """The fan of the first solute before any lab and after each sample in turn, on one scale."""
    name = fits[0].posterior_series[0].name
    found = [next(s for s in f.posterior_series if s.name == name) for f in fits]
    top = max(max(s.p95) for s in found)
    tone = _TONES.get(name, "drug")
    panels = tuple(
        Panel(
            series,
            f"{quantity(name, pen)}, {_labs(f, pen)}",
            words.unit(series.unit),
            tone,
            (),
            _measured(f, name),
            at_least=top,
            label=quantity(name, pen),
        )
        for f, series in zip(fits, found, strict=True)
    )
    fan = fans(fits[-1], pen)
    about = _describe(found[-1], pen)
    return Figure("steps", pen.say("fit.steps"), about, panels, fan.axis, fan.per, fan.until, fan.marks)


def _labs(f: Fit, pen: Desk) -> str:
    count = labs_count(f)
    return pen.say("fit.steps_row", labs=count) if count else pen.say("fit.steps_none")


def comparison(result: PlanRanking, pen: Desk, *, narrow: bool = False) -> str:
    """Fibrinogen before the lowest session of each course that was run in full, with the limit."""
    rows = []
    for n, c in enumerate(result.ranked):
        band = dict(c.values)["fibrinogen_before_session"]
        interval = _interval(band, 1.0, "quiet" if n else "accent")
        rows.append(Row(f"{n + 1}: {brief(c, pen)}", (interval,), fluids(c)))
    bound = next(k.bound for k in result.ranked[0].kept if k.limit == "fibrinogen_before_session")
    title = pen.say("plan.comparison")
    return plots.intervals(
        _key("comparison", narrow=narrow), title, title, rows, title, reference=bound, label_width=440, narrow=narrow
    )


def tradeoffs(result: PlanRanking, pen: Desk, *, narrow: bool = False) -> str:
    """Days against fall, and days against fibrinogen, of every course that nothing beats; the first one filled."""
    best, names = result.ranked[0], ("fall_percent", "fibrinogen_before_session")
    panels = []
    for name, axis in zip(names, ("%", "g/L"), strict=True):
        points = [Point(c.days, dict(c.values)[name].median, square=c.weekend_sessions_count > 0) for c in result.front]
        points.append(
            Point(best.days, dict(best.values)[name].median, chosen=True, square=best.weekend_sessions_count > 0)
        )
        title = pen.say(f"screened_name.{'igg_fall' if name == 'fall_percent' else name}")
        panels.append(Scatter(opening(title), axis, tuple(points)))
    return plots.scatter(_key("tradeoffs", narrow=narrow), pen.say("plan.tradeoffs"), pen.say("plan.tradeoffs"), panels,
                         pen.say("plan.tradeoffs_axis"), narrow=narrow)  # fmt: skip


def contrasts(result: TrialSummary, pen: Desk, *, narrow: bool = False) -> str:
    """Each difference in standard deviations between patients, with its interval."""
    spread = {(r.endpoint, r.arm): r.sd for r in result.results}
    rows: list[Row] = []
    named = ""
    for c in result.contrasts:
        pair = [spread.get((c.endpoint, a), 0.0) for a in (c.arm, c.against)]
        sd = math.sqrt(sum(s * s for s in pair) / 2)
        if sd > _SHOWN_SD and math.isfinite(c.difference.value):
            d = c.difference
            label = "" if c.endpoint == named else endpoint_name(c.endpoint, result, pen)
            named = c.endpoint
            arm = c.arm if len(c.arm) <= _ARM else f"{c.arm[: _ARM - 1]}…"
            rows.append(Row(label, (Interval(d.low / sd, d.value / sd, d.high / sd, "accent"),), arm))
    if not rows:
        return ""
    against = result.arms[0][0]
    title = pen.say("trial.contrasts", against=against)
    axis = pen.say("trial.contrasts_axis", against=against)
    return plots.intervals(
        _key("contrasts", narrow=narrow), title, title, rows, axis, reference=0.0, label_width=460, narrow=narrow
    )


def influences(result: TrialSummary, endpoint: str, pen: Desk, *, narrow: bool = False) -> str:
    """The parameters that explain most of an endpoint's variance."""
    found = [i for i in result.influences if i.endpoint == endpoint and i.total.value > SMALL_SHARE][:_BARS]
    rows = [(influence(i.parameter, pen), i.first.value, i.total.value) for i in found]
    title = pen.say("trial.influences", endpoint=endpoint_name(endpoint, result, pen))
    return plots.bars(
        _key(f"influences-{endpoint.replace('_', '-')}", narrow=narrow),
        title,
        title,
        rows,
        pen.say("trial.influences_axis"),
        narrow=narrow,
    )
