"""Checks the evidence library: `python -m opentpe.evidence.check` names every entry that breaks a rule.

Rules: a status of the closed set; sources exist in `references.toml`; a value that is neither design, derived,
calibrated nor recalled names its source; no bare number where sourced values live; every reference is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import tomli

from opentpe.domain.sourced import Status
from opentpe.errors import EvidenceError
from opentpe.evidence.load import ROOT, Library, is_sourced, load

# Files in which every number must be a sourced value.
_SOURCED_FOLDERS: Final = ("solutes/", "equations/", "equipment/", "fluids/", "populations/", "limits")
# Plain numbers that describe, rather than claim: shapes of tables.
_DESCRIPTIVE: Final = frozenset({"order", "edition", "year", "version", "schema", "priority_rank"})
_NEEDS_SOURCE: Final = (Status.PRIMARY, Status.SECONDARY)


def problems(library: Library) -> list[str]:
    """One sentence per broken rule, empty where the library is sound."""
    found = [*_bad_values(library), *_bare_numbers(library)]
    return found or list(_unused(library))


def _bad_values(library: Library) -> Iterator[str]:
    try:
        for sourced in library.all_sourced():
            for source in (sourced.source, *(e.source for e in sourced.estimates)):
                if source and source not in library.citations:
                    yield f"{sourced.key}: source {source!r} is not in references.toml"
            if sourced.status in _NEEDS_SOURCE and not sourced.source:
                yield f"{sourced.key}: status {sourced.status} names no source"
    except EvidenceError as error:
        yield str(error)


def _bare_numbers(library: Library) -> Iterator[str]:
    for file, document in library.documents.items():
        if file.startswith(_SOURCED_FOLDERS):
            for path in _numbers(document, ""):
                yield f"{file}.{path}: a bare number; write it as a sourced value"


def _numbers(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, bool) or is_sourced(node):
        return
    if isinstance(node, int | float):
        if path.rsplit(".", 1)[-1] not in _DESCRIPTIVE:
            yield path
    elif isinstance(node, Mapping):
        for name, child in node.items():
            yield from _numbers(child, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for child in node:
            yield from _numbers(child, path)


def _unused(library: Library) -> Iterator[str]:
    used = {s for document in (*library.documents.values(), *_studies()) for s in _mentions(document)}
    for key in library.citations:
        if key not in used:
            yield f"references.toml: {key!r} is cited nowhere"


def _studies() -> Iterator[Any]:
    """The validation studies of a checkout, which cite too."""
    for file in sorted((ROOT.parents[2] / "validation").rglob("*.toml")):
        yield tomli.loads(file.read_text(encoding="utf-8"))


def _mentions(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, child in node.items():
            if name == "source" and isinstance(child, str):
                yield child
            elif name == "sources" and isinstance(child, list):
                yield from (str(c) for c in child)
            else:
                yield from _mentions(child)
    elif isinstance(node, list):
        for child in node:
            yield from _mentions(child)


def main() -> int:
    """Prints the problems; exit 1 where there are any."""
    library = load()
    found = problems(library)
    for line in found:
        sys.stderr.write(line + "\n")
    count = sum(1 for _ in library.all_sourced())
    sys.stdout.write(f"evidence: {count} sourced values, {len(library.citations)} sources, {len(found)} problems\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
