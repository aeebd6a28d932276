"""The pages of the clinic: consult, plan, run, train, explain. Each is a route with a `.json` twin."""

from __future__ import annotations

from fastapi import APIRouter

from opentpe.web.pages import assets, board, consult, course, entry, evidence, papers, planner

ROUTERS: tuple[APIRouter, ...] = (
    assets.router,
    board.router,
    course.router,
    entry.router,
    consult.router,
    papers.router,
    planner.router,
)
