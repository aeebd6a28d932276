"""Options that several commands share, and what they load."""

from __future__ import annotations

import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from opentpe.errors import InputError

if TYPE_CHECKING:
    from opentpe.evidence.load import Library
    from opentpe.records.store import Store

On = Annotated[str | None, typer.Option("--on", help="Day of the consultation, as 2026-02-18. Default: today.")]
Overlay = Annotated[
    list[Path] | None, typer.Option("--evidence", help="A hospital's folder laid over the evidence library.")
]
UnitFile = Annotated[Path | None, typer.Option("--unit", help="The unit's settings (unit.toml).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the JSON document instead of text.")]
Guideline = Annotated[
    str, typer.Option("--guideline", help="Edition to argue with: asfa-2023, asfa-2019, aan-2011, nice-ng220 or dgn.")
]
Refractory = Annotated[
    str,
    typer.Option("--refractory", help="Definition of steroid failure: opentpe, or a published one such as plasmasep."),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the parameter draws.")]
Draws = Annotated[int, typer.Option("--draws", min=1, max=100_000, help="Parameter draws behind the bands.")]
Language = Annotated[str, typer.Option("--language", help="Language of the texts: en, de or es.")]

_UNUSED: Final = ("scipy.linalg.cython_blas", "cffi", "yaml")  # by our kernels, as Numba asks for them

DATABASE = "sqlite:///opentpe.db"
Database = Annotated[str, typer.Option("--database", help="sqlite:///FILE or postgresql://USER@HOST/NAME")]


def day(text: str | None) -> date:
    """The day asked for; only here does it default to today."""
    if text is None:
        return date.today()  # noqa: DTZ011 - the ward's own calendar day
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("--on", repr(text), "a date such as 2026-02-18") from None


def language(asked: str) -> str:
    """The language asked for; `InputError` where no sentences are kept in it."""
    from opentpe.report.sentences import LANGUAGES

    if asked not in LANGUAGES:
        raise InputError("--language", repr(asked), f"one of {', '.join(LANGUAGES)}")
    return asked


def library(overlays: list[Path] | None) -> Library:
    """The evidence library with the overlays."""
    from opentpe.evidence.load import load

    for folder in overlays or ():
        if not folder.is_dir():
            raise InputError("--evidence", f"{folder}, which is no folder", "a folder of TOML files")
    return load(overlays or ())


def unit_settings(loaded: Library, file: Path | None) -> dict[str, Any]:
    """The unit's settings: the library's defaults with the hospital's file laid over them."""
    from opentpe.pathway.unit import settings

    return settings(loaded, file)


def store(url: str, prepare: bool = True) -> Store:
    """The records at an address; `InputError` names the extra where it is not installed."""
    from datetime import UTC, datetime

    try:
        from opentpe.records.store import Store
    except ModuleNotFoundError as error:
        raise InputError(
            "opentpe", f"no {error.name}", "the extra [web]", "Install it: pip install 'opentpe[web]'"
        ) from None
    made = Store(url, lambda: datetime.now(UTC))
    if prepare:
        made.prepare()
    return made


def print_json(data: Any) -> None:
    """A JSON document on standard output."""
    from opentpe.domain.documents import text

    sys.stdout.write(text(data))


def write_whole(path: Path, text: str) -> Path:
    """Writes a file completely or leaves what was there; `InputError` where the folder cannot be written."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            str(path), f"a place that cannot be written ({error.strerror})", "a writable folder"
        ) from error
    return path


def compile_once() -> None:
    """The first simulation on a machine compiles the kernels: says so, and shows how far it is."""
    from opentpe.simulation import first_compile

    _load_lean()
    if not first_compile.needed():
        return
    from rich.console import Console

    screen = Console(stderr=True)
    if screen.is_terminal:
        with screen.status("") as status:
            first_compile.ensure(status.update)
        return
    screen.print("Compiling the simulation for this machine, once (about half a minute on two cores).")
    first_compile.ensure(lambda _: None)


def _load_lean() -> None:
    """Lets Numba load its functions without SciPy's BLAS, cffi and YAML, which no kernel needs: a quarter of a second.

    Only here, in a process of our own: somebody else's compiled functions may want them.
    """
    import opentpe.kernel  # noqa: F401 - names the cache folder before Numba looks for it

    unused = [name for name in _UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(unused))  # type: ignore[arg-type]  # None: so Python says, not to be had
    try:
        for name in ("numba.np.arraymath", "numba.core.typing.cffi_utils"):
            import_module(name)
    finally:
        for name in unused:
            del sys.modules[name]
