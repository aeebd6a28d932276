"""Pages from templates: escaped by default, with who is asking and the CSRF value at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

FOLDER: Final = Path(__file__).parent / "templates"
STATIC: Final = Path(__file__).parent / "static"


def environment() -> Environment:
    """The templates of the application; a missing name is an error, not a blank."""
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(request: Request, name: str, words: dict[str, Any], status: int = 200) -> HTMLResponse:
    """A page; `words` fill the template, `person`, `demo` and `language` are always there."""
    here = request.app.state.clinic
    always: dict[str, Any] = {"person": None, "error": "", "name": "", "oidc_label": "", "next": "/"}
    always |= {"demo": here.settings.demo, "language": here.settings.language, "request": request}
    text = request.app.state.templates.get_template(name).render(**(always | words))
    return HTMLResponse(text, status)
