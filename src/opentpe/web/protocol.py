"""The unit's own protocol: numbers of the evidence that a hospital sets for itself on the board, laid over the library.

Calcium protocol, age of laboratory values, and the stop and call limits of go or no-go. Each keeps who set it and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.records import kinds
from opentpe.records.store import Kept, Store

_CALCIUM: Final = ("order.calcium_gluconate_ml_per_l", "order.calcium_rescue_g")
_SESSION: Final = ("order.lab_age_h", "order.partial_counts_from_plasma_volumes")
_REACH: Final = 2.0  # a unit's own number lies within half and twice the shipped one; beyond that it is a typing error


def calcium(library: Library) -> tuple[str, ...]:
    """Keys of the calcium protocol."""
    return tuple(key for key in _CALCIUM if _there(library, key))


def thresholds(library: Library) -> tuple[str, ...]:
    """Keys of what counts as a session, how old a value may be, and every stop and call limit."""
    rows = library.document("go_no_go").get("row", ())
    limits = (str(row[grade]) for row in rows for grade in ("stop", "call") if grade in row)
    return tuple(dict.fromkeys((*(k for k in _SESSION if _there(library, k)), *limits)))


def _there(library: Library, key: str) -> bool:
    file, _, path = key.partition(".")
    return file in library.documents and path.partition(".")[0] in library.documents[file]


def checked(library: Library, key: str, value: float) -> float:
    """The unit's number, where it is near the shipped one; `InputError` says between what."""
    shipped = library.value(key)
    low, high = sorted((shipped / _REACH, shipped * _REACH))
    if not low <= value <= high:
        raise InputError(key, f"{value:g}", f"{low:g} to {high:g}", "Further away, lay an evidence folder over it.")
    return value


def kept(store: Store, library: Library) -> dict[str, Kept[kinds.Setting]]:
    """The unit's own numbers by key, as they were set on the board."""
    known = {*calcium(library), *thresholds(library)}
    return {k.body.name: k for k in store.current(kinds.Setting) if k.body.name in known}


def laid(library: Library, own: Mapping[str, Kept[kinds.Setting]]) -> Library:
    """The library with the unit's numbers in use; the shipped ones stay beside them as estimates."""
    return library.with_values({key: _entry(setting) for key, setting in own.items()}, "the unit's own protocol")


def _entry(setting: Kept[kinds.Setting]) -> dict[str, Any]:
    return {
        "value": float(setting.body.value),
        "status": "design",
        "locator": f"board, {setting.who}, {setting.at[:10]}",
        "why": f"The unit's own protocol: {setting.why}",
    }
