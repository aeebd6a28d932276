"""Evidence: every number with its rivals, source, status and use; every code; and how the model fared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from opentpe.domain.sourced import Code, Sourced
from opentpe.errors import EvidenceError
from opentpe.evidence.load import Library
from opentpe.report import words_of_numbers as numbers
from opentpe.web.clinic import Here
from opentpe.web.pages import examples, shell
from opentpe.web.people import Trainee

router: Final = APIRouter(include_in_schema=False)
SHOWN: Final = 60
PACKAGE: Final = Path(__file__).parents[2]
Asked = Annotated[str, Query(max_length=100)]
# Shapes without a unit of their own; the rest of a unit is written as it is read.
_UNIT: Final = re.compile(
    r"_(per_d|per_h|per_min|d|h|min|s|ml_min|ml_kg|ml|mmol_l|g_l|mg_l|kg|cm|mm_hg|mmhg|fraction|ratio|count|cel|ms)$"
)
_NAME: Final = re.compile(r"""["'.]([A-Za-z_]\w*)""")


@router.get("/evidence")
@router.get("/evidence.json")
def page(
    request: Request, here: Here, person: Trainee, q: Asked = "", status: Asked = "", file: Asked = ""
) -> Response:
    """Values and codes that fit the search, with everything known about each."""
    everything, codes = list(here.library.all_sourced()), list(here.library.codes())
    found = [s for s in everything if fits(s, q, status, file)]
    coded = [c for c in codes if code_fits(c, q, status, file)]
    some = None if shell.as_json(request) else SHOWN
    data = {
        "q": q,
        "status": status,
        "file": file,
        "library": here.library.digest[:12],
        "overlays": here.library.overlaid,
        "found": len(found),
        "counts": dict(Counter([*(s.status.value for s in everything), *(c.status.value for c in codes)])),
        "files": dict(Counter([*(s.key.split(".")[0] for s in everything), *(c.key.split(".")[0] for c in codes)])),
        "values": [told(s, here.library) for s in found[:some]],
        "codes_found": len(coded),
        "codes": [code_told(c, here.library) for c in coded[:some]],
    }
    return shell.show(request, person, "evidence.html|Evidence|Evidence", data)


def fits(value: Sourced, q: str, status: str, file: str) -> bool:
    """True where every word stands in the key, the reason or the source."""
    return _fits(value, f"{value.key} {value.why} {value.source}", q, status, file)


def code_fits(code: Code, q: str, status: str, file: str) -> bool:
    """True where every word stands in what the code means, its title, its system, itself or its source."""
    return _fits(code, f"{code.fact} {code.title} {code.system} {code.code} {code.why} {code.source}", q, status, file)


def _fits(entry: Sourced | Code, text: str, q: str, status: str, file: str) -> bool:
    text = text.casefold().replace("_", " ")
    named = all(word in text for word in q.casefold().replace("_", " ").split())
    return named and status in ("", entry.status.value) and file in ("", entry.key.split(".")[0])


def code_told(code: Code, library: Library) -> dict[str, str]:
    """One code: what it stands for, its system and title, how well that is known and from where."""
    return {
        "key": code.key,
        "fact": code.fact,
        "system": code.system,
        "code": code.code,
        "title": code.title,
        "status": code.status.value,
        "source": cite(library, code.source),
        "locator": code.locator,
        "why": code.why,
    }


def told(value: Sourced, library: Library) -> dict[str, Any]:
    """One value in words: number, unit, status, source in full, rivals, range, and where it is used."""
    return {
        "key": value.key,
        "name": value.key.split(".", 1)[-1].replace("_", " ").replace(".", ", "),
        "file": value.key.split(".")[0],
        "value": f"{value.value:g}",
        "unit": numbers.unit(value.unit) or _unit(value.key),
        "status": value.status.value,
        "why": value.why,
        "locator": value.locator,
        "source": cite(library, value.source),
        "prior": f"{value.prior.low:g} to {value.prior.high:g}, {value.prior.shape}" if value.prior else "",
        "validity": [f"{n.replace('_', ' ')} {low:g} to {high:g}" for n, low, high in value.validity.ranges],
        "rivals": [
            {
                "value": f"{e.value:g}", "status": e.status.value, "source": cite(library, e.source),
                "locator": e.locator, "population": e.population,
            }
            for e in value.estimates
        ],
        "used": used(value.key),
    }  # fmt: skip


def _unit(key: str) -> str:
    found = _UNIT.search(key)
    if found and found[1] in ("mm_hg", "mmhg"):
        return "mmHg"
    return found[1].replace("per_", "/").replace("_", "/") if found and found[1] not in ("fraction", "ratio") else ""


def cite(library: Library, key: str) -> str:
    """A source in full with its DOI or PMID; empty for none."""
    if not key:
        return ""
    try:
        c = library.citation(key)
    except EvidenceError:
        return key
    ids = [t for t in (f"doi {c.doi}" if c.doi else "", f"PMID {c.pmid}" if c.pmid else "") if t]
    return ". ".join([c.text.rstrip("."), *ids])


def used(key: str) -> list[str]:
    """Modules that name the value: where to look for what it does."""
    return list(_named_in().get(key.rsplit(".", 1)[-1], ()))[:6]


@lru_cache(maxsize=1)
def _named_in() -> dict[str, tuple[str, ...]]:
    """Every name that stands behind a quote or a dot in a module, with the modules."""
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "web" in path.parts or "migrations" in path.parts:
            continue
        for name in set(_NAME.findall(path.read_text(encoding="utf-8"))):
            found.setdefault(name, []).append(path.relative_to(PACKAGE).as_posix())
    return {name: tuple(modules) for name, modules in found.items()}


@router.get("/validation")
@router.get("/validation.json")
def validation(request: Request, here: Here, person: Trainee) -> Response:
    """How the model fared against studies; misses stay in it."""
    parts = list(tables(report()))
    data = {"parts": parts, "library": here.library.digest[:12]}
    return shell.show(request, person, "validation.html|Evidence|Validation", data)


def report() -> str:
    """The page that `make validate` wrote; empty where it is not installed."""
    place = examples.folder()
    path = place.parent / "docs" / "validation.md" if place else None
    return path.read_text(encoding="utf-8") if path and path.is_file() else ""


def tables(text: str) -> Iterator[dict[str, Any]]:
    """Headings with their paragraphs and tables, out of the written page."""
    part: dict[str, Any] | None = None
    for line in text.splitlines():
        if line.startswith("#"):
            if part:
                yield part
            part = {"title": line.lstrip("# "), "texts": [], "head": [], "rows": []}
        elif part is None or not line.strip():
            continue
        elif line.startswith("|"):
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if set("".join(cells)) <= set("-: "):
                continue
            part["rows" if part["head"] else "head"].append(cells) if part["head"] else part.update(head=cells)
        else:
            part["texts"].append(line.strip())
    if part:
        yield part
