"""`opentpe validate`: runs every study and writes the page with hits and misses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opentpe.cli import common
from opentpe.errors import InputError


def command(
    write: Annotated[Path | None, typer.Option("--write", help="Write the page, as docs/validation.md.")] = None,
    root: Annotated[Path, typer.Option("--root", help="Folder with calibration/ and studies/.")] = Path("validation"),
) -> None:
    """Run every calibration row and validation study; misses are shown, never tuned away."""
    from opentpe.simulation import validate

    if not root.is_dir():
        raise InputError(str(root), "no such folder", "the validation folder of a checkout")
    common.compile_once()
    print(validate.summary(validate.main(write, root)))
    if write is not None:
        print(f"Page: {write}")
