"""The pages of the clinic: consult, plan, run, train, explain. Each is a route with a `.json` twin."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from opentpe.web.pages import (
    assets,
    board,
    consult,
    course,
    entry,
    events,
    evidence,
    papers,
    patients,
    planner,
    sheet,
    trainer,
)

ROUTERS: Final[tuple[APIRouter, ...]] = tuple(
    page.router
    for page in (assets, board, consult, sheet, patients, course, entry, events, evidence, papers, planner, trainer)
)
