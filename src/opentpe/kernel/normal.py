"""The standard normal distribution and its quantiles, element by element.

Source: Wichura MJ. Algorithm AS 241: the percentage points of the normal distribution. Appl Stat 1988;37:477-484
(PPND16, about 16 digits). Compiled here because loading a library of special functions takes longer than a forecast
(decision 10); the tests hold both against SciPy.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from opentpe.kernel.arrays import Floats
from opentpe.kernel.compiled import compiled, unlocked

# Coefficients of numerators and denominators, highest power first.
_MIDDLE_OVER: Final = (
    2.50908_09287_30122_6727e3,
    3.34305_75583_58812_8105e4,
    6.72657_70927_00870_0853e4,
    4.59219_53931_54987_1457e4,
    1.37316_93765_50946_1125e4,
    1.97159_09503_06551_4427e3,
    1.33141_66789_17843_7745e2,
    3.38713_28727_96366_6080e0,
)
_MIDDLE_UNDER: Final = (
    5.22649_52788_52854_5610e3,
    2.87290_85735_72194_2674e4,
    3.93078_95800_09271_0610e4,
    2.12137_94301_58659_5867e4,
    5.39419_60214_24751_1077e3,
    6.87187_00749_20579_0830e2,
    4.23133_30701_60091_1252e1,
    1.0,
)
_TAIL_OVER: Final = (
    7.74545_01427_83414_07640e-4,
    2.27238_44989_26918_45833e-2,
    2.41780_72517_74506_11770e-1,
    1.27045_82524_52368_38258e0,
    3.64784_83247_63204_60504e0,
    5.76949_72214_60691_40550e0,
    4.63033_78461_56545_29590e0,
    1.42343_71107_49683_57734e0,
)
_TAIL_UNDER: Final = (
    1.05075_00716_44416_84324e-9,
    5.47593_80849_95344_94600e-4,
    1.51986_66563_61645_71966e-2,
    1.48103_97642_74800_74590e-1,
    6.89767_33498_51000_04550e-1,
    1.67638_48301_83803_84940e0,
    2.05319_16266_37758_82187e0,
    1.0,
)
_FAR_TAIL_OVER: Final = (
    2.01033_43992_92288_13265e-7,
    2.71155_55687_43487_57815e-5,
    1.24266_09473_88078_43860e-3,
    2.65321_89526_57612_30930e-2,
    2.96560_57182_85048_91230e-1,
    1.78482_65399_17291_33580e0,
    5.46378_49111_64114_36990e0,
    6.65790_46435_01103_77720e0,
)
_FAR_TAIL_UNDER: Final = (
    2.04426_31033_89939_78564e-15,
    1.42151_17583_16445_88870e-7,
    1.84631_83175_10054_68180e-5,
    7.86869_13114_56132_59100e-4,
    1.48753_61290_85061_48525e-2,
    1.36929_88092_27358_05310e-1,
    5.99832_20655_58879_37690e-1,
    1.0,
)

_HALF_WIDTH: Final = 0.425  # the middle of the distribution reaches this far from 0.5
_MIDDLE: Final = 0.180625
_FAR: Final = 5.0
_NEAR_TAIL: Final = 1.6


def ndtr(x: npt.ArrayLike) -> Floats:
    """Probability of a standard normal number below `x`; same shape as `x`."""
    return _each(x, quantile=False)


def ndtri(p: npt.ArrayLike) -> Floats:
    """Standard normal number below which probability `p` lies; same shape as `p`.

    Infinite at 0 and 1, not a number outside.
    """
    return _each(p, quantile=True)


def _each(values: npt.ArrayLike, *, quantile: bool) -> Floats:
    given = np.array(values, np.float64)  # a copy: what is read-only would be compiled again
    out = np.empty_like(given)
    _fill(given.ravel("K"), out.ravel("K"), quantile)
    whole: Floats = out.reshape(np.shape(values))[()]
    return whole


@unlocked
def _fill(given: Floats, out: Floats, quantile: bool) -> None:
    for i in range(given.size):
        out[i] = _quantile(given[i]) if quantile else 0.5 * math.erfc(-given[i] / math.sqrt(2.0))


@compiled
def _quantile(p: float) -> float:
    q = p - 0.5
    if not 0.0 < p < 1.0:
        return math.copysign(math.inf, q) if p in (0.0, 1.0) else math.nan
    if abs(q) <= _HALF_WIDTH:
        return q * _ratio(_MIDDLE_OVER, _MIDDLE_UNDER, _MIDDLE - q * q)
    r = math.sqrt(-math.log(min(p, 1.0 - p)))
    if r <= _FAR:
        return math.copysign(_ratio(_TAIL_OVER, _TAIL_UNDER, r - _NEAR_TAIL), q)
    return math.copysign(_ratio(_FAR_TAIL_OVER, _FAR_TAIL_UNDER, r - _FAR), q)


@compiled
def _ratio(over: tuple[float, ...], under: tuple[float, ...], r: float) -> float:
    above, below = 0.0, 0.0
    for a in over:
        above = above * r + a
    for b in under:
        below = below * r + b
    return above / below
