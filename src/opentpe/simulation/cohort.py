"""The one bridge: subject, solutes and order become arrays; the sourced values they were made of come along.

Every draw is one row. A value with a prior is sampled from it; a measured value is sampled within its assay error;
the rest is the population's and is named as assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np

from opentpe.domain.sourced import Sourced
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, DrugDose, Procedure
from opentpe.errors import InputError
from opentpe.evidence.load import Library, Table
from opentpe.kernel import timeline
from opentpe.kernel.arrays import BLOCKER, DEPOT, FCRN, IV, LINEAR, SATURABLE, SC, Cohort, Floats, Integers
from opentpe.kernel.circuit import Run
from opentpe.simulation.draws import Normal, Stream, normals, sample
from opentpe.simulation.setup import Setup, content

BLOCKER_DRUG: Final = "efgartigimod"
_LAWS: Final = {"fcrn": FCRN, "saturable": SATURABLE, "depot": DEPOT}
_MG_PER_ML: Final = 1e-3  # of 1 ug/mL
_SIZE_DRAWS: Final = 2  # plasma volume, delivered dose
_REFERENCE_PLASMA_ML: Final = 3000.0  # of the drug volumes' reference adult, 70 kg


class Columns(NamedTuple):
    """The solutes of a run in kernel order (those with a law first), with the sourced values they carry."""

    keys: tuple[str, ...]
    units: tuple[str, ...]  # as shown
    scale: Floats  # shown value per g/L of the kernel: 1000 for ug/mL
    documents: tuple[Table, ...]
    law: Integers
    igg_weight: Floats
    used: tuple[Sourced, ...]

    def column(self, key: str) -> int:
        """Column of a solute; `InputError` names those there are."""
        if key not in self.keys:
            raise InputError("solute", repr(key), ", ".join(self.keys))
        return self.keys.index(key)


def endogenous(library: Library) -> tuple[str, ...]:
    """Every solute of the body's own, in the order of the library."""
    rows = [(doc["order"], key) for key, doc in library.folder("solutes").items() if doc["group"] not in _GIVEN]
    return tuple(key for _, key in sorted(rows))


def given(library: Library) -> tuple[str, ...]:
    """Every drug of the library that can be given."""
    return tuple(key for key, doc in library.folder("solutes").items() if doc["group"] in _GIVEN)


_GIVEN: Final = ("drug", "blocker")


def columns(library: Library, chosen: Sequence[str]) -> Columns:
    """The columns for chosen solutes and drugs; total IgG joins whenever one of them is under FcRn."""
    documents = library.folder("solutes")
    for key in chosen:
        if key not in documents:
            raise InputError("solute", repr(key), ", ".join(sorted(documents)))
    keys = list(dict.fromkeys(k for k in chosen if documents[k]["group"] != "blocker"))
    for key in keys:
        if documents[key].get("enabled", True) is False:
            raise InputError(f"solute {key}", "a drug without sourced kinetics", "another drug", documents[key]["note"])
    if "igg" not in keys and any("fcrn" in documents[k]["laws"] for k in keys):
        keys.append("igg")
    keys.sort(key=lambda k: (not documents[k]["laws"], documents[k]["order"]))
    used = [s for k in sorted(keys) for s in library.sourced_in(f"solutes/{k}")]
    fcrn = list(library.sourced_in("equations/fcrn"))
    return Columns(
        tuple(keys),
        tuple(str(documents[k].get("display_unit", documents[k]["unit"])) for k in keys),
        np.array([1 / _MG_PER_ML if documents[k].get("display_unit") == "ug/mL" else 1.0 for k in keys]),
        tuple(documents[k] for k in keys),
        np.array([sum(_LAWS[law] for law in documents[k]["laws"]) for k in keys] or [LINEAR], np.int64),
        np.array([1.0 if documents[k]["igg"] == "whole" else 0.0 for k in keys]),
        tuple(used + (fcrn if any("fcrn" in documents[k]["laws"] for k in keys) else [])),
    )


class Sized(Protocol):
    """Whoever has size and measured values: one subject, or a group with one number per row."""

    @property
    def weight_kg(self) -> float | Floats:
        """Weight, kg."""

    @property
    def hct(self) -> float | Floats:
        """Haematocrit as a fraction."""

    def value(self, kind: str) -> float | Floats | None:
        """A measured value by kind, None where it was not measured."""


class _Draw(NamedTuple):
    """What every parameter of one subject is drawn with."""

    subject: Sized
    library: Library
    normal: Normal
    size: int
    volume_z: Floats

    def z(self, name: str, count: int) -> Floats:
        return self.normal(Stream.TURNOVER, name, count)

    def sample(self, key: str, z: Floats) -> Floats:
        return sample(self.library.sourced(key), z)


def people(subject: Subject, chosen: Columns, setup: Setup, library: Library, seed: int, rows: Integers) -> Cohort:
    """Parameter draws of one subject, one per entry of `rows`; row i is the same numbers in any batch."""

    def normal(stream: Stream, name: str, count: int) -> Floats:
        return normals(seed, rows, stream, count, name)

    return draw_people(subject, chosen, setup.plasma_volume_ml, library, normal, rows.size)


def draw_people(
    subject: Sized, chosen: Columns, estimate_ml: float | Floats, library: Library, normal: Normal, count: int
) -> Cohort:
    """`count` rows of parameters at the standard normal positions that `normal` gives.

    `estimate_ml` is the plasma volume from size, mL. All zeros give the medians of the priors.
    """
    size_z = normal(Stream.VOLUME, "", _SIZE_DRAWS)
    draw = _Draw(subject, library, normal, count, size_z[:, 0])
    plasma = estimate_ml * np.exp(_log_sd(library.value("order.plasma_volume_cv_fraction")) * size_z[:, 0])
    delivered = np.exp(_log_sd(library.value("equations/circuit.delivered_cv_fraction")) * size_z[:, 1])
    parts = [
        _drug(draw, key, doc, plasma) if "clearance_l_d" in doc else _own(draw, key, doc)
        for key, doc in zip(chosen.keys, chosen.documents, strict=True)
    ]
    fields = {name: np.stack([part[name] for part in parts], axis=1) for name in parts[0]}
    per_day = {n: fields[n] / MINUTES_PER_DAY for n in _DAILY}
    fcrn_z, cell_z = draw.z("fcrn", 4), normal(Stream.CELLS, "", 1)
    ones, known = np.ones(count), subject.value("platelets")
    return Cohort(
        plasma_ml=plasma,
        delivered_ratio=delivered,
        **{**fields, **per_day},
        fcrn_free_rate=draw.sample("equations/fcrn.free_rate_ratio", fcrn_z[:, 0])
        * library.value("equations/fcrn.reference_rate_per_d")
        / MINUTES_PER_DAY,
        fcrn_half=draw.sample("equations/fcrn.half_g_l", fcrn_z[:, 1]),
        fcrn_reference=ones * library.value("equations/fcrn.reference_igg_g_l"),
        blocker_half=draw.sample("equations/fcrn.blocker_half_doses", fcrn_z[:, 2]),
        blocker_loss_rate=draw.sample("equations/fcrn.blocker_loss_rate_per_d", fcrn_z[:, 3]) / MINUTES_PER_DAY,
        blocker_spread_ratio=1000 * library.value(f"solutes/{BLOCKER_DRUG}.distribution_volume_l") / plasma,
        platelets=ones * (library.value("equations/cells.baseline_platelets_10_9_l") if known is None else known),
        platelet_return_rate=draw.sample("equations/cells.platelet_regrowth_per_d", cell_z[:, 0]) / MINUTES_PER_DAY,
        red_cells_ml=plasma * subject.hct / (1 - subject.hct),
        law=chosen.law,
        igg_weight=chosen.igg_weight,
    )


_DAILY: Final = ("catabolic_rate", "escape_rate", "return_rate", "saturable_mg_min", "absorption_rate")


def _log_sd(cv: float) -> float:
    return math.sqrt(math.log1p(cv * cv))


def _own(draw: _Draw, key: str, doc: Table) -> dict[str, Floats]:
    """Parameters of a solute of the body's own; rates per day."""
    name = f"solutes/{key}"
    kin = "igg" if doc["igg"] != "none" and "fcrn" in doc["laws"] else key
    z = draw.z(kin, 3)
    fraction = draw.sample(f"{name}.intravascular_fraction", z[:, 0])
    escape = draw.sample(f"{name}.escape_rate_per_d", _escape_z(draw, key, doc, z[:, 2]))
    single = fraction >= 1.0
    blank = np.zeros(draw.size)
    return {
        "concentration": _concentration(draw, key, doc),
        "synthesis_ratio": blank + 1,
        "catabolic_rate": draw.sample(f"{name}.catabolic_rate_per_d", z[:, 1]),
        "escape_rate": np.where(single, 0.0, escape),
        "return_rate": np.where(single, 0.0, escape * fraction / np.where(single, 1.0, 1 - fraction)),
        "central_ratio": blank + 1,
        "spread_ratio": blank + 1,
        "saturable_mg_min": blank,
        "saturable_half": blank + 1,
        "absorption_rate": blank,
        "available_fraction": blank + 1,
    }


def _escape_z(draw: _Draw, key: str, doc: Table, own: Floats) -> Floats:
    """Escape from plasma is shared among IgG-like solutes, and in part with IgA, albumin and complement."""
    igg_like = doc["igg"] != "none"
    if not igg_like and doc["group"] not in ("immunoglobulin", "protein", "complement"):
        return own
    shared = math.sqrt(draw.library.value("equations/fcrn.correlation.escape_igg"))
    loading = shared if igg_like else draw.library.value("equations/fcrn.correlation.escape_other") / shared
    common = draw.z("escape", 1)[:, 0]
    own = draw.z(f"{key} escape", 1)[:, 0] if igg_like else own
    return loading * common + math.sqrt(1 - loading**2) * own


def _concentration(draw: _Draw, key: str, doc: Table) -> Floats:
    """Resting concentration: the measured value within its assay error, else the population's."""
    z = draw.z(f"{key} level", 1)[:, 0]
    measured = draw.subject.value(key)  # in the solute's unit, g/L
    if measured is not None:
        return measured * np.exp(_log_sd(float(doc["assay_sd_fraction"]["value"])) * z)
    return draw.sample(f"solutes/{key}.concentration", z)


def _drug(draw: _Draw, key: str, doc: Table, plasma: Floats) -> dict[str, Floats]:
    """Parameters of an antibody from its clearance and volumes, scaled by weight; rates per day, volumes mL."""
    name, lib = f"solutes/{key}", draw.library
    z = draw.z(key, 9)
    weight = draw.subject.weight_kg / float(doc["reference_weight_kg"]["value"])
    by_clearance = weight ** float(doc["weight_exponent_clearance"]["value"])
    by_volume = weight ** float(doc["weight_exponent_volume"]["value"])
    shared = lib.value("equations/fcrn.correlation.volume_central")
    central_z = shared * draw.volume_z + math.sqrt(1 - shared**2) * z[:, 1]
    central = 1000 * by_volume * draw.sample(f"{name}.central_volume_l", central_z)
    peripheral = 1000 * by_volume * _or(draw, doc, name, "peripheral_volume_l", z[:, 2], 1.0)
    exchange = 1000 * by_clearance * _or(draw, doc, name, "exchange_clearance_l_d", z[:, 3], 0.0)
    spread = np.maximum(1.0, central / (_REFERENCE_PLASMA_ML * weight))
    blank = np.zeros(draw.size)
    return {
        "concentration": blank,
        "synthesis_ratio": blank + 1,
        "catabolic_rate": 1000 * by_clearance * draw.sample(f"{name}.clearance_l_d", z[:, 0]) / central,
        "escape_rate": exchange / central,
        "return_rate": exchange / peripheral,
        "central_ratio": central / plasma,
        "spread_ratio": draw.sample(f"{name}.spread_ratio", z[:, 4]) if "spread_ratio" in doc else spread,
        "saturable_mg_min": _or(draw, doc, name, "saturable_maximum_mg_d", z[:, 5], 0.0),
        "saturable_half": _MG_PER_ML * _or(draw, doc, name, "saturable_half_ug_ml", z[:, 6], 1 / _MG_PER_ML),
        "absorption_rate": _or(draw, doc, name, "absorption_rate_per_d", z[:, 7], 0.0),
        "available_fraction": np.minimum(1.0, _or(draw, doc, name, "available_fraction", z[:, 8], 1.0)),
    }


def _or(draw: _Draw, doc: Table, name: str, entry: str, z: Floats, otherwise: float) -> Floats:
    return draw.sample(f"{name}.{entry}", z) if entry in doc else np.full(z.size, otherwise)


def session(procedure: Procedure, run: Run, setup: Setup, library: Library) -> timeline.Session:
    """A procedure as the kernel takes it; partial runs keep the machine's flows and end early."""
    equipment = f"equipment/{setup.separator}"
    minutes = procedure.duration_min or run.duration_min
    volume = procedure.plasma_removed_ml or setup.volume_ml
    return timeline.Session(
        start_min=procedure.start_min,
        duration_min=minutes,
        plasma_flow_ml_min=volume / minutes,
        replacement_flow_ml_min=run.replaced_ml / minutes,
        parts=tuple((i, share) for i, (_, share) in enumerate(setup.fluids)),
        platelet_loss_fraction=library.value(f"{equipment}.platelet_loss_fraction"),
        red_cells_lost_ml=library.value(f"{equipment}.residual_red_cells_ml"),
    )


def dose(given: DrugDose, chosen: Columns, subject: Subject, library: Library) -> timeline.Dose:
    """A drug dose as the kernel takes it; the FcRn blocker in standard doses by weight."""
    if given.drug == BLOCKER_DRUG:
        standard = library.value(f"solutes/{BLOCKER_DRUG}.dose_mg_kg") * subject.weight_kg
        return timeline.Dose(BLOCKER, given.time_min, given.dose_mg / standard)
    route = SC if given.route == "sc" else IV
    return timeline.Dose(chosen.column(given.drug), given.time_min, given.dose_mg, route)


def fluid_table(setup: Setup, chosen: Columns, library: Library) -> Floats:
    """Concentration of each solute in each fluid of the order, in the solute's unit."""
    normal = [float(doc["concentration"]["value"]) if "concentration" in doc else 0.0 for doc in chosen.documents]
    return np.array(
        [
            [
                content(library.document(f"fluids/{fluid}"), key, level)
                for key, level in zip(chosen.keys, normal, strict=True)
            ]
            for fluid, _ in setup.fluids
        ]
    )
