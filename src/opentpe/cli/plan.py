"""`opentpe plan`: which course next, for this patient, under the unit's limits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from opentpe.cli import common, learning
from opentpe.errors import InputError

Limits = Annotated[
    list[str] | None, typer.Option("--limit", help="A limit of your own: fibrinogen_before_session=1.2.")
]


def command(
    course: learning.CourseFile,
    patient: learning.Bundle = None,
    lab: learning.LabText = None,
    goal: Annotated[str, typer.Option("--goal", help="days, fall or chair.")] = "days",
    target: Annotated[str, typer.Option("--target", help="What has to fall: igg, or a drug.")] = "igg",
    limit: Limits = None,
    probability: Annotated[
        float | None, typer.Option("--probability", min=0, max=1, help="To keep each limit.")
    ] = None,
    weekends: Annotated[bool, typer.Option("--weekends", help="Sessions also on days the unit is closed.")] = False,
    access: Annotated[list[str] | None, typer.Option("--access", help="Another access to consider.")] = None,
    sex: Annotated[str | None, typer.Option("--sex", help="F or M.")] = None,
    age: learning.Number = None,
    height_cm: learning.Number = None,
    weight_kg: learning.Number = None,
    hct: learning.Number = None,
    on: common.On = None,
    unit: common.UnitFile = None,
    evidence: common.Overlay = None,
    seed: common.Seed = 20_260_101,
    out: learning.Out = Path("out"),
    as_json: common.AsJson = False,
) -> None:
    """Rank the next courses: limits with their probabilities, why the first one won, what weekends cost.

    Sessions may start from the day after --on where some were done, else from that day.
    """
    from opentpe.domain import documents
    from opentpe.report import learning as pages
    from opentpe.report import learning_text
    from opentpe.simulation import plan
    from opentpe.simulation.choice import Wish

    common.compile_once()
    library = common.library(evidence)
    read = learning.course(course, lab or [])
    who = learning.subject(course, patient, on, library, sex, age, height_cm, weight_kg, hct)
    done = any(p.status in ("performed", "partial") for p in read.performed)
    first = common.day(on) + timedelta(days=1 if done else 0)
    wish = Wish(goal, target, tuple(_limit(t) for t in limit or ()), probability, weekends, tuple(access or ()))
    settings = common.unit_settings(library, unit)
    common.compile_once()
    result = plan.plan(who, read, library, settings, first=first, wish=wish, seed=seed)
    if as_json:
        common.print_json(documents.document("plan", result))
        return
    view = pages.plan_view(result, library)
    learning_text.print_view(view)
    learning.leave("plan", pages.html(view), result, out)


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise InputError("--limit", repr(text), "name=number, such as fibrinogen_before_session=1.2") from None
