"""`opentpe indications`: neurological indications of apheresis, with category, grade, usual course and source."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    asked: Annotated[str, typer.Argument(help='Words of the name, as "myasthenia". Default: all.')] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The table as a JSON document.")] = False,
) -> None:
    """Neurological indications of apheresis. The gates for an MS relapse do not apply to the others."""
    import json
    from dataclasses import asdict

    from opentpe.errors import InputError
    from opentpe.evidence.load import load
    from opentpe.pathway.indications import indications as table

    library = load()
    rows = table(library, asked)
    if not rows:
        known = ", ".join(row.key for row in table(library))
        raise InputError("indications", repr(asked), f"a word of one of {known}")
    if as_json:
        document = {"schema": "opentpe.indications/1", "indications": [asdict(row) for row in rows]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for row in rows:
        asfa = f"ASFA {row.category}, {row.grade}" if row.category else "ASFA: no category"
        typer.echo(f"{row.name} ({row.modality}): {asfa}" + (f"; AAN {row.aan}" if row.aan else ""))
        for text in (", ".join(t for t in (row.volume, row.fluid, row.course) if t), row.note):
            if text:
                typer.echo(f"    {text}")
        typer.echo("    " + "; ".join(f"[{key}] {library.citation(key).text}" for key in row.sources))
