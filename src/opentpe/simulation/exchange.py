"""One exchange as set up at the machine: order, equipment, entered values; and the arrays the device clock runs on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium, Dose, FluidPart, Prescription
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel import access, circuit, records, separation
from opentpe.kernel.circuit import Accounting
from opentpe.kernel.pumps import BOWL, CONTINUOUS, MEMBRANE, SINGLE_NEEDLE

PRINCIPLES: Final = {
    "centrifuge_continuous": CONTINUOUS, "centrifuge_single_needle": SINGLE_NEEDLE, "bowl": BOWL, "membrane": MEMBRANE,
}  # fmt: skip
PRIORITIES: Final = {"low": 1, "medium": 2, "high": 3}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is decided before the run. None means: as separator, access or library say."""

    subject: Subject
    prescription: Prescription
    separator: str = "centrifuge_continuous"
    access: str = ""
    inlet_flow_ml_min: float | None = None
    minutes: float | None = None  # run target instead of a plasma volume
    blood_ml: float | None = None  # whole blood to process instead of a plasma volume
    blood_volume_ml: float | None = None  # measured, or by another estimate
    hct_entered: float | None = None
    accounting: Accounting = Accounting.PATIENT_PLASMA
    ac_limit_ml_min_l: float | None = None
    warmer: bool = False
    prime_to_patient: bool = True
    operator: str = "standard"  # standard | manual
    manual_mode: bool = False  # settings up to the absolute tier instead of the safety tier
    phantom: bool = False  # a bench patient whose blood does not change
    solutes: tuple[str, ...] = ()
    tingling_percent: float | None = None  # the patient's own thresholds; None: drawn by seed
    hypotension_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """An exchange with every gap filled and checked: volumes, equipment as numbers, warnings."""

    exchange: Exchange
    blood_volume_ml: float
    plasma_volume_ml: float  # by the entered haematocrit, as the machine reckons
    target_ml: float
    fluids: tuple[FluidPart, ...]
    device: dict[str, float]
    reach: dict[str, float]  # access
    inlet_ac_ratio: float
    balance: float
    hct_entered: float
    inlet_flow_ml_min: float
    warnings: tuple[str, ...] = ()


def values(library: Library, separator: str) -> dict[str, float]:
    """Every number of a separator: the common ones with its own laid over them; `InputError` for an unknown one."""
    known = sorted(n for n, doc in library.folder("equipment").items() if "principle" in doc)
    if separator not in known:
        raise InputError("separator", repr(separator), ", ".join(known))
    own = library.values(f"equipment/{separator}.")
    return {**library.values("equipment/circuit_common."), **own}


def principle(library: Library, separator: str) -> str:
    """How a separator works: centrifuge_continuous, centrifuge_single_needle, bowl or membrane."""
    return str(library.document(f"equipment/{separator}")["principle"])


def reach(library: Library, name: str) -> dict[str, float]:
    """An access as numbers, with the pressure coefficients of its needles; `InputError` for an unknown one."""
    known = sorted(n.removeprefix("access_") for n in library.folder("equipment") if n.startswith("access_"))
    if name not in known:
        raise InputError("access", repr(name), ", ".join(known))
    document = library.document(f"equipment/access_{name}")
    numbers = library.values(f"equipment/access_{name}.")
    for side in ("draw", "return"):
        linear, quadratic, bore = needle(library, str(document[side]))
        numbers[f"{side}_linear_mm_hg_min_ml"] = linear
        numbers[f"{side}_quadratic_mm_hg_min2_ml2"] = quadratic
        numbers[f"{side}_bore_mm"] = bore
    return numbers


def needle(library: Library, name: str) -> tuple[float, float, float]:
    """Linear and quadratic pressure coefficients of a needle or catheter, and its bore (0 where measured)."""
    numbers = library.values(f"equipment/needles.{name}")
    if "linear_mm_hg_min_ml" in numbers:
        return numbers["linear_mm_hg_min_ml"], numbers["quadratic_mm_hg_min2_ml2"], 0.0
    fluid = (
        library.value("equipment/needles.viscosity_mpa_s"),
        library.value("equipment/needles.blood_density_kg_m3"),
        library.value("equipment/needles.kinetic_factor"),
    )
    linear, quadratic = access.needle_coefficients(numbers["bore_mm"], numbers["length_mm"], *fluid)
    return linear, quadratic, numbers["bore_mm"]


def get_ready(exchange: Exchange, library: Library) -> Ready:
    """The exchange with gaps filled; `InputError` for what no machine can run, warnings for what it runs badly."""
    kind = principle(library, _separator(exchange, library))
    exchange = replace(exchange, access=exchange.access or exchange.prescription.access or _access_for(kind))
    device, limb = values(library, exchange.separator), reach(library, exchange.access)
    blood = exchange.blood_volume_ml or _blood_volume(exchange.subject, library)
    hct = exchange.hct_entered if exchange.hct_entered is not None else exchange.subject.hct
    _within("haematocrit entered", hct, 0.15, 0.65, "Check the unit: a fraction such as 0.39.")
    plasma = blood * (1 - hct)
    order = exchange.prescription
    ratio = order.inlet_ac_ratio if order.inlet_ac_ratio is not None else device["inlet_ac_ratio"]
    if device["inlet_ac_ratio"] == 0:
        ratio = separation.NO_ANTICOAGULANT
    else:
        _within("inlet:AC", ratio, device["inlet_ac_ratio_min"], device["inlet_ac_ratio_max"],
                "Choose a ratio in this range.")  # fmt: skip
    balance = order.balance_fraction or library.value("order.balance_fraction")
    _within("balance", balance, device["balance_min_fraction"], device["balance_max_fraction"], "")
    inlet = exchange.inlet_flow_ml_min or min(limb["inlet_flow_ml_min"], device["inlet_flow_ml_min"])
    top = "absolute" if exchange.manual_mode else "max"
    _within("inlet flow", inlet, device["inlet_flow_min_ml_min"], device[f"inlet_flow_{top}_ml_min"],
            "Choose a flow in the range of the inlet pump.")  # fmt: skip
    if exchange.ac_limit_ml_min_l is not None:
        tier = "absolute" if exchange.manual_mode else "safety"
        _within("anticoagulant limit", exchange.ac_limit_ml_min_l, 0.0, device[f"ac_infusion_{tier}_ml_min_l"],
                "mL/min per L of blood volume.")  # fmt: skip
    target = order.dose * plasma if order.dose_unit is Dose.PLASMA_VOLUMES else order.dose
    _one_target(exchange, target)
    fluids = order.fluids or (FluidPart(str(library.document("unit")["fluid"]), 1.0),)
    ready = Ready(exchange, blood, plasma, target, fluids, device, limb, ratio, balance, hct, inlet)
    return replace(ready, warnings=_warnings(ready, library))


def _separator(exchange: Exchange, library: Library) -> str:
    values(library, exchange.separator)
    return exchange.separator


def _access_for(kind: str) -> str:
    return {
        "centrifuge_continuous": "peripheral_two_needles",
        "membrane": "central_dialysis_catheter",
    }.get(kind, "peripheral_single_needle")


def _blood_volume(subject: Subject, library: Library) -> float:
    from opentpe.simulation.setup import used_plasma_volume  # noqa: PLC0415 - needs the volume formulae only here

    return used_plasma_volume(subject, library) / (1 - subject.hct)


def _within(name: str, value: float, low: float, high: float, remedy: str) -> None:
    if not low <= value <= high:
        nearest = min(max(value, low), high)
        raise InputError(name, f"{value:g}", f"{low:g} to {high:g}", f"{remedy} The nearest is {nearest:g}.".strip())


def _one_target(exchange: Exchange, target_ml: float) -> None:
    given = [exchange.minutes is not None, exchange.blood_ml is not None]
    if sum(given) > 1:
        raise InputError(
            "run target", "minutes and blood volume", "one target", "Entering one sets the others to zero."
        )
    if target_ml <= 0 and not any(given):
        raise InputError("run target", f"{target_ml:g} mL", "a plasma volume above 0")


def _warnings(ready: Ready, library: Library) -> tuple[str, ...]:
    """What the machine will run, but not well, each with the nearest setting that works."""
    found = []
    d, a = ready.device, ready.reach
    limit = library.value("alarms.access_pressure_low.threshold_mm_hg")
    linear = a["draw_linear_mm_hg_min_ml"] + d["line_resistance_mm_hg_min_ml"]
    blood = ready.inlet_flow_ml_min * (1 - 1 / ready.inlet_ac_ratio)
    carries = access.flow_at_pressure(
        limit, a["vein_pressure_mm_hg"], linear, a["draw_quadratic_mm_hg_min2_ml2"], a["vein_flow_max_ml_min"],
        a["vein_knee_fraction"], a["collapse_pressure_mm_hg"],
    )  # fmt: skip
    if blood > carries:
        nearest = int(carries / (1 - 1 / ready.inlet_ac_ratio))
        found.append(
            f"access {ready.exchange.access}: carries at most {carries:.0f} mL/min of blood at the access limit; "
            f"the set inlet is {ready.inlet_flow_ml_min:g} mL/min. The nearest inlet flow is {nearest} mL/min."
        )
    if ready.inlet_flow_ml_min > d["inlet_flow_warning_ml_min"]:
        found.append(f"inlet flow {ready.inlet_flow_ml_min:g} mL/min is above the warning tier.")
    return tuple(found)


def parameters(ready: Ready, library: Library) -> Any:
    """The PARAMETERS record of a run."""
    par = np.zeros(1, dtype=records.PARAMETERS)
    device, exchange = ready.device, ready.exchange
    for name in records.PARAMETERS.names or ():
        source = device if name in device else ready.reach
        if name in source:
            par[name] = source[name]
    kind = principle(library, exchange.separator)
    par["principle_code"] = PRINCIPLES[kind]
    par["blood_volume_ml"] = ready.blood_volume_ml
    par["accounting_code"] = int(exchange.accounting)
    par["target_ml"] = 0.0 if exchange.minutes or exchange.blood_ml else ready.target_ml
    par["target_s"] = 60.0 * (exchange.minutes or 0.0)
    par["target_blood_ml"] = exchange.blood_ml or 0.0
    par["line_linear_mm_hg_min_ml"] = device["line_resistance_mm_hg_min_ml"]
    par["return_line_linear_mm_hg_min_ml"] = device["return_resistance_mm_hg_min_ml"]
    par["replacement_direct_flag"] = library.document(f"equipment/{exchange.separator}")["replacement_into"] == "return"
    par["warmer_flag"] = exchange.warmer
    par["prime_to_patient_flag"] = exchange.prime_to_patient
    par["manual_flag"] = exchange.manual_mode
    par["operator_code"] = 1.0 if exchange.operator == "standard" else 0.0
    par["rinse_plasma_fraction"] = library.value("equations/fluid.rinse_plasma_fraction")
    efficiency = circuit.removal_efficiency(
        circuit.channel_hct(ready.hct_entered, ready.inlet_ac_ratio), device["packed_hct_fraction"]
    )
    if kind == "membrane":
        efficiency = separation.membrane_efficiency(device["filtration_fraction"], ready.hct_entered, 1.0)
    par["platelet_leak_fraction"] = separation.platelet_leak(device["platelet_loss_fraction"], efficiency)
    _calcium(par, ready.exchange.prescription.calcium, library)
    _patient_watch(par, library)
    return par


def _calcium(par: Any, calcium: Calcium | None, library: Library) -> None:
    per_g = library.value("equations/citrate.calcium_gluconate_mmol_g")
    g_per_ml = library.value("equations/citrate.calcium_gluconate_g_ml")
    given = calcium or Calcium(library.value("order.calcium_gluconate_ml_per_l"), "mL/L")
    if given.unit == "mL/L":
        par["calcium_mmol_per_ml"] = given.amount * g_per_ml * per_g / 1000.0
    else:
        par["calcium_mmol_min"] = given.amount * per_g / 60.0


def _patient_watch(par: Any, library: Library) -> None:
    watch = "patient_watch"
    per_g = library.value("equations/citrate.calcium_gluconate_mmol_g")
    par["tingling_slow_fraction"] = library.value(f"{watch}.tingling.slow_fraction")
    par["tingling_calcium_mmol"] = library.value(f"{watch}.tingling.calcium_gluconate_g") * per_g
    par["tingling_calcium_min"] = library.value(f"{watch}.tingling.over_min")
    par["hypotension_pause_s"] = library.value(f"{watch}.hypotension.pause_s")
    par["hypotension_saline_ml"] = library.value(f"{watch}.hypotension.saline_ml")
