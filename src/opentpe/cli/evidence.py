"""`opentpe evidence`: every number with its rivals, source and status."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from opentpe.cli import common
from opentpe.errors import EvidenceError, InputError

if TYPE_CHECKING:
    from opentpe.domain.sourced import Code, Sourced
    from opentpe.evidence.load import Library


def command(
    key: Annotated[str | None, typer.Argument(help='Part of a key, such as "solutes/igg" or "order.inlet".')] = None,
    unsourced: Annotated[bool, typer.Option("--unsourced", help="Only values without a source read yet.")] = False,
    codes: Annotated[
        bool, typer.Option("--codes", help="The terminology codes that records are read by, instead of the numbers.")
    ] = False,
    plan_definition: Annotated[
        bool, typer.Option("--plan-definition", help="Print the pathway as a FHIR R4 PlanDefinition.")
    ] = False,
    evidence: common.Overlay = None,
    as_json: common.AsJson = False,
) -> None:
    """Show the numbers OpenTPE uses, how well each is known, and what other sources say."""
    library = common.library(evidence)
    if plan_definition:
        from opentpe import consultation as flow

        common.print_json(flow.pathway_as_fhir(library))
        return
    rows = (
        [] if codes else [s for s in library.all_sourced() if (key or "") in s.key and (s.unsourced or not unsourced)]
    )
    listed = _codes(library, key, unsourced) if codes or unsourced else []
    if key and key in library.citations and not rows:
        _print_citation(library, key)
    elif not rows and not listed and key:
        raise InputError("evidence", repr(key), "part of a key", "Run `opentpe evidence` for the list.")
    elif as_json:
        from opentpe.domain.documents import encode

        body = {"schema": "opentpe.evidence/1", "library": library.digest, "values": encode(rows)}
        common.print_json(body | ({"codes": encode(listed)} if codes or unsourced else {}))
    elif len(rows) == 1 and not listed:
        _print_one(library, rows[0])
    else:
        if not codes:
            _print_list(library, rows)
        if codes or unsourced:
            _print_codes(listed)


def _codes(library: Library, key: str | None, unsourced: bool) -> list[Code]:
    """Codes whose place, code or title holds the words; only the recalled ones where asked."""
    wanted = (key or "").casefold()
    return [
        c
        for c in library.codes()
        if wanted in f"{c.key} {c.code} {c.title}".casefold() and (c.status == "recalled" or not unsourced)
    ]


def _print_codes(rows: list[Code]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("stands for", "system", "code", "title", "status", "source"):
        table.add_column(column, overflow="fold")
    for c in rows:
        table.add_row(c.fact, c.system, c.code, c.title or "–", c.status.value, c.source or "–")
    console = Console()
    console.print(table)
    recalled = sum(c.status == "recalled" for c in rows)
    console.print(f"{len(rows)} codes; no list was read for {recalled} of them.")


def _print_list(library: Library, rows: Iterable[Sourced]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("key", "value", "unit", "status", "source", "rivals"):
        table.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    count = 0
    for s in rows:
        table.add_row(s.key, f"{s.value:g}", s.unit, s.status.value, s.source or "–", str(len(s.estimates) or ""))
        count += 1
    console = Console()
    console.print(table)
    console.print(f"{count} values. Library {library.digest[:12]}. Show one with `opentpe evidence KEY`.")


def _print_one(library: Library, s: Sourced) -> None:
    from rich.console import Console

    console = Console()
    console.print(f"[bold]{s.key}[/bold]  {s.value:g} {s.unit}  ({s.status.value})")
    for label, text in (("why", s.why), ("where", s.locator)):
        if text:
            console.print(f"  {label}: {text}")
    if s.prior:
        console.print(f"  range: {s.prior.low:g} to {s.prior.high:g} ({s.prior.shape})")
    if s.source:
        console.print(f"  source: {_cite(library, s.source)}")
    for e in s.estimates:
        console.print(f"  rival: {e.value:g} ({e.status.value}) {e.population}".rstrip())
        if e.source:
            console.print(f"         {_cite(library, e.source)} {e.locator}".rstrip())


def _print_citation(library: Library, key: str) -> None:
    print(_cite(library, key))


def _cite(library: Library, key: str) -> str:
    try:
        c = library.citation(key)
    except EvidenceError:
        return key
    ids = " ".join(t for t in (f"doi {c.doi}" if c.doi else "", f"PMID {c.pmid}" if c.pmid else "", c.url) if t)
    return f"{c.text}. {ids} (read: {c.read or 'not stated'})"
