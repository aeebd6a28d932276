"""The unit's settings as they hold now: the file's, with what people changed on the board laid over them."""

from __future__ import annotations

from typing import Any

from opentpe.records import kinds
from opentpe.web.clinic import Clinic


def of(here: Clinic) -> dict[str, Any]:
    """Every setting by name."""
    changed = {k.body.name: k.body.value for k in here.store.current(kinds.Setting) if k.body.name in here.unit}
    return dict(here.unit) | changed
