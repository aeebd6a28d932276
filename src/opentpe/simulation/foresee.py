"""The haematocrit that planning reckons with while a session runs: the typical patient in step with the separator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library
from opentpe.kernel import circuit, course_of_hct
from opentpe.kernel.arrays import Floats
from opentpe.kernel.course_of_hct import Filling
from opentpe.simulation import reactions


def haematocrit(
    subject: Subject,
    settings: circuit.Settings,
    device: Mapping[str, float],
    connecting: tuple[float, float],
    plasma_ml: float,
    fluids: Sequence[tuple[str, float]],
    library: Library,
) -> float:
    """The haematocrit of the run; `settings` are averages over a cycle, as `steady.of` gives.

    `device` are the numbers of the separator, `connecting` minutes and the share of the prime given to the patient.
    """
    law = reactions.laws(subject, settings.blood_ml, library, 0, phantom=False)
    state = reactions.fluid_at_rest(subject, law, library)
    return course_of_hct.while_it_runs(
        law.pressure, law.body, state, settings._replace(run_hct=0.0), _filling(device, connecting), plasma_ml,
        _sequence(fluids, library),
    )  # fmt: skip


def haematocrits(
    settings: circuit.Settings,
    device: Mapping[str, float],
    connecting: tuple[float, float],
    people: tuple[Floats, Floats, Floats],
    fluids: Sequence[tuple[str, float]],
    library: Library,
) -> Floats:
    """The haematocrit of the run of every adult of a crowd; `people` are plasma ordered, mL, haematocrit, blood mL."""
    plasma_ml, hct, blood_ml = people
    adult = Subject(female=False, height_cm=0.0, weight_kg=70.0, hct=settings.hct)  # never a person of this batch
    law = reactions.laws(adult, settings.blood_ml, library, 0, phantom=False)
    rested = reactions.fluid_at_rest(adult, law, library)
    proteins = (rested.albumin / rested.plasma, rested.globulin / rested.plasma)
    out = np.empty(hct.size)
    course_of_hct.of_many(
        law.pressure, law.body, proteins, settings._replace(run_hct=0.0), _filling(device, connecting), plasma_ml, hct,
        blood_ml, _sequence(fluids, library), out,
    )  # fmt: skip
    return out


def _filling(device: Mapping[str, float], connecting: tuple[float, float]) -> Filling:
    minutes, prime_share = connecting
    batch = 0.5 * device.get("cycle_ml", 0.0)  # of blood that stands in the reservoir of one needle, on average
    outside = device["extracorporeal_volume_ml"] + batch
    primed, filtration = prime_share * device["extracorporeal_volume_ml"] / outside, device.get("filtration_fraction")
    if filtration is not None:
        return Filling(outside, minutes, primed, device["return_line_ml"] + device["reservoir_set_ml"], 1.0, filtration)
    packs = device.get("packing_constant", 0.0) > 0.0
    return Filling(outside, minutes, primed, device["channel_ml"] if packs else 0.0,
                   device["interface_target_fraction"], 0.0)  # fmt: skip


def _sequence(fluids: Sequence[tuple[str, float]], library: Library) -> Floats:
    return np.array([
        (share, library.value(f"fluids/{key}.albumin_g_l"), library.value(f"fluids/{key}.globulin_g_l"))
        for key, share in fluids
    ])  # fmt: skip
