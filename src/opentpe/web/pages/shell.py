"""What every page stands in: navigation, theme, units, and the same content as HTML or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from opentpe.domain.documents import encode
from opentpe.records.store import Kept
from opentpe.web import paper
from opentpe.web.people import Person

# Name, address, and what the role must be allowed to do.
PAGES: Final = (
    ("Board", "/board", "read"),
    ("Patients", "/patients", "read"),
    ("Consult", "/consult", "train"),
    ("Planner", "/planner", "train"),
    ("Trainer", "/trainer", "train"),
    ("Evidence", "/evidence", "train"),
)


def units_of(request: Request) -> str:
    """Metric or conventional, as the reader chose."""
    return "conventional" if request.cookies.get("opentpe_units") == "conventional" else "metric"


def theme_of(request: Request) -> str:
    """Light, dark, or auto where the reader did not choose."""
    chosen = request.cookies.get("opentpe_theme", "auto")
    return chosen if chosen in ("light", "dark") else "auto"


def as_json(request: Request) -> bool:
    """True for the `.json` twin of a page."""
    return request.url.path.endswith(".json")


def show(request: Request, person: Person, name: str, data: Mapping[str, Any], status: int = 200) -> Response:
    """The page, or its data as JSON where the twin was asked for; `data` is what the page is about and nothing else."""
    if as_json(request):
        return JSONResponse(plain(data), status)
    template, here, title = name.split("|")
    words = {
        "title": title, "here": here, "pages": PAGES, "person": person, "units": units_of(request),
        "theme": theme_of(request), "twin": f"{request.url.path}.json",
    }  # fmt: skip
    return paper.page(request, template, words | dict(data), status)


def plain(value: Any) -> Any:
    """JSON values of what a page shows: domain values, records, models and their collections."""
    if isinstance(value, Kept):
        return value.said()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return encode(value)
