"""What is refused or warned about before a session is simulated: pure checks of an order against one subject."""

from __future__ import annotations

import math
from typing import Final

from opentpe.domain.consultation import Line
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Prescription
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel import fluid
from opentpe.kernel import session as kernel
from opentpe.simulation import bodies
from opentpe.simulation import session as sitting
from opentpe.simulation.setup import Setup

_SUM: Final = 1e-6  # shares that miss 1 by rounding


def order(prescription: Prescription, library: Library) -> None:
    """Raises `InputError` for an order no patient could be given: doses, ratio, shares, calcium, balance."""
    _positive("dose", prescription.dose, str(prescription.dose_unit))
    ratio, balance = prescription.inlet_ac_ratio, prescription.balance_fraction
    if ratio is not None and not 1.0 < ratio < math.inf:
        raise InputError("inlet:AC ratio", f"{ratio:g}", "more than 1", "The inlet holds the anticoagulant.")
    if balance is not None and not 0.0 <= balance < math.inf:
        raise InputError("balance", f"{balance:g}", "0 or more", "Give the share of removed plasma that is replaced.")
    calcium = prescription.calcium
    if calcium is not None and not 0.0 <= calcium.amount < math.inf:
        raise InputError("calcium", f"{calcium.amount:g} {calcium.unit}", "0 or more", "Correct the dose.")
    if prescription.fluids:
        _sequence(prescription)
    for part in prescription.fluids:
        _calcium_in_plasma(part.fluid, library)


def _positive(where: str, value: float, unit: str) -> None:
    if not 0.0 < value < math.inf:
        raise InputError(where, f"{value:g} {unit}", f"more than 0 {unit}", "Correct the volume to be removed.")


def _sequence(prescription: Prescription) -> None:
    shares = [part.fraction for part in prescription.fluids]
    if min(shares) < 0.0 or abs(sum(shares) - 1.0) > _SUM:
        said = ", ".join(f"{part.fluid} {100 * part.fraction:g} %" for part in prescription.fluids)
        raise InputError("fluids", said, "shares that add up to 100 %", "Correct the shares of the replaced volume.")


def _calcium_in_plasma(fluid: str, library: Library) -> None:
    key = f"fluids/{fluid}"
    if key not in library.documents or not library.document(key).get("donor_plasma"):
        return
    found = library.value(f"{key}.calcium_mmol_l")
    most = library.value("equations/citrate.refuse_calcium_in_plasma_mmol_l")
    if found > most:
        raise InputError(
            f"fluid {fluid}",
            f"calcium {found:g} mmol/L in a plasma bag",
            f"at most {most:g} mmol/L, as thawed",
            "Never add calcium to plasma or to the line that carries it: it clots. Use a line of its own.",
        )


def session(subject: Subject, setup: Setup, library: Library) -> tuple[Line, ...]:
    """Warnings of one order for one subject; `InputError` where it would empty the plasma pool."""
    order(setup.prescription, library)
    lost = max(0.0, 1.0 - setup.settings.balance_ratio) * setup.volume_ml / setup.plasma_volume_ml
    most = library.value("equations/fluid.refuse_net_loss_fraction")
    if lost > most:
        raise InputError(
            "course",
            f"a session that leaves {100 * lost:.0f} % of the plasma volume unreplaced",
            f"at most {100 * most:.0f} %",
            "Raise the balance or remove less.",
        )
    plasma = sum(share for key, share in setup.fluids if library.document(f"fluids/{key}").get("donor_plasma"))
    return (*_liver(subject, setup, plasma, library), *_lines(setup, plasma, library))


def empties(subject: Subject, setup: Setup, library: Library) -> None:
    """Raises `InputError` for an order that washes out so much protein that plasma itself leaves the vessels.

    The typical patient of this size is run through it; the draws are judged again when they run.
    """
    person = bodies.typical(subject, setup.plasma_volume_ml, library)
    order_of, recipes = sitting.order_of(setup, library), sitting.recipes(setup, library)[None]
    found = kernel.session_all(bodies.law(library), person, order_of, recipes)
    if found.status[0] & fluid.PLASMA_EMPTY:
        raise sitting.emptied(setup, "in the typical patient of this size")


def _liver(subject: Subject, setup: Setup, plasma: float, library: Library) -> tuple[Line, ...]:
    """Plasma brings citrate that a failing liver cannot burn: a warning unless the inlet has been slowed."""
    if subject.liver != "failure" or plasma <= 0.0:
        return ()
    normal = library.sourced("equations/citrate.citrate_clearance_ml_min")
    left = library.sourced("equations/citrate.citrate_clearance_liver_failure_ml_min")
    allowed = setup.settings.limit_ml_min_l * left.value / normal.value
    given = setup.run.ac_rate_ml_min_l
    if given <= allowed:
        return ()
    values = (("citrate_ml_min_l", given), ("limit_ml_min_l", allowed), ("clearance_ml_min", left.value))
    return (Line("warning_liver_failure_plasma", values, (left.source, "monchi2017")),)


def _lines(setup: Setup, plasma: float, library: Library) -> tuple[Line, ...]:
    calcium = setup.prescription.calcium
    if calcium is None or calcium.amount <= 0.0:
        return ()
    found = []
    if plasma > 0.0:
        found.append(Line("warning_calcium_beside_plasma", (("amount", calcium.amount), ("unit", calcium.unit))))
    most = library.value("equations/citrate.warn_calcium_in_fluid_mmol_l")
    strength = library.value("equations/citrate.calcium_gluconate_g_ml")
    per_g = library.value("equations/citrate.calcium_gluconate_mmol_g")
    if calcium.unit == "mL/L" and calcium.amount * strength * per_g > most:
        values = (("calcium_mmol_l", calcium.amount * strength * per_g), ("limit_mmol_l", most))
        found.append(Line("warning_calcium_dose", values))
    return tuple(found)
