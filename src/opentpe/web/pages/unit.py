"""The unit's settings as they hold now: the file's, with what people changed on the board laid over them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.records import kinds
from opentpe.records.store import Kept
from opentpe.web import protocol
from opentpe.web.clinic import Clinic

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MODALITIES: Final = ("centrifuge_citrate", "membrane_heparin", "immunoadsorption")
_NUMBER: Final = re.compile(r"-?\d+(?:[.,]\d+)?")


def of(here: Clinic) -> dict[str, Any]:
    """Every setting by name."""
    changed = {k.body.name: k.body.value for k in here.store.current(kinds.Setting) if k.body.name in here.unit}
    return dict(here.unit) | changed


def choices(library: Library, name: str) -> tuple[str, ...]:
    """What a setting may be, where it is one of a list; empty for anything else."""
    equipment = library.folder("equipment")
    if name == "modality":
        return _MODALITIES
    if name in ("fluid", "anticoagulant"):
        return tuple(k for k in library.folder("fluids") if (k in ("acd_a", "citrate_4")) == (name == "anticoagulant"))
    if name == "separator":
        return tuple(k for k, d in equipment.items() if not k.startswith("access_") and "anticoagulant" in d)
    if name.startswith("access_"):
        return tuple(k.removeprefix("access_") for k in equipment if k.startswith("access_"))
    return ()


def rows(here: Clinic) -> list[dict[str, Any]]:
    """Every setting with its value, how it is changed, where it comes from, and who changed it last and why."""
    kept = {k.body.name: k for k in here.store.current(kinds.Setting)}
    made = [_row("Unit", name, value, kept.get(name), here.library) for name, value in here.unit.items()]
    for group, keys in (("Calcium protocol", protocol.calcium(here.library)),
                        ("Thresholds", protocol.thresholds(here.library))):  # fmt: skip
        made += [_row(group, key, here.library.value(key), kept.get(key), here.library) for key in keys]
    return made


def _row(group: str, name: str, value: Any, own: Kept[kinds.Setting] | None, library: Library) -> dict[str, Any]:
    now = own.body.value if own else value
    return {
        "group": group,
        "name": name,
        "label": label(name),
        "value": json.dumps(now, ensure_ascii=False),
        "shown": shown(now),
        "now": now,
        "kind": _kind(name, now),
        "choices": DAYS if name == "opening_days" else choices(library, name),
        "by": f"{own.who}, {own.at[:10]}" if own else "as shipped or by unit.toml",
        "why": own.why if own else "",
        "version": own.version if own else 0,
    }


_UNITS: Final = (
    ("_ml_per_l", "mL/L"), ("_mmol_l", "mmol/L"), ("_10_9_l", "10⁹/L"), ("_g_l", "g/L"), ("_mm_hg", "mmHg"),
    ("_cel", "°C"), ("_ml", "mL"), ("_h", "h"), ("_g", "g"),
)  # fmt: skip


def label(name: str) -> str:
    """A setting in words, its unit behind a comma."""
    bare = name.rsplit(".", 1)[-1]
    for ending, unit in _UNITS:
        if bare.endswith(ending):
            return f"{bare.removesuffix(ending).replace('_', ' ').capitalize()}, {unit}"
    return bare.replace("_", " ").capitalize().replace("Inr", "INR")


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(v) for v in value) or "none"
    return f"{value:g}" if isinstance(value, int | float) else str(value).replace("_", " ")


def _kind(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes-no"
    if isinstance(value, list):
        return "days" if name == "opening_days" else "list"
    return "number" if isinstance(value, int | float) else "text"


def read(here: Clinic, name: str, texts: Sequence[str]) -> Any:
    """The new value of a setting from what was typed; `InputError` says what it may be."""
    if name in here.unit:
        return _fitting(here.library, name, here.unit[name], texts)
    if name not in (*protocol.calcium(here.library), *protocol.thresholds(here.library)):
        raise InputError("name", repr(name), "a setting of this unit")
    return protocol.checked(here.shipped or here.library, name, _number(name, texts[0] if texts else ""))


def _fitting(library: Library, name: str, was: Any, texts: Sequence[str]) -> Any:
    said = [part.strip() for text in texts for part in _parts(text) if part.strip()]
    if isinstance(was, bool):
        if said not in (["yes"], ["no"], ["true"], ["false"]):
            raise InputError(name, repr(", ".join(said)), "yes or no")
        return said[0] in ("yes", "true")
    if isinstance(was, list):
        return _list(name, said)
    if not said:
        raise InputError(name, "nothing", shown(was))
    allowed = choices(library, name)
    if allowed and said[0] not in allowed:
        raise InputError(name, repr(said[0]), ", ".join(allowed))
    return said[0]


def _parts(text: str) -> list[str]:
    return [part.strip(' "') for part in text.strip("[]").split(",")]


def _list(name: str, said: list[str]) -> list[Any]:
    if name == "opening_days":
        days = [day for day in DAYS if day in said]
        if not days or len(days) != len(said):
            raise InputError(name, ", ".join(said) or "nothing", "at least one of " + ", ".join(DAYS))
        return days
    if name == "holidays":
        return sorted({_day(text) for text in said})
    sizes = [_number(name, text) for text in said]
    if not sizes or min(sizes) <= 0:
        raise InputError(name, ", ".join(said) or "nothing", "bottle sizes in mL, such as 500, 250")
    return [int(size) for size in sorted(sizes, reverse=True)]


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError("holidays", repr(text), "days such as 2026-12-25") from None


def _number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise InputError(name, repr(text), "a number")
    return float(text.replace(",", "."))


def history(here: Clinic) -> list[dict[str, str]]:
    """Every change of every setting, latest first: what, to what, who, when, why."""
    found = []
    for kept in here.store.current(kinds.Setting):
        for version in here.store.history(kinds.Setting, kept.id):
            found.append({"at": version.at, "name": label(version.body.name), "value": shown(version.body.value),
                          "who": version.who, "why": version.why})  # fmt: skip
    return sorted(found, key=lambda row: row["at"], reverse=True)
