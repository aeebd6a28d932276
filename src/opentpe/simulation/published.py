"""What the runners of published studies share: a row of observed.csv as they read it, and the seed of their draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

Table = Mapping[str, Any]
SEED: Final = 20_260_101


class Asked(Protocol):
    """What a row of observed.csv asks for."""

    @property
    def arm(self) -> str: ...  # noqa: D102
    @property
    def solute(self) -> str: ...  # noqa: D102
    @property
    def when(self) -> str: ...  # noqa: D102
    @property
    def metric(self) -> str: ...  # noqa: D102
