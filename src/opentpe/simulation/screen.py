"""Fast stand-ins for what happens within a session: ionised calcium and blood volume, one formula each.

They serve virtual trials of very many patients (`detail = "screened"`). Their constants are fitted to the full session
(`evidence/equations/screen.toml`), which replaces them wherever time allows; every number they give is marked.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.therapy import Calcium
from opentpe.evidence.load import Library
from opentpe.kernel import crowd
from opentpe.kernel.arrays import Floats
from opentpe.simulation import bodies
from opentpe.simulation.draws import Normal, Stream, sample
from opentpe.simulation.population import Group
from opentpe.simulation.setup import Setup

FILE: Final = "equations/screen"
_REFERENCE_KG: Final = 70.0
_HEALTHY: Final = bodies.clearance_name("normal")
_RESTING: Final = "baseline_ionised_calcium_mmol_l"
_GLUCONATE_G_PER_ML: Final = 0.1  # of the 10 % solution that orders are written in


class Reaction(NamedTuple):
    """How patients react to a session: resting ionised calcium, citrate clearance, and what is left unexplained."""

    ionised_calcium_mmol_l: Floats
    clearance_ratio: Floats  # to the reference adult of the same weight
    calcium_spread: Floats
    volume_spread: Floats


class Ordered(NamedTuple):
    """The session as ordered for each patient: `crowd.runs`, plasma volumes, weight, blood volume at rest."""

    setup: Setup
    runs: Floats
    plasma_volumes: Floats
    weight_kg: Floats
    blood_ml: Floats


def reaction(group: Group, library: Library, normal: Normal) -> Reaction:
    """Parameters of virtual patients; resting calcium and clearance at the positions of the full session."""
    ill = bodies.clearance_name("cirrhosis")
    ratio = library.value(f"equations/citrate.{ill}") / library.value(f"equations/citrate.{_HEALTHY}")
    own = [normal(Stream.CITRATE, bodies.position(name), 1)[:, 0] for name in (_HEALTHY, ill, _RESTING)]
    left = normal(Stream.CITRATE, "screen", 2)
    healthy = library.sourced(f"equations/citrate.{_HEALTHY}")
    cirrhosis = group.cirrhosis > 0
    clearance = sample(healthy, np.where(cirrhosis, own[1], own[0])) / healthy.value
    return Reaction(
        sample(library.sourced(f"equations/citrate.{_RESTING}"), own[2]),
        np.where(cirrhosis, ratio, 1.0) * clearance,
        np.exp(library.value(f"{FILE}.calcium_spread_fraction") * left[:, 0]),
        np.exp(library.value(f"{FILE}.volume_spread_fraction") * left[:, 1]),
    )


def calcium_nadir(body: Reaction, ordered: Ordered, library: Library) -> Floats:
    """Lowest ionised calcium of each patient's session, mmol/L (screened)."""
    runs, file = ordered.runs, library.values(f"{FILE}.")
    minutes = runs[crowd.MINUTES]
    citrate = runs[crowd.AC_TO_PATIENT] / minutes * _REFERENCE_KG / ordered.weight_kg
    fall = (
        file["calcium_fall_fraction"]
        * (citrate / file["anticoagulant_reference_ml_min"]) ** file["calcium_flow_exponent"]
        * ordered.plasma_volumes ** file["calcium_volume_exponent"]
        * body.clearance_ratio ** -file["calcium_clearance_exponent"]
    )
    calcium = ordered.setup.prescription.calcium
    given = _per_litre(calcium, minutes, runs[crowd.REPLACED]) if calcium is not None else 0.0
    spared = 1 - file["calcium_spares_fraction"] * given / file["calcium_spares_at_ml_per_l"]
    fall = np.maximum(fall * spared, file["calcium_least_fall_fraction"]) * body.calcium_spread
    left: Floats = body.ionised_calcium_mmol_l * (1 - np.minimum(fall, 0.9))
    return left


def _per_litre(calcium: Calcium, minutes: Floats, replaced_ml: Floats) -> float | Floats:
    if calcium.unit == "mL/L":
        return calcium.amount
    return calcium.amount / _GLUCONATE_G_PER_ML * minutes / 60.0 / (replaced_ml / 1000)


def volume_loss_percent(body: Reaction, ordered: Ordered, library: Library) -> Floats:
    """Deepest loss of blood volume of each patient's session, per cent (screened)."""
    file, runs = library.values(f"{FILE}."), ordered.runs
    base = file["volume_loss_percent"] * ordered.plasma_volumes ** file["volume_exponent"] * body.volume_spread
    saline = sum(share for fluid, share in ordered.setup.fluids if fluid == "saline") * runs[crowd.REPLACED]
    lost = saline * (1 - file["saline_stays_fraction"]) - np.minimum(runs[crowd.NET], 0.0)
    deepest: Floats = base + 100 * (1 - file["refill_fraction"]) * lost / ordered.blood_ml
    return deepest
