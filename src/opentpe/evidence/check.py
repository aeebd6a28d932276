"""Checks the evidence library: `python -m opentpe.evidence.check` names every entry that breaks a rule.

Rules: a status of the closed set; sources exist in `references.toml`; a value that is neither design, derived,
calibrated nor recalled names its source; no bare number where sourced values live; a terminology code has a status
and, unless recalled, source and locator, ends in the check digit of its system, and means one thing; every reference
is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import tomli

from opentpe.domain.sourced import Status
from opentpe.errors import EvidenceError
from opentpe.evidence import check_digits
from opentpe.evidence.load import ROOT, Library, is_sourced, load

# Files in which every number must be a sourced value.
_SOURCED_FOLDERS: Final = ("solutes/", "equations/", "equipment/", "fluids/", "populations/", "limits")
# Plain numbers that describe, rather than claim: shapes of tables.
_DESCRIPTIVE: Final = frozenset({"order", "edition", "year", "version", "schema", "priority_rank"})
_NEEDS_SOURCE: Final = (Status.PRIMARY, Status.SECONDARY)


def problems(library: Library) -> list[str]:
    """One sentence per broken rule, empty where the library is sound."""
    found = [*_bad_values(library), *_bad_codes(library), *_bare_numbers(library)]
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


def _bad_codes(library: Library) -> Iterator[str]:
    """Codes without source or locator, with a wrong check digit or two meanings in one domain, and idle titles."""
    try:
        codes = list(library.codes())
    except EvidenceError as error:
        yield str(error)
        return
    meaning: dict[tuple[str, str, str], str] = {}
    for c in codes:
        name = f"{c.key}: {c.system} {c.code}"
        if c.status is not Status.RECALLED and not (c.source and c.locator):
            yield f"{name} is {c.status} and names no {'locator' if c.source else 'source'}"
        if c.source and c.source not in library.citations:
            yield f"{name}: source {c.source!r} is not in references.toml"
        if not check_digits.sound(c.system, c.code):
            yield f"{name} has a wrong check digit: no such code exists"
        domain, _, kind = c.key.split(".", 1)[1].partition(".")
        other = meaning.setdefault((domain, c.system, c.code), kind)
        if other != kind:
            yield f"{name} also means {other}"
    yield from _idle_titles(library, {(c.system, c.code) for c in codes})


def _idle_titles(library: Library, known: AbstractSet[tuple[str, str]]) -> Iterator[str]:
    for system, titles in library.documents.get("code_titles", {}).get("title", {}).items():
        yield from (
            f"code_titles.{system}: {code!r} is no code in use" for code in titles if (system, code) not in known
        )


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
    if found:
        sys.stdout.write(f"evidence: {len(found)} problems\n")
        return 1
    count = sum(1 for _ in library.all_sourced())
    known = list(library.codes())
    recalled = sum(c.status is Status.RECALLED for c in known)
    sys.stdout.write(
        f"evidence: {count} sourced values, {len(known)} codes ({recalled} recalled), "
        f"{len(library.citations)} sources, 0 problems\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
