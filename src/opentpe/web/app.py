"""The application, put together: `create_app(settings, store, library, clock)`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx
from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles

from opentpe import __version__
from opentpe.evidence.load import Library
from opentpe.pathway.book import Pathway
from opentpe.pathway.unit import settings as unit_settings
from opentpe.records.kinds import Setting
from opentpe.records.store import Store
from opentpe.web import admin, api, auth, cds_hooks, oidc, pages, paper, problems, smart, write_back
from opentpe.web.clinic import Clinic
from opentpe.web.security import Guard
from opentpe.web.settings import Settings, check

NOTICE: Final = "Planning support, education and research. Not a medical device."


def create_app(
    settings: Settings,
    store: Store,
    library: Library,
    clock: Callable[[], datetime],
    transport: httpx.BaseTransport | None = None,
) -> FastAPI:
    """The application of one unit; `store` is prepared. InputError where the settings are not safe."""
    check(settings)
    app = FastAPI(
        title="OpenTPE",
        version=__version__,
        summary=NOTICE,
        openapi_url="/openapi.json",
        docs_url=None,  # the interactive pages load scripts from elsewhere
        redoc_url=None,
    )
    unit = unit_settings(library, Path(settings.unit_file) if settings.unit_file else None)
    app.state.clinic = Clinic(settings, store, library, clock, Pathway.of(library), unit, transport)
    app.state.templates = paper.environment()
    problems.install(app)
    services = (auth.router, oidc.router, smart.router, api.routes(), admin.router, write_back.router, cds_hooks.router)
    for router in (*services, *pages.ROUTERS):
        app.include_router(router)
    app.add_api_route("/health", health, methods=["GET"], tags=["service"])
    if paper.STATIC.is_dir():
        app.mount("/static", StaticFiles(directory=paper.STATIC), name="static")
    app.add_middleware(Guard, settings=settings, clock=clock)
    return app


def health(request: Request) -> dict[str, str]:
    """That the server answers and the records can be read; 503 where they cannot."""
    clinic: Clinic = request.app.state.clinic
    clinic.store.count(Setting)
    return {"status": "ok", "version": __version__, "evidence": clinic.library.digest}
