"""`opentpe schema`: the JSON Schema of a document that OpenTPE writes."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    kind: Annotated[str, typer.Argument(help="consult, decide, course or patient.")] = "consult",
) -> None:
    """Print the JSON Schema of a document, made from the types it is written from."""
    from opentpe.cli import common
    from opentpe.domain.schemas import schema_of

    common.print_json(schema_of(kind))
