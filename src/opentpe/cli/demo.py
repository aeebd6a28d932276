"""`opentpe demo`: a consultation on a bundled example with its pinned date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opentpe.errors import InputError


def command(
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("out/demo"),
) -> None:
    """Consult on the bundled example and name the report it wrote."""
    from opentpe.cli import consult

    example, on = bundled_example()
    consult.command(example, on=on, out=out)


def bundled_example(name: str = "scenario-a.json") -> tuple[Path, str]:
    """An example bundle and its pinned date from examples/index.toml."""
    import tomli

    folder = examples_folder()
    index = tomli.loads((folder / "index.toml").read_text(encoding="utf-8"))
    return folder / name, str(index[name]["on"])


def examples_folder() -> Path:
    """The examples beside the package (a checkout) or inside it (an installed wheel)."""
    here = Path(__file__).resolve()
    for folder in (here.parents[3] / "examples", here.parents[1] / "examples"):
        if (folder / "index.toml").is_file():
            return folder
    raise InputError("examples", "no examples folder", "a checkout of OpenTPE", "Run from a clone of the repository.")
