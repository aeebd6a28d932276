"""What an order means for one patient: defaults filled in, fluids and equipment looked up, the run worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from opentpe.domain.consultation import Line
from opentpe.domain.sourced import Sourced
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium, Course, Dose, FluidPart, Prescription
from opentpe.errors import InputError
from opentpe.evidence import formulas
from opentpe.evidence.load import Library, Table
from opentpe.kernel import circuit
from opentpe.simulation import steady

_ACID_CITRATE: Final = "fluids/acd_a.citrate_mmol_l"


@dataclass(frozen=True, slots=True)
class Setup:
    """A complete order for one patient, with the run it makes; `used` are the sourced values behind it."""

    prescription: Prescription
    plasma_volume_ml: float
    volume_ml: float
    fluids: tuple[tuple[str, float], ...]  # key, share
    settings: circuit.Settings
    separator: str
    access: str
    assumed: tuple[Line, ...]
    used: tuple[Sourced, ...]

    @property
    def run(self) -> circuit.Run:
        """Flows, volumes and duration of the session as ordered."""
        return circuit.run(self.volume_ml, self.settings)

    def run_of(self, volume_ml: float) -> circuit.Run:
        """The same session ended at another volume of patient plasma."""
        return circuit.run(volume_ml, self.settings)


def prepare(subject: Subject, course: Course, library: Library, unit: Mapping[str, Any]) -> Setup:
    """The order with every default filled in and named; `InputError` for a fluid, access or separator nobody has."""
    prescription, assumed = _complete(course.prescription, library, unit)
    pv = used_plasma_volume(subject, library)
    volume = prescription.dose * pv if prescription.dose_unit is Dose.PLASMA_VOLUMES else prescription.dose
    fluids = tuple((part.fluid, part.fraction) for part in prescription.fluids)
    for key, _ in fluids:
        _known(library, "fluids", key, "albumin_g_l")
    separator, access = str(prescription.separator), str(prescription.access)
    _known(library, "equipment", separator, "packed_hct_fraction")
    _known(library, "equipment", f"access_{access}", "inlet_flow_ml_min")
    settings, used = _settings(subject, prescription, pv, library)
    settings = steady.run_as(settings, subject, fluids, volume, separator, library)
    return Setup(prescription, pv, volume, fluids, settings, separator, access, assumed, used)


def used_plasma_volume(subject: Subject, library: Library) -> float:
    """Plasma volume, mL, by the rule of the order."""
    rows = formulas.estimators(subject.female, subject.weight_kg, subject.height_cm / 100, subject.hct, library)
    return next(row.plasma_volume_ml for row in rows if row.used)


def _complete(given: Prescription, library: Library, unit: Mapping[str, Any]) -> tuple[Prescription, tuple[Line, ...]]:
    """The prescription without gaps, and one line for each gap that was filled."""
    single = given.single_needle
    access = unit["access_single_needle"] if single else unit["access_peripheral"]
    separator = str(given.separator or ("centrifuge_single_needle" if single else unit["separator"]))
    defaults: dict[str, Any] = {
        "fluids": (FluidPart(unit["fluid"], 1.0),),
        "inlet_ac_ratio": _ratio(separator, library),
        "calcium": Calcium(library.value("order.calcium_gluconate_ml_per_l"), "mL/L"),
        "balance_fraction": library.value("order.balance_fraction"),
        "access": access,
        "separator": separator,
    }
    gaps = {name: value for name, value in defaults.items() if not getattr(given, name)}
    if given.calcium is not None:
        gaps.pop("calcium", None)
    lines = tuple(
        Line(f"assumed_{name}", (("value", _plain(value)),), ("opentpe_practice",)) for name, value in gaps.items()
    )
    return replace(given, **gaps), lines


def _ratio(separator: str, library: Library) -> float:
    """Inlet:AC of the separator where its file has one of its own, else the order's."""
    own = library.document(f"equipment/{separator}") if f"equipment/{separator}" in library.documents else {}
    ratio = float(own["inlet_ac_ratio"]["value"]) if "inlet_ac_ratio" in own else 0.0
    return ratio or library.value("order.inlet_ac_ratio")


def _plain(value: Any) -> float | str:
    if isinstance(value, Calcium):
        return f"{value.amount:g} {value.unit}"
    if isinstance(value, tuple):
        return str(value[0].fluid)
    return value if isinstance(value, float) else str(value)


def _known(library: Library, folder: str, key: str, mark: str) -> None:
    entries = {name: doc for name, doc in library.folder(folder).items() if mark in doc}
    if key not in entries:
        raise InputError("course", f"{folder} {key.removeprefix('access_')!r}",
                         ", ".join(sorted(name.removeprefix("access_") for name in entries)))  # fmt: skip


def _settings(
    subject: Subject, order: Prescription, plasma_ml: float, library: Library
) -> tuple[circuit.Settings, tuple[Sourced, ...]]:
    packed = library.sourced(f"equipment/{order.separator}.packed_hct_fraction")
    cap = library.sourced(f"equipment/access_{order.access}.inlet_flow_ml_min")
    limit = library.sourced("equipment/circuit_common.ac_infusion_limit_ml_min_l")
    assert order.inlet_ac_ratio is not None
    assert order.balance_fraction is not None
    settings = circuit.Settings(
        hct=subject.hct,
        blood_ml=plasma_ml / (1 - subject.hct),
        inlet_ac_ratio=order.inlet_ac_ratio,
        packed_hct=packed.value,
        inlet_cap_ml_min=cap.value,
        limit_ml_min_l=limit.value,
        replacement_ac_fraction=anticoagulant_share(order.fluids, library),
        balance_ratio=order.balance_fraction,
        accounting=int(circuit.Accounting.PATIENT_PLASMA),
    )
    return settings, (packed, cap, limit)


def anticoagulant_share(fluids: Sequence[FluidPart], library: Library) -> float:
    """Citrate of the replacement as a share of anticoagulant of the same strength: about 0.18 for plasma."""
    return sum(part.fraction * citrate_share(part.fluid, library) for part in fluids)


def citrate_share(fluid: str, library: Library) -> float:
    """The same for one fluid, by its key."""
    return library.value(f"fluids/{fluid}.citrate_mmol_l") / library.value(_ACID_CITRATE)


def content(fluid: Table, solute: str, normal: float) -> float:
    """Concentration of a solute in a replacement fluid, in the solute's unit, from its share of normal plasma."""
    if solute == "albumin":
        return float(fluid["albumin_g_l"]["value"])
    named = fluid.get("solutes", {}).get(solute)
    if named is not None:
        return float(named["value"]) * normal
    return float(fluid["plasma_fraction"]["value"]) * normal if fluid.get("donor_plasma") else 0.0
