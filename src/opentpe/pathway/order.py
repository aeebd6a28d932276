"""The order: patient plasma to remove, whole bottles, days on the calendar, and one sentence per line.

Standard library only. What the separator shows is added from the forecast by `with_separator`, because the bag and the
run time are the forecast's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from opentpe.domain import words
from opentpe.domain.consultation import Line, Order, SessionForecast
from opentpe.domain.decision import Decision
from opentpe.domain.patient import Observation, Patient
from opentpe.domain.therapy import Calcium, Course, Dose, FluidPart, Prescription, Schedule
from opentpe.evidence.load import Library, Table
from opentpe.pathway import calendar, plasma_volume


@dataclass(frozen=True, slots=True)
class Size:
    """The measurements an order rests on; None where the record does not hold them."""

    female: bool | None
    weight: Observation | None
    height: Observation | None
    hct: Observation | None

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be measured before the order can be signed."""
        held = {"sex": self.female, "weight": self.weight, "height": self.height, "haematocrit": self.hct}
        return tuple(name for name, value in held.items() if value is None)


def measure(patient: Patient, on: date) -> Size:
    """Current weight, height and haematocrit, never ideal weight; the newest value up to `on`."""
    female = {"female": True, "male": False}.get(patient.sex)
    weight, height, hct = (patient.latest(kind, on) for kind in ("weight", "height", "haematocrit"))
    return Size(female, weight, height, hct)


def build(patient: Patient, decision: Decision, library: Library, unit: Mapping[str, Any]) -> Order:
    """The order for a decision that advises an exchange; `needs` names what keeps it from being signed."""
    size = measure(patient, decision.on)
    if size.needs:
        return _unsigned(size, patient, decision, library, unit)
    estimators = plasma_volume.estimate(size, patient, decision.on, library)
    pv = next(e.plasma_volume_ml for e in estimators if e.used)
    target = pv * library.value("order.plasma_volumes")
    volume, bottles = whole_bottles(target, unit["bottle_sizes_ml"], library.value("order.bottle_tolerance_fraction"))
    course, dates = _course(volume, Dose.ML, decision, library, unit, patient)
    order = Order(
        course=course,
        words=words.say(course),
        plasma_volume_ml=pv,
        volume_ml=volume,
        plasma_volumes=volume / pv,
        estimators=estimators,
        dates=dates,
        bottles=tuple((unit["fluid"], float(ml), n) for ml, n in bottles),
        lines=(),
    )
    return replace(order, lines=_lines(order, size, patient, decision, library, unit))


def whole_bottles(target_ml: float, sizes_ml: list[float], tolerance: float) -> tuple[float, list[tuple[float, int]]]:
    """Volume nearest to the target that whole bottles give, with the bottles; the target itself if none is near.

    >>> whole_bottles(2560, [500, 250], 0.1)
    (2500.0, [(500, 5)])
    >>> whole_bottles(2730, [500, 250], 0.1)
    (2750.0, [(500, 5), (250, 1)])
    """
    step = min(sizes_ml)
    volume = max(1, round(target_ml / step)) * step
    if abs(volume - target_ml) > tolerance * target_ml:
        volume = -(-target_ml // step) * step
    rest, bottles = volume, []
    for size in sorted(sizes_ml, reverse=True):
        count = int(rest // size)
        rest -= count * size
        if count:
            bottles.append((size, count))
    return float(volume), bottles


def _course(
    dose: float, dose_unit: Dose, decision: Decision, library: Library, unit: Mapping[str, Any], patient: Patient
) -> tuple[Course, tuple[date, ...]]:
    count = int(library.value("order.sessions_count"))
    interval = int(library.value("order.interval_days"))
    dates = calendar.session_days(decision.start_on or decision.on, count, interval, unit)
    access = propose_access(patient, decision.on, unit)[0]
    prescription = Prescription(
        dose=dose,
        dose_unit=dose_unit,
        fluids=(FluidPart(unit["fluid"], 1.0),),
        inlet_ac_ratio=library.value("order.inlet_ac_ratio"),
        calcium=Calcium(library.value("order.calcium_gluconate_ml_per_l"), "mL/L"),
        balance_fraction=library.value("order.balance_fraction"),
        access=access,
        separator=unit["separator"],
        single_needle=access == unit["access_single_needle"],
    )
    return Course(count, prescription, Schedule("dates", dates=dates)), dates


def propose_access(patient: Patient, on: date, unit: Mapping[str, Any]) -> tuple[str, str]:
    """Access key of the unit and the reason code: two arms, one arm, or the neck.

    Veins that are good or moderate in a usable arm count; an arm nobody looked at is taken as usable and said so.
    """
    arms = [_arm(patient, side, on) for side in ("left", "right")]
    usable = [arm for arm in arms if arm is not False]
    if len(usable) == 2:
        return unit["access_peripheral"], "two_arms" if all(arms) else "veins_not_recorded"
    if len(usable) == 1:
        return unit["access_single_needle"], "one_arm"
    return unit["access_central"], "no_arm"


def _arm(patient: Patient, side: str, on: date) -> bool | None:
    veins, arm = patient.latest(f"veins_{side}", on), patient.latest(f"arm_usable_{side}", on)
    if (veins and veins.answer == "poor") or (arm and arm.answer == "unusable"):
        return False
    return True if veins else None


def _unsigned(size: Size, patient: Patient, decision: Decision, library: Library, unit: Mapping[str, Any]) -> Order:
    """The order in plasma volumes, with the one line that says what must be measured before it can be signed."""
    volumes = library.value("order.plasma_volumes")
    course, dates = _course(volumes, Dose.PLASMA_VOLUMES, decision, library, unit, patient)
    needs = Line("order_needs", (("needs", ", ".join(size.needs)),))
    return Order(course, words.say(course), 0.0, 0.0, volumes, (), dates, (), (needs,), size.needs)


def _lines(
    order: Order, size: Size, patient: Patient, decision: Decision, library: Library, unit: Mapping[str, Any]
) -> tuple[Line, ...]:
    rules = library.document("order")
    return (
        _line(rules, "order_modality", (), modality=unit["modality"]),
        _volume_line(order, size, rules),
        _line(
            rules,
            "order_sessions",
            ("sessions_count", "interval_days"),
            count=order.course.count,
            dates=", ".join(d.isoformat() for d in order.dates),
        ),
        *_fluid_lines(order, rules),
        _line(rules, "order_balance", ("balance_fraction",), balance_percent=100 * rules["balance_fraction"]["value"]),
        _line(
            rules, "order_ratio", ("inlet_ac_ratio",), ratio=rules["inlet_ac_ratio"]["value"], ac=unit["anticoagulant"]
        ),
        _calcium_line(order, rules),
        _line(rules, "order_rescue", ("calcium_rescue_g",), grams=rules["calcium_rescue_g"]["value"]),
        _access_line(patient, decision, rules, unit),
        *_safety_lines(patient, decision, rules),
    )


def _volume_line(order: Order, size: Size, rules: Table) -> Line:
    assert size.weight
    assert size.height
    assert size.hct
    return _line(
        rules,
        "order_volume",
        ("plasma_volumes", "bottle_tolerance_fraction"),
        volume_ml=order.volume_ml,
        plasma_volumes=order.plasma_volumes,
        weight_kg=size.weight.value,
        weight_on=size.weight.when.first_day,
        height_cm=size.height.value,
        hct_fraction=size.hct.value,
        hct_on=size.hct.when.first_day,
    )


def _fluid_lines(order: Order, rules: Table) -> tuple[Line, ...]:
    picks = [f"{count} x {size:g} mL" for _, size, count in order.bottles]
    totals = [f"{count * order.course.count} x {size:g} mL" for _, size, count in order.bottles]
    fluid = order.course.prescription.fluids[0].fluid
    return (
        _line(rules, "order_fluid", ("bottle_tolerance_fraction",), fluid=words.fluid_words(fluid),
              bottles=" + ".join(picks), course_bottles=" + ".join(totals)),
    )  # fmt: skip


def _calcium_line(order: Order, rules: Table) -> Line:
    per_l = rules["calcium_gluconate_ml_per_l"]["value"]
    return _line(
        rules,
        "order_calcium",
        ("calcium_gluconate_ml_per_l",),
        ml=per_l * order.volume_ml / 1000,
        ml_per_l=per_l,
    )


def _access_line(patient: Patient, decision: Decision, rules: Table, unit: Mapping[str, Any]) -> Line:
    key, why = propose_access(patient, decision.on, unit)
    return _line(rules, f"order_access_{why}", (), access=key)


def _safety_lines(patient: Patient, decision: Decision, rules: Table) -> tuple[Line, ...]:
    fibrinogen = patient.latest("fibrinogen", decision.on)
    return (
        _line(
            rules,
            "order_fibrinogen_table",
            ("fibrinogen_albumin_from_g_l", "fibrinogen_act_below_g_l"),
            albumin_from_g_l=rules["fibrinogen_albumin_from_g_l"]["value"],
            act_below_g_l=rules["fibrinogen_act_below_g_l"]["value"],
            latest_g_l=fibrinogen.value if fibrinogen else None,
            latest_on=fibrinogen.when.first_day if fibrinogen else None,
        ),
        _line(
            rules,
            "order_potassium",
            ("potassium_replace_below_mmol_l", "potassium_call_below_mmol_l"),
            replace_below_mmol_l=rules["potassium_replace_below_mmol_l"]["value"],
            call_below_mmol_l=rules["potassium_call_below_mmol_l"]["value"],
        ),
        _line(rules, "order_checks", ("lab_age_h",), lab_age_h=rules["lab_age_h"]["value"]),
        _line(
            rules,
            "order_monitoring",
            ("vital_signs_first_min", "vital_signs_then_min", "systolic_call_below_mmhg"),
            first_min=rules["vital_signs_first_min"]["value"],
            then_min=rules["vital_signs_then_min"]["value"],
            systolic_below_mmhg=rules["systolic_call_below_mmhg"]["value"],
        ),
        _line(rules, "order_as_needed", ()),
        _line(
            rules,
            "order_partial",
            ("partial_counts_from_plasma_volumes",),
            plasma_volumes=rules["partial_counts_from_plasma_volumes"]["value"],
        ),
        _line(rules, "order_stop_rule", ("sessions_max_count",), most=int(rules["sessions_max_count"]["value"])),
        _line(rules, "order_void", ()),
    )


def with_separator(order: Order, session: SessionForecast) -> Order:
    """The order with the line that says what to enter and what the separator will show, taken from the forecast."""
    line = Line(
        "order_separator",
        (
            ("plasma_ml", session.plasma_removed_ml),
            ("bag_ml", session.bag_ml),
            ("ac_used_ml", session.ac_used_ml),
            ("blood_ml", session.blood_processed_ml),
            ("inlet_flow_ml_min", session.inlet_flow_ml_min),
            ("duration_min", session.duration_min),
            ("chair_min", session.chair_min),
        ),
    )
    after = next((i for i, entry in enumerate(order.lines) if entry.code == "order_ratio"), len(order.lines) - 1) + 1
    return replace(order, lines=(*order.lines[:after], line, *order.lines[after:]))


def _line(rules: Table, code: str, keys: tuple[str, ...], **values: Any) -> Line:
    """A line with the sources of the rules behind it and the status of the weakest one."""
    entries = [rules[key] for key in keys]
    order = ("primary", "secondary", "derived", "calibrated", "design", "recalled")
    weakest = max((order.index(e["status"]) for e in entries), default=-1)
    sources = tuple(dict.fromkeys(e["source"] for e in entries if e.get("source")))
    return Line(code, tuple(values.items()), sources, order[weakest] if entries else "")
