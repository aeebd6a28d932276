"""The replacement in sequence and in whole bottles: albumin alone, or saline first while albumin is short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opentpe.domain.therapy import FluidPart
from opentpe.evidence.load import Library

Bottles = tuple[tuple[str, float, int], ...]  # fluid, bottle size mL, count per session

SALINE: Final = "saline"
_SHARE_DECIMALS: Final = 3  # shares are said in course words, to a tenth of a per cent


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is given back in one session, in the order in which it runs in, and the bottles it comes in."""

    volume_ml: float
    parts: tuple[FluidPart, ...]
    bottles: Bottles

    def volume_of(self, fluid: str) -> float:
        """Volume of one fluid in a session, mL."""
        return sum(size * count for name, size, count in self.bottles if name == fluid)


def replacement(target_ml: float, unit: Mapping[str, Any], library: Library) -> Replacement:
    """The replacement nearest to a volume that whole bottles give; saline first where the unit is short of albumin."""
    sizes = unit["bottle_sizes_ml"]
    volume = whole_volume(target_ml, sizes, library.value("order.bottle_tolerance_fraction"))
    saline = _saline_ml(volume, sizes, library) if unit["albumin_shortage"] else 0.0
    main = str(unit["fluid"])
    bottles = _named(main, volume - saline, sizes)
    if not saline:
        return Replacement(volume, (FluidPart(main, 1.0),), bottles)
    share = round(saline / volume, _SHARE_DECIMALS)
    parts = (FluidPart(SALINE, share), FluidPart(main, round(1 - share, _SHARE_DECIMALS)))
    return Replacement(volume, parts, (*_named(SALINE, saline, sizes), *bottles))


def _saline_ml(volume_ml: float, sizes_ml: Sequence[float], library: Library) -> float:
    """Saline in whole bottles next to the usual share, never above the highest."""
    step = min(sizes_ml)
    most = library.value("order.shortage_saline_max_fraction") * volume_ml
    count = min(round(library.value("order.shortage_saline_fraction") * volume_ml / step), int(most // step))
    return float(count * step)


def whole_volume(target_ml: float, sizes_ml: Sequence[float], tolerance: float) -> float:
    """Volume nearest to the target that whole bottles give; the next above it where none lies within the tolerance.

    >>> whole_volume(2560, [500, 250], 0.1), whole_volume(2730, [500, 250], 0.1)
    (2500.0, 2750.0)
    """
    step = min(sizes_ml)
    volume = max(1, round(target_ml / step)) * step
    if abs(volume - target_ml) > tolerance * target_ml:
        volume = -(-target_ml // step) * step
    return float(volume)


def whole_bottles(volume_ml: float, sizes_ml: Sequence[float]) -> list[tuple[float, int]]:
    """The fewest bottles that hold a volume, largest first.

    >>> whole_bottles(2750, [500, 250])
    [(500, 5), (250, 1)]
    """
    rest, bottles = volume_ml, []
    for size in sorted(sizes_ml, reverse=True):
        count = int(rest // size)
        rest -= count * size
        if count:
            bottles.append((size, count))
    return bottles


def _named(fluid: str, volume_ml: float, sizes_ml: Sequence[float]) -> Bottles:
    return tuple((fluid, float(size), count) for size, count in whole_bottles(volume_ml, sizes_ml))
