"""A truth of another kind, to test the fit against: three pools, another FcRn law, a session as one fell swoop.

Nothing here is shared with the program: explicit Euler steps of one minute in sessions and five between, a fast and a
slow tissue pool, and FcRn as a limited number of receptors that fill exponentially.
"""

from __future__ import annotations

import math
import random
from typing import Any

_DAY = 1440.0


def levels(subject: Any, i: int, seed: int = 1) -> dict[tuple[str, float], float]:
    """True IgG and fibrinogen, g/L, of patient i on the days the calibration asks about: (solute, day) -> level."""
    dice = random.Random(seed * 1_000_003 + i)
    volume = _plasma_ml(subject) * math.exp(dice.gauss(0, 0.11))
    ordered = _plasma_ml(subject) * math.exp(dice.gauss(0, 0.03))
    found = {}
    for solute, pools in (("igg", _igg(dice)), ("fibrinogen", _fibrinogen(dice))):
        found.update({(solute, day): level for day, level in _course(pools, volume, ordered).items()})
    return found


def _plasma_ml(subject: Any) -> float:
    """Nadler for both sexes, as the order does below a BMI of 40."""
    h, w = subject.height_cm / 100, subject.weight_kg
    blood = 0.3561 * h**3 + 0.03308 * w + 0.1833 if subject.female else 0.3669 * h**3 + 0.03219 * w + 0.6041
    return 1000 * blood * (1 - subject.hct)


def _spread(dice: random.Random, middle: float, cv: float) -> float:
    return middle * math.exp(dice.gauss(0, cv))


def _igg(dice: random.Random) -> dict[str, Any]:
    receptors = _spread(dice, 6.0, 0.15)  # g/L per day that they can return at most
    uptake = 0.25  # per day into endosomes
    return {
        "resting": _spread(dice, 10.6, 0.22),
        "lost": lambda c: uptake * c - receptors * (1 - math.exp(-0.97 * uptake * c / receptors)),
        "fast": (_spread(dice, 1.5, 0.3), 0.25),  # per day out of plasma, size relative to plasma
        "slow": (_spread(dice, 0.16, 0.35), 0.95),
    }


def _fibrinogen(dice: random.Random) -> dict[str, Any]:
    rate = _spread(dice, 0.24, 0.15)
    return {
        "resting": _spread(dice, 2.84, 0.25),
        "lost": lambda c: rate * c,
        "fast": (_spread(dice, 1.0, 0.3), 0.10),
        "slow": (_spread(dice, 0.35, 0.35), 0.28),
    }


def _course(pools: dict[str, Any], volume: float, ordered: float) -> dict[float, float]:
    """Levels at days 0, 2, 2.08, 4, 6 and 6.08 of sessions every other day that each remove `ordered` mL in 95 min."""
    plasma = fast = slow = pools["resting"]
    made = pools["lost"](plasma)
    wanted, found, t = [0.0, 2.0, 2.08, 4.0, 6.0, 6.08], {}, 0.0
    while wanted:
        in_session = (t % (2 * _DAY)) < 95.0
        step = 1.0 if in_session or (t % (2 * _DAY)) < 120.0 else 5.0
        if t >= wanted[0] * _DAY - 1e-6:
            found[wanted.pop(0)] = plasma
            continue
        flow = ordered / 95.0 if in_session else 0.0
        dt = step / _DAY
        to_fast = pools["fast"][0] * (plasma - fast)
        to_slow = pools["slow"][0] * (plasma - slow)
        plasma += dt * (made - pools["lost"](plasma) - to_fast - to_slow) - plasma * flow * step / volume
        fast += dt * to_fast / pools["fast"][1]
        slow += dt * to_slow / pools["slow"][1]
        t += step
    return found
