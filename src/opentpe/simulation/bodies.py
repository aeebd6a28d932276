"""What one subject's body does in a session, as kernel records: the typical patient, or one row per parameter draw.

Measured values are taken as they are; a value with a prior is sampled from it, each under its own name, so that a new
parameter moves no other; the rest is the library's.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from opentpe.domain.sourced import Sourced
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.evidence.load import Library
from opentpe.kernel import binding, chair, circulation, citrate, fluid, patient
from opentpe.kernel.arrays import Floats, Integers
from opentpe.simulation.draws import Normal, Stream, normals, sample

FILES: Final = ("citrate", "fluid", "circulation", "cells")
_STREAM: Final = {
    "equations/citrate": Stream.CITRATE,
    "equations/fluid": Stream.FLUID,
    "equations/circulation": Stream.CIRCULATION,
    "equations/cells": Stream.CELLS,
    "solutes/albumin": Stream.TURNOVER,
}
_NOT_USED: Final = (
    "rival",
    "warn",
    "alarm",
    "refuse",
    "interstitial_volume_ml_kg",
    "interstitial_protein_ratio",
    "calcium_chloride",
)
_REFERENCE_KG: Final = 70.0  # the adult whose clearances the library gives
_CLEARANCE: Final = {
    "normal": "citrate_clearance_ml_min",
    "cirrhosis": "citrate_clearance_cirrhosis_ml_min",
    "failure": "citrate_clearance_liver_failure_ml_min",
}


class Known(NamedTuple):
    """What a course already knows of each draw: arrays (n,), or None for the patient's own or the library's value."""

    plasma_ml: Floats
    albumin_g_l: Floats | None = None
    globulin_g_l: Floats | None = None
    albumin_escape_per_min: Floats | None = None
    albumin_share: Floats | None = None
    tissue_albumin_mg: Floats | None = None


class Bodied(Protocol):
    """Whoever has a body: one subject, or a group with one number per row."""

    @property
    def weight_kg(self) -> float | Floats:
        """Weight, kg."""

    @property
    def hct(self) -> float | Floats:
        """Haematocrit as a fraction."""

    @property
    def liver(self) -> str | npt.NDArray[np.str_]:
        """normal, cirrhosis or failure."""

    def value(self, kind: str) -> float | Floats | None:
        """A measured value by kind, None where it was not measured."""


class _Draw(NamedTuple):
    """Where the numbers of one subject come from; without positions it is the typical patient."""

    subject: Bodied
    library: Library
    normal: Normal | None

    def take(self, file: str, *names: str) -> tuple[Any, ...]:
        """Values of a file by name: numbers, or arrays (n,) where there is a prior to draw from."""
        return tuple(self._one(f"{file}.{name}") for name in names)

    def _one(self, key: str) -> Any:
        entry = self.library.sourced(key)
        if self.normal is None or entry.prior is None:
            return entry.value
        file, _, name = key.partition(".")
        return sample(entry, self.normal(_STREAM[file], position(name), 1)[:, 0])

    def measured(self, kind: str, file: str, name: str) -> Any:
        """The patient's own value where there is one."""
        own = self.subject.value(kind)
        return self._one(f"{file}.{name}") if own is None else own


def law(library: Library) -> chair.Law:
    """Binding and colloid osmotic pressure: the same in every patient."""
    typical = _Draw(Subject(female=True, height_cm=0.0, weight_kg=0.0, hct=0.0), library, None)
    logs = typical.take(
        "equations/citrate", "albumin_log_k", "globulin_log_k", "calcium_citrate_log_k", "magnesium_citrate_log_k"
    )
    rest = typical.take(
        "equations/citrate", "albumin_sites_mmol_g", "globulin_sites_mmol_g", "site_pka", "small_anion_ratio"
    )
    pressure = typical.take(
        "equations/fluid", "albumin_pressure_linear_mm_hg", "albumin_pressure_square_mm_hg",
        "albumin_pressure_cube_mm_hg", "globulin_pressure_linear_mm_hg", "globulin_pressure_square_mm_hg",
        "globulin_pressure_cube_mm_hg", "albumin_pressure_scale",
    )  # fmt: skip
    return chair.Law(binding.Binding(*(10**k / 1000 for k in logs), *rest), fluid.Pressure(*pressure))


def typical(subject: Subject, plasma_ml: float, library: Library) -> patient.Person:
    """The subject with every parameter at the value in use."""
    return _person(_Draw(subject, library, None), Known(np.array([plasma_ml])))


def one(subject: Subject, plasma_ml: float, library: Library) -> patient.Person:
    """The typical subject as plain numbers: the body of the planning clock and of the machine's."""
    found = typical(subject, plasma_ml, library)
    numbers: list[Any] = [type(part)(*(float(np.ravel(value)[0]) for value in part)) for part in found]
    return patient.Person(*numbers)


def position(name: str) -> str:
    """The name under which a session's parameter asks for its standard normal position."""
    return f"session {name}"


def people(subject: Bodied, known: Known, library: Library, seed: int, rows: Integers) -> patient.Person:
    """Parameter draws of one subject, or of a group, one per entry of `rows`; row i is the same in any batch."""

    def normal(stream: Stream, name: str, count: int) -> Floats:
        return normals(seed, rows, stream, count, name)

    return people_at(subject, known, library, normal)


def people_at(subject: Bodied, known: Known, library: Library, normal: Normal) -> patient.Person:
    """The same at the standard normal positions that `normal` gives."""
    return _person(_Draw(subject, library, normal), known)


def standing(person: patient.Person, known: Known) -> patient.Person:
    """The same draws before another session: albumin and globulin of plasma as they are by then."""
    at = person.standing
    return person._replace(
        standing=at._replace(
            albumin=_first(known.albumin_g_l, at.albumin), globulin=_first(known.globulin_g_l, at.globulin)
        )
    )


def used(library: Library) -> tuple[Sourced, ...]:
    """Every sourced value that a session rests on, rivals and lines of the display left out."""
    found = (s for name in sorted(FILES) for s in library.sourced_in(f"equations/{name}"))
    return tuple(s for s in found if not s.key.partition(".")[2].startswith(_NOT_USED) and "_rival." not in s.key)


def _person(draw: _Draw, known: Known) -> patient.Person:
    plasma: Any = known.plasma_ml
    hct = draw.subject.hct
    blood = plasma / (1 - hct)
    ratio, *_ = draw.take("equations/fluid", "plasma_interstitium_ratio")
    tissue = plasma / ratio
    body = _fluid(draw, known, blood, tissue)
    albumin = draw.measured("albumin", "equations/fluid", "baseline_albumin_g_l")
    globulin = globulin_at_rest(draw.subject, albumin, draw.take("equations/fluid", "baseline_globulin_g_l")[0])
    standing = patient.Standing(
        plasma,
        tissue,
        blood * hct,
        _first(known.albumin_g_l, albumin),
        _first(known.globulin_g_l, globulin),
        _first(known.tissue_albumin_mg, -1.0),
        -1.0,
        draw.measured("platelets", "equations/cells", "baseline_platelets_10_9_l"),
        draw.take("equations/circulation", "rest_temperature_cel")[0],
    )
    return patient.Person(
        body, _citrate(draw), _heart(draw, blood, body.vascular_elastance), _carriage(draw, plasma), standing
    )


def globulin_at_rest(subject: Bodied, albumin_g_l: Any, otherwise: Any) -> Any:
    """Globulin, g/L: total protein less albumin where both belong to the patient."""
    total = subject.value("total_protein")
    return otherwise if total is None else np.maximum(total - albumin_g_l, 0.0)


def _first(known: Any, otherwise: Any) -> Any:
    return otherwise if known is None else known


def _fluid(draw: _Draw, known: Known, blood_ml: Any, tissue_ml: Any) -> fluid.Body:
    k, vascular, tissue, urine, reflection, escape, share = draw.take(
        "equations/fluid", "filtration_ml_min_mm_hg", "vascular_elastance_mm_hg_ml", "interstitial_elastance_mm_hg_ml",
        "excess_urine_per_min", "reflection_coefficient_fraction", "globulin_escape_per_d",
        "globulin_intravascular_fraction",
    )  # fmt: skip
    reference, reference_tissue = (
        draw.library.value(f"equations/fluid.reference_{name}_volume_ml") for name in ("blood", "interstitial")
    )
    albumin_escape, albumin_share = draw.take("solutes/albumin", "escape_rate_per_d", "intravascular_fraction")
    fields: list[Any] = [
        k * blood_ml / reference,
        vascular * reference / blood_ml,
        tissue * reference_tissue / tissue_ml,
        urine,
        reflection,
        _first(known.albumin_escape_per_min, albumin_escape / MINUTES_PER_DAY),
        _first(known.albumin_share, albumin_share),
        escape / MINUTES_PER_DAY,
        share,
        *(0.0,) * 5,
    ]
    return fluid.Body(*fields)


def clearance_name(liver: str) -> str:
    """The library's entry for the citrate clearance of a liver."""
    return _CLEARANCE[liver]


def _clearance(draw: _Draw) -> Any:
    """Citrate clearance of the reference adult with the subject's liver, mL/min."""
    liver = draw.subject.liver
    if isinstance(liver, str):
        return draw.take("equations/citrate", _CLEARANCE[liver])[0]
    kinds = [name for name in _CLEARANCE if np.any(liver == name)]
    return np.select([liver == name for name in kinds], draw.take("equations/citrate", *map(clearance_name, kinds)))


def _citrate(draw: _Draw) -> citrate.Body:
    weight, file = draw.subject.weight_kg, "equations/citrate"
    transfer, buffer, exponent = draw.take(
        file, "transfer_ml_min", "calcium_buffer_ml_min", "clearance_weight_exponent"
    )
    clearance = _clearance(draw)
    size = (weight / _REFERENCE_KG) ** exponent
    pool, space, release, citrate0 = draw.take(
        file, "second_pool_ml_kg", "bicarbonate_volume_ml_kg", "pth_calcium_release_mmol_min", "baseline_citrate_mmol_l"
    )
    hormone = draw.take(
        file, "pth_max_ratio", "pth_min_ratio", "pth_slope", "pth_depletion", "pth_refill_per_min",
        "pth_clearance_per_min", "qt_steady_s_per_mmol_l", "qt_rate_s_per_mmol_l", "qt_lag_min",
    )  # fmt: skip
    alkali, per_citrate, ph, pco2, breathing, pka = draw.take(
        file, "alkali_release_min", "bicarbonate_per_citrate", "baseline_ph", "baseline_pco2_mm_hg",
        "pco2_mm_hg_per_mmol_l", "site_pka",
    )  # fmt: skip
    fields: list[Any] = [
        clearance * size,
        transfer * size,
        pool * weight,
        buffer * size,
        release,
        citrate0,
        draw.measured("ionised_calcium", file, "baseline_ionised_calcium_mmol_l"),
        draw.take(file, "baseline_ionised_magnesium_mmol_l")[0],
        *hormone,
        space * weight,
        alkali,
        per_citrate,
        draw.measured("bicarbonate", file, "baseline_bicarbonate_mmol_l"),
        ph,
        pco2,
        breathing,
        10 ** (pka - ph),
    ]
    return citrate.Body(*fields)


def _heart(draw: _Draw, blood_ml: Any, elastance: Any) -> circulation.Body:
    file = "equations/circulation"
    mean, pulse, share = draw.take(
        file, "baseline_mean_pressure_mm_hg", "baseline_pulse_pressure_mm_hg", "pulse_share_above_mean"
    )
    systolic, diastolic = draw.subject.value("systolic_pressure"), draw.subject.value("diastolic_pressure")
    if systolic is not None and diastolic is not None:
        pulse = systolic - diastolic
        mean = diastolic + (1 - share) * pulse
    stroke, venous = draw.take(file, "baseline_stroke_volume_ml", "baseline_central_venous_pressure_mm_hg")
    gains = draw.take(
        file, "stroke_slope", "stroke_floor_fraction", "stroke_saturation", "rate_gain", "resistance_gain",
        "reflex_min", "reflex_low", "reflex_high", "autonomic_ratio",
    )  # fmt: skip
    rate = draw.measured("heart_rate", file, "baseline_heart_rate_min")
    fields: list[Any] = [rate, stroke, mean, pulse, venous, elastance, blood_ml, *gains, share]
    return circulation.Body(*fields)


def _carriage(draw: _Draw, plasma_ml: Any) -> circulation.Carriage:
    heat, water, blood = draw.take(
        "equations/circulation", "body_heat_j_kg_k", "water_heat_j_ml_k", "blood_heat_j_ml_k"
    )
    space, recovery = draw.take("equations/fluid", "potassium_space_ratio", "potassium_recovery_min")
    potassium = draw.measured("potassium", "equations/fluid", "baseline_potassium_mmol_l")
    return circulation.Carriage(
        heat * draw.subject.weight_kg, water, blood, space * plasma_ml, potassium, 1.0 / recovery
    )
