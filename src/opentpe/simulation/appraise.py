"""From a decision's facts and an order to the questions the benefit and the harm model ask."""

from __future__ import annotations

from datetime import date

from opentpe.domain.decision import Decision
from opentpe.domain.therapy import Prescription
from opentpe.evidence.load import Library
from opentpe.simulation import benefit
from opentpe.simulation.benefit import BenefitFacts
from opentpe.simulation.harm import HarmFacts


def nmosd_open(decision: Decision) -> bool:
    """True while neuromyelitis optica is diagnosed, or not excluded and MS not established: the MS model waits."""
    return benefit.nmosd_open(decision.facts)


def benefit_facts(decision: Decision, onset: date | None, sessions: int, library: Library) -> BenefitFacts:
    """The benefit model's questions answered from the facts of the walk; what is not known stays not known."""
    first = decision.start_on or decision.reassess_on or decision.on
    delay = None if onset is None else float((first - onset).days)
    return benefit.benefit_facts(decision.facts, library, delay_days=delay, sessions_planned=sessions)


def harm_facts(
    order: Prescription, sessions: int, volume_ml: float, library: Library, decision: Decision | None = None
) -> HarmFacts:
    """The harm model's questions answered from the order, and from the patient's facts where there are any."""
    plasma = sum(p.fraction for p in order.fluids if library.document(f"fluids/{p.fluid}")["donor_plasma"])
    taken = decision.fact("ace_inhibitor") if decision else None
    units = plasma * volume_ml / library.value("fluids/plasma.bottle_ml")
    return HarmFacts(
        sessions_count=sessions,
        calcium=order.calcium is not None and order.calcium.amount > 0,
        plasma_units=(units,) * sessions if units else (),
        central_catheter=bool(library.document(f"equipment/access_{order.access}")["central"]),
        ace_inhibitor_within_24_h=taken is not None and bool(taken.value),
    )
