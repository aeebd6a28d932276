"""Fit, plan and trial as one page each: a headline, what to look at first, figures, tables, what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from opentpe.domain.consultation import Band, Line, Versions
from opentpe.domain.learning import Fit, PlanRanking, TrialSummary
from opentpe.evidence.load import Library
from opentpe.report import figures, learning_figures, learning_tables, render, sentences
from opentpe.report.desk import Desk
from opentpe.report.view import Figure, Table


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the page: sentences, then a drawing or a figure over time, then a table."""

    title: str
    items: tuple[str, ...] = ()
    drawing: str = ""
    narrow: str = ""  # the same for a phone
    figure: Figure | None = None
    table: Table | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningView:
    """A page: everything said, every number written."""

    title: str
    notice: str
    headline: str
    below: tuple[str, ...]
    tone: str  # act | wait: whether something has to be looked at first
    parts: tuple[Part, ...]
    footer: str


def _both(draw: Callable[..., str], *what: Any) -> dict[str, Any]:
    """A drawing for a page and for a phone, as `Part` takes them."""
    return {"drawing": draw(*what), "narrow": draw(*what, narrow=True)}


def desk(library: Library, language: str = "en") -> Desk:
    """What the pages are written with."""
    return Desk(sentences.load(sentences.spoken("learning", language)), {}, library)


def html(view: LearningView, *, fixed: bool = False) -> str:
    """The page as HTML that needs nothing else."""

    def drawing(svg: str) -> Markup:
        return Markup(figures.fixed(svg) if fixed else svg)  # noqa: S704 - our own SVG, its texts are escaped

    return render.page("learning.html.j2", view=view, language="en", fixed=fixed, drawing=drawing)


def say(lines: Sequence[Line], pen: Desk) -> tuple[str, ...]:
    """Lines in words; names of parameters and limits as the report writes them."""
    return tuple(_said(line, pen) for line in lines)


def _said(line: Line, pen: Desk) -> str:
    values = {}
    for name, value in line.values:
        if name == "parameter":
            values[name] = learning_tables.parameter(str(value), pen)
        elif name == "limit" and pen.sentences.has(f"limit_name.{value}"):
            values[name] = pen.say(f"limit_name.{value}").rsplit(",", 1)[0]
        elif name == "endpoints":
            values[name] = ", ".join(pen.say(f"endpoint.{e}") for e in str(value).split("|"))
        else:
            values[name] = pen.named(value)
    return sentences.opening(pen.sentences.say(line.code, values))


def _footer(versions: Versions | None, pen: Desk) -> str:
    if versions is None:
        return pen.say("learning.notice")
    made = pen.say(
        "learning.made", opentpe=versions.opentpe, library=versions.library[:12], seed=versions.seed,
        draws=versions.draws_count,
    )  # fmt: skip
    return f"{made} {pen.say('learning.notice')}"


def fit_view(result: Fit, library: Library, steps: Sequence[Fit] = (), language: str = "en") -> LearningView:
    """The page of a fit; `steps` are the fits after each sample in turn."""
    pen = desk(library, language)
    alarms = say(result.alarms, pen)
    volume = next(p for p in result.learned if p.name == "plasma_volume")
    parts = [
        Part(pen.say("fit.alarms"), alarms) if alarms else None,
        Part(
            pen.say("fit.parameters"),
            **_both(learning_figures.parameters, result, pen),
            table=learning_tables.learned(result, pen),
            notes=(pen.say("fit.parameters_note"),),
        ),
        Part(pen.say("fit.fans"), figure=learning_figures.fans(result, pen)),
        _steps(steps, pen) if len(steps) > 1 else None,
        Part(pen.say("fit.labs"), table=learning_tables.labs(result, pen)) if result.labs else None,
        Part(pen.say("fit.sessions"), table=learning_tables.sessions(result, pen), notes=(_weighed(result, pen),)),
    ]
    return LearningView(
        title=pen.say("fit.title"),
        notice=pen.say("learning.notice"),
        headline=_fit_headline(result, volume.posterior, pen),
        below=(result.words, *(() if alarms else (pen.say("fit.no_alarm"),))),
        tone="wait" if alarms else "act",
        parts=tuple(p for p in parts if p is not None),
        footer=_footer(result.versions, pen),
    )


def _steps(steps: Sequence[Fit], pen: Desk) -> Part:
    return Part(
        pen.say("fit.steps"), **_both(learning_figures.steps, steps, pen), figure=learning_figures.step_fans(steps, pen)
    )


def _fit_headline(result: Fit, volume: Band, pen: Desk) -> str:
    ahead = next((s for s in result.sessions if not s.performed and s.n > 1), None)
    done = sum(s.performed for s in result.sessions)
    told = {
        "labs": learning_tables.labs_count(result), "done": done, "sessions": len(result.sessions),
        "volume": pen.band(volume),
    }  # fmt: skip
    if ahead is None or not result.labs:
        return pen.say("fit.headline_done", **told)
    name = ahead.prior[0][0]
    wide, narrow = (dict(x)[name] for x in (ahead.prior, ahead.posterior))
    share = round(100 * (narrow.p95 - narrow.p05) / (wide.p95 - wide.p05))
    return pen.say("fit.headline", next=ahead.n, share=share, **told)


def _weighed(result: Fit, pen: Desk) -> str:
    return pen.say(
        "fit.weighed",
        rows=round(result.effective_sample_size),
        draws=result.versions.draws_count if result.versions else 0,
        rounds=result.rounds_count,
        probability=learning_tables.percent(100 * result.conflict_probability),
    )


def plan_view(result: PlanRanking, library: Library, language: str = "en") -> LearningView:
    """The page of a plan."""
    pen = desk(library, language)
    why, best = say(result.why, pen), result.ranked[0]
    screened = ", ".join(pen.say(f"screened_name.{n}") for n in result.screened)
    needed = round(100 * library.value("plan.kept_probability"))
    parts = [
        Part(pen.say("plan.why"), why[1:]),
        Part(pen.say("plan.weekends"), say(result.weekends, pen)),
        Part(
            pen.say("plan.table"),
            **_both(learning_figures.comparison, result, pen),
            table=learning_tables.candidates(result, pen),
        ),
        Part(pen.say("plan.limits"), table=learning_tables.limits(best, pen)),
    ]
    if result.front:
        parts.append(Part(pen.say("plan.tradeoffs"), **_both(learning_figures.tradeoffs, result, pen)))
    counted = pen.say("plan.counted", candidates=result.candidates_count, allowed=result.allowed_count, needed=needed)
    return LearningView(
        title=pen.say("plan.title"),
        notice=pen.say("learning.notice"),
        headline=why[0],
        below=(counted, pen.say("plan.no_target"), pen.say("plan.screened", names=screened)),
        tone="act" if result.allowed_count else "wait",
        parts=tuple(parts),
        footer=_footer(result.versions, pen),
    )


def trial_view(result: TrialSummary, library: Library, language: str = "en") -> LearningView:
    """The page of a virtual trial."""
    pen = desk(library, language)
    against = result.arms[0][0]
    parts = [
        Part(
            pen.say("trial.arms"), tuple(f"{name}: {words}" if name != words else name for name, words in result.arms)
        ),
        Part(pen.say("trial.results"), table=learning_tables.results(result, pen)),
    ]
    if result.contrasts:
        parts.append(
            Part(
                pen.say("trial.contrasts", against=against),
                **_both(learning_figures.contrasts, result, pen),
                table=learning_tables.contrasts(result, pen),
            )
        )
    for endpoint in dict.fromkeys(i.endpoint for i in result.influences):
        title = pen.say("trial.influences", endpoint=learning_tables.endpoint(endpoint, result, pen))
        parts.append(
            Part(
                title,
                **_both(learning_figures.influences, result, endpoint, pen),
                table=learning_tables.influences(result, endpoint, pen),
                notes=(pen.say("trial.influences_note"),),
            )
        )
    rate = pen.say("trial.rate", rate=f"{result.rate_per_s:.0f}", digest=result.digest[:16])
    rate = f"{pen.say(f'trial.device_{result.device}')} {rate}"
    return LearningView(
        title=pen.say("trial.title", name=result.name),
        notice=pen.say("learning.notice"),
        headline=pen.say(
            "trial.headline", patients=result.patients_count, population=pen.say(f"population.{result.population}")
        ),
        below=say(result.notes, pen),
        tone="act",
        parts=tuple(parts),
        footer=f"{rate} {_footer(result.versions, pen)}",
    )
