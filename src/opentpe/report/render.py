"""The report as one HTML page that needs nothing else: styles, figures and words inside, no script."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from opentpe.report import figures
from opentpe.report import sentences as words
from opentpe.report.view import Figure, ReportView

TEMPLATES: Final = Path(__file__).parent / "templates"


def html(view: ReportView) -> str:
    """The whole report as a page of its own."""
    return page("report.html.j2", view=view, language=view.language)


def pdf(view: ReportView) -> bytes:
    """The report as PDF through WeasyPrint (extra `pdf`); raises `ImportError` where it is not installed."""
    import weasyprint  # noqa: PLC0415 - an extra, loaded only when a PDF is asked for

    text = page("report.html.j2", view=view, language=view.language, fixed=True)
    return bytes(weasyprint.HTML(string=text).write_pdf())


def page(template: str, **values: Any) -> str:
    """A template filled; `language` and `fixed` (ink instead of variables) steer the figures."""
    language, fixed = values.get("language", "en"), values.setdefault("fixed", False)
    decimal = words.load(language).numbers.decimal

    def drawn(figure: Figure, *, narrow: bool = False) -> Markup:
        return Markup(figures.svg(figure, narrow=narrow, variables=not fixed, decimal=decimal))  # noqa: S704 - our own SVG, its texts are escaped

    return _environment().get_template(template).render(drawn=drawn, **values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        bytecode_cache=_compiled(),
    )


def _compiled() -> FileSystemBytecodeCache | None:
    """This user's compiled templates in the temporary folder; None where none can be kept. Half a report's time."""
    try:
        return FileSystemBytecodeCache()
    except (OSError, RuntimeError):
        return None
