"""From a decision's facts and an order to the questions the benefit and the harm model ask."""

from __future__ import annotations

from datetime import date

from opentpe.domain.decision import Decision
from opentpe.domain.therapy import Prescription
from opentpe.evidence.load import Library
from opentpe.simulation.benefit import BenefitFacts
from opentpe.simulation.benefit_model import severe_fraction
from opentpe.simulation.harm import HarmFacts


def nmosd_open(decision: Decision) -> bool:
    """True while neuromyelitis optica or MOGAD is diagnosed or not yet excluded: the MS model does not apply."""
    branch, open_ = decision.fact("branch"), decision.fact("serology_open")
    other = branch is not None and branch.value not in (None, "ms")
    return other or (open_ is not None and open_.value is True)


def benefit_facts(decision: Decision, onset: date | None, sessions: int, library: Library) -> BenefitFacts:
    """The benefit model's questions answered from the facts of the walk; what is not known stays not known."""
    first = decision.start_on or decision.on
    pattern, kind = _text(decision, "mri_lesion_pattern"), _text(decision, "attack_kind")
    return BenefitFacts(
        delay_days=None if onset is None else float((first - onset).days),
        severe_fraction=severe_fraction(
            library,
            edss=_number(decision, "edss_now"),
            visual_acuity=_number(decision, "visual_acuity"),
            plegia_bulbar_or_coma=_flag(decision, "severe_function"),
        ),
        course=_course(decision),
        gd_enhancement=_answer(decision, "gd_enhancement", "present", "absent"),
        ring_enhancement=None if not pattern else pattern == "ring_enhancing",
        mass_effect=None if not pattern else pattern == "mass_effect",
        reflexes_preserved=_answer(decision, "reflexes", "preserved", "absent"),
        optic_neuritis=kind == "optic_neuritis",
        sessions_planned=sessions,
    )


def harm_facts(
    order: Prescription, sessions: int, volume_ml: float, library: Library, decision: Decision | None = None
) -> HarmFacts:
    """The harm model's questions answered from the order, and from the patient's facts where there are any."""
    plasma = sum(p.fraction for p in order.fluids if library.document(f"fluids/{p.fluid}")["donor_plasma"])
    units = plasma * volume_ml / library.value("fluids/plasma.bottle_ml")
    return HarmFacts(
        sessions_count=sessions,
        calcium=order.calcium is not None and order.calcium.amount > 0,
        plasma_units=(units,) * sessions if units else (),
        central_catheter=bool(library.document(f"equipment/access_{order.access}")["central"]),
        ace_inhibitor_within_24_h=decision is not None and _flag(decision, "ace_inhibitor") is True,
    )


def _course(decision: Decision) -> str:
    if _flag(decision, "progressive"):
        return "progressive_with_relapse" if _flag(decision, "superimposed") else "progressive"
    course = _text(decision, "course")
    return "relapsing" if course in ("relapsing", "cis") else ""


def _number(decision: Decision, name: str) -> float | None:
    fact = decision.fact(name)
    return (
        float(fact.value) if fact and isinstance(fact.value, int | float) and not isinstance(fact.value, bool) else None
    )


def _flag(decision: Decision, name: str) -> bool | None:
    fact = decision.fact(name)
    return fact.value if fact and isinstance(fact.value, bool) else None


def _text(decision: Decision, name: str) -> str:
    fact = decision.fact(name)
    return fact.value if fact and isinstance(fact.value, str) else ""


def _answer(decision: Decision, name: str, yes: str, no: str) -> bool | None:
    return {yes: True, no: False}.get(_text(decision, name))
