"""The unit's settings: the library's defaults with the hospital's `unit.toml` laid over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli

from opentpe.errors import InputError
from opentpe.evidence.load import Library


def settings(library: Library, file: Path | None = None) -> dict[str, Any]:
    """All settings of the unit; `InputError` names an unknown setting or a value of the wrong kind."""
    merged = dict(library.document("unit"))
    if file is None:
        return merged
    try:
        own = tomli.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(file), f"no readable file ({error.strerror})", "a unit.toml") from error
    except (UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise InputError(str(file), f"text that is not TOML ({error})", "a unit.toml") from error
    for name, value in own.items():
        if name not in merged:
            raise InputError(f"{file}: {name}", "an unknown setting", "one of " + ", ".join(sorted(merged)))
        if not isinstance(value, type(merged[name])):
            raise InputError(f"{file}: {name}", repr(value), f"a value like {merged[name]!r}")
        merged[name] = value
    return merged
