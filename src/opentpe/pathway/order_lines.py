"""The lines of an order, one sentence each, ready to sign: every number from the library, with its sources.

What they say depends on the modality: citrate needs a ratio and calcium, heparin neither, adsorption no fluid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from opentpe.domain import words
from opentpe.domain.consultation import Line, Order, SessionForecast
from opentpe.domain.decision import Decision
from opentpe.domain.patient import Patient
from opentpe.domain.sourced import Status
from opentpe.evidence.load import Library
from opentpe.pathway import access, fluids, preferences
from opentpe.pathway.size import Size

CITRATE: Final = "centrifuge_citrate"
ADSORPTION: Final = "immunoadsorption"
HEPARIN: Final = "heparin"
_SHOWN_ML: Final = 1.0  # less anticoagulant than this is none
_FOLLOW: Final = "limits.follow_up."
_WEAKEST_LAST: Final = tuple(Status)


class Pen:
    """Writes lines for one patient and unit: fills a sentence with library values and notes where each comes from."""

    def __init__(self, patient: Patient, decision: Decision, library: Library, unit: Mapping[str, Any]) -> None:
        self.patient, self.on, self.library, self.unit = patient, decision.on, library, unit

    def line(self, code: str, known: Mapping[str, str] | None = None, **values: Any) -> Line:
        """A line with given values and those of the library (`known`: name in the sentence -> key).

        It carries the sources of the library's values and the status of the weakest.
        """
        entries = {name: self.library.sourced(key) for name, key in (known or {}).items()}
        weakest = max((_WEAKEST_LAST.index(e.status) for e in entries.values()), default=-1)
        filled = {**values, **{name: entry.value for name, entry in entries.items()}}
        sources = tuple(dict.fromkeys(e.source for e in entries.values() if e.source))
        return Line(code, tuple(filled.items()), sources, str(_WEAKEST_LAST[weakest]) if entries else "")


def needs(missing: tuple[str, ...]) -> Line:
    """The one line of an order that cannot be signed yet."""
    return Line("order_needs", (("needs", ", ".join(missing)),))


def lines(order: Order, size: Size, pen: Pen) -> Iterator[Line]:
    """Every line of an order that can be signed, in the order in which the ward reads them."""
    modality = pen.unit["modality"]
    yield pen.line("order_modality_adsorption" if modality == ADSORPTION else "order_modality", modality=modality)
    yield _volume(order, size, pen)
    yield pen.line(
        "order_sessions",
        {"interval": "order.interval_days"},
        count=order.course.count,
        dates=", ".join(d.isoformat() for d in order.dates),
    )
    if modality != ADSORPTION:
        yield from _replacement(order, pen)
        percent = 100 * pen.library.value("order.balance_fraction")
        yield pen.line("order_balance", {"balance_fraction": "order.balance_fraction"}, balance_percent=percent)
    yield from _anticoagulant(order, pen)
    yield from _access(order, pen)
    yield from preferences.effects(pen.patient, pen.on, str(order.course.prescription.access), pen.unit)
    yield from _bloods(pen)
    yield from _watch(pen)


def _volume(order: Order, size: Size, pen: Pen) -> Line:
    assert size.weight
    assert size.height
    assert size.hct
    shown = {
        "volume_ml": order.volume_ml,
        "plasma_volumes": order.plasma_volumes,
        "weight_kg": size.weight.value,
        "weight_on": size.weight.when.first_day,
        "height_cm": size.height.value,
        "hct_fraction": size.hct.value,
        "hct_on": size.hct.when.first_day,
    }
    if pen.unit["modality"] == ADSORPTION:
        first, later = (f"order.adsorption_{n}_plasma_volumes" for n in ("first", "next"))
        return pen.line("order_volume_adsorption", {"first": first, "later": later}, **shown)
    return pen.line("order_volume", {"tolerance": "order.bottle_tolerance_fraction"}, **shown)


def _replacement(order: Order, pen: Pen) -> Iterator[Line]:
    """What to pick, in the sequence in which it runs in; while albumin is short, what that means."""
    parts = order.course.prescription.fluids
    codes = ("order_fluid",) if len(parts) == 1 else ("order_fluid_first", "order_fluid_then")
    for code, part in zip(codes, parts, strict=True):
        picks = [(size, count) for fluid, size, count in order.bottles if fluid == part.fluid]
        yield pen.line(
            code,
            {"tolerance": "order.bottle_tolerance_fraction"},
            fluid=words.fluid_words(part.fluid),
            bottles=_picked(picks, 1),
            course_bottles=_picked(picks, order.course.count),
        )
    if pen.unit["albumin_shortage"]:
        yield _shortage(order, pen)


def _picked(picks: list[tuple[float, int]], sessions: int) -> str:
    return " + ".join(f"{count * sessions} × {size:g} mL" for size, count in picks)


def _shortage(order: Order, pen: Pen) -> Line:
    parts = {part.fluid: part.fraction for part in order.course.prescription.fluids}
    saved = sum(size * count for fluid, size, count in order.bottles if fluid == fluids.SALINE)
    return pen.line(
        "order_shortage",
        {
            "usual_fraction": "order.shortage_saline_fraction",
            "most_fraction": "order.shortage_saline_max_fraction",
            "fell": "order.shortage_last_hypotension_count",
            "of": "order.shortage_last_patients_count",
        },
        share_percent=100 * parts.get(fluids.SALINE, 0.0),
        most_percent=100 * pen.library.value("order.shortage_saline_max_fraction"),
        saved_ml=saved * order.course.count,
    )


def _anticoagulant(order: Order, pen: Pen) -> Iterator[Line]:
    if pen.unit["modality"] != CITRATE:
        yield pen.line("order_anticoagulant_protocol", ac=pen.unit["anticoagulant"])
        heparin = pen.unit["anticoagulant"] == HEPARIN
        yield pen.line("order_calcium_no_citrate" if heparin else "order_calcium_protocol")
        if not heparin:
            yield _rescue(pen)
        return
    yield pen.line("order_ratio", {"ratio": "order.inlet_ac_ratio"}, ac=pen.unit["anticoagulant"])
    per_l = pen.library.value("order.calcium_gluconate_ml_per_l")
    yield pen.line(
        "order_calcium",
        {"ml_per_l": "order.calcium_gluconate_ml_per_l", "strength": "order.calcium_gluconate_strength_percent"},
        ml=per_l * order.volume_ml / 1000,
    )
    yield _rescue(pen)


def _rescue(pen: Pen) -> Line:
    return pen.line("order_rescue", {"grams": "order.calcium_rescue_g", "minutes": "order.calcium_rescue_min"})


def _access(order: Order, pen: Pen) -> Iterator[Line]:
    why = access.propose(pen.patient, pen.on, pen.unit)[1]
    if why == "no_arm" and preferences.NO_CENTRAL_LINE in preferences.wishes(pen.patient, pen.on):
        why = "no_arm_refused"
    known = {"low": "order.single_needle_time_low_ratio", "high": "order.single_needle_time_high_ratio"}
    yield pen.line(
        f"order_access_{why}", known if why == "one_arm" else None, access=str(order.course.prescription.access)
    )


def _bloods(pen: Pen) -> Iterator[Line]:
    """Values before each session: fibrinogen against the replacement table, potassium, how old they may be."""
    fibrinogen = pen.patient.latest("fibrinogen", pen.on)
    refused = preferences.wishes(pen.patient, pen.on).intersection(preferences.NO_PLASMA)
    table = {
        "from_session": "limits.session.fibrinogen_from_session",
        "albumin_from_g_l": "order.fibrinogen_albumin_from_g_l",
        "act_below_g_l": "order.fibrinogen_act_below_g_l",
        "wait_h": "limits.safety.fibrinogen_wait_h",
    }
    plasma = {
        "plasma_low_ml": "limits.safety.plasma_last_low_ml",
        "plasma_high_ml": "limits.safety.plasma_last_high_ml",
    }
    code = "order_fibrinogen_no_plasma" if refused else "order_fibrinogen_table"
    if pen.unit["modality"] == ADSORPTION:
        code = "order_fibrinogen_adsorption"
    yield pen.line(
        code,
        table | plasma if code == "order_fibrinogen_table" else table,
        latest_g_l=fibrinogen.value if fibrinogen else None,
        latest_on=fibrinogen.when.first_day if fibrinogen else None,
    )
    potassium = {
        "replace_below_mmol_l": "order.potassium_replace_below_mmol_l",
        "call_below_mmol_l": "order.potassium_call_below_mmol_l",
    }
    yield pen.line("order_potassium_adsorption" if pen.unit["modality"] == ADSORPTION else "order_potassium", potassium)
    checks = {"lab_age_h": "order.lab_age_h", "from_session": "limits.session.fibrinogen_from_session"}
    yield pen.line("order_checks", checks | _assessments())


def _watch(pen: Pen) -> Iterator[Line]:
    """Vital signs, what is at hand, a run that ends early, when to stop, and what voids the signature."""
    signs = {
        "first_min": "order.vital_signs_first_min",
        "for_min": "order.vital_signs_first_for_min",
        "then_min": "order.vital_signs_then_min",
        "systolic_below_mmhg": "order.systolic_call_below_mmhg",
    }
    yield pen.line("order_monitoring", signs)
    yield pen.line("order_as_needed", {"saline_ml": "order.saline_bolus_ml"})
    yield pen.line("order_partial", {"plasma_volumes": "order.partial_counts_from_plasma_volumes"})
    days = {name: f"{_FOLLOW}{name}_d" for name in ("first", "second", "third", "fourth")}
    yield pen.line("order_stop_rule", {"most": "order.sessions_max_count"} | _assessments() | days)
    yield pen.line("order_void")


def _assessments() -> dict[str, str]:
    return {"early": f"{_FOLLOW}assess_early_session", "late": f"{_FOLLOW}assess_late_session"}


def with_separator(order: Order, session: SessionForecast) -> Order:
    """The order with the line that says what to enter and what the separator will show, taken from the forecast."""
    line = Line(
        "order_separator" if session.ac_used_ml >= _SHOWN_ML else "order_separator_no_citrate",
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
    marks = ("order_ratio", "order_anticoagulant_protocol")
    after = next((i for i, entry in enumerate(order.lines) if entry.code in marks), len(order.lines) - 1) + 1
    return replace(order, lines=(*order.lines[:after], line, *order.lines[after:]))
