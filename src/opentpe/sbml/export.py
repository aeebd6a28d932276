"""The course kinetics of one patient as SBML Level 3 Version 2: what `kernel/march.py` computes, for other simulators.

One species per pool of each solute, in mg; one reaction per flow; events switch plasma flow, fluids and doses at the
edges of the schedule's segments. Time counts in minutes from the start of the schedule. Units are declared throughout;
solutes counted in per cent or as a ratio carry mg/mL in name only (their notes say so).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import libsbml
import numpy as np

from opentpe.errors import EvidenceError, InputError
from opentpe.kernel import pools, turnover
from opentpe.kernel.arrays import (
    BLOCKER,
    DEPOT,
    FCRN,
    PLASMA,
    SATURABLE,
    SC,
    SYNTHESIS,
    TISSUE,
    Cohort,
    Floats,
    Schedule,
    pack,
)

LEVEL: Final = 3
VERSION: Final = 2
_SBO: Final = {
    "production": 393,
    "degradation": 179,
    "transport": 185,
    "protein": 252,
    "compartment": 290,
    "rate": 35,
}
_UNITS: Final[Mapping[str, tuple[tuple[int, int, int, float], ...]]] = {
    "mg": ((libsbml.UNIT_KIND_GRAM, 1, -3, 1.0),),
    "minute": ((libsbml.UNIT_KIND_SECOND, 1, 0, 60.0),),
    "ml": ((libsbml.UNIT_KIND_LITRE, 1, -3, 1.0),),
    "per_minute": ((libsbml.UNIT_KIND_SECOND, -1, 0, 60.0),),
    "mg_per_minute": ((libsbml.UNIT_KIND_GRAM, 1, -3, 1.0), (libsbml.UNIT_KIND_SECOND, -1, 0, 60.0)),
    "ml_per_minute": ((libsbml.UNIT_KIND_LITRE, 1, -3, 1.0), (libsbml.UNIT_KIND_SECOND, -1, 0, 60.0)),
    "mg_per_ml": ((libsbml.UNIT_KIND_GRAM, 1, -3, 1.0), (libsbml.UNIT_KIND_LITRE, -1, -3, 1.0)),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One solute of the cohort: key as its identifier, name, unit as shown, sources as identifiers.org addresses."""

    key: str
    name: str
    unit: str = "g/L"
    sources: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A model under construction with the patient and the schedule it is made of."""

    model: Any
    cohort: Cohort
    plan: Schedule
    columns: Sequence[Column]
    rest: Mapping[str, Floats]

    def of(self, name: str, j: int) -> float:
        """A per-solute parameter of the patient."""
        return float(getattr(self.cohort, name)[0, j])

    def person(self, name: str) -> float:
        """A per-patient parameter."""
        return float(getattr(self.cohort, name)[0])


def export(cohort: Cohort, schedule: Schedule, columns: Sequence[Column], title: str) -> str:
    """The SBML text of a cohort of one patient under a schedule of one row.

    Raises `InputError` for more than one patient; `EvidenceError` where libSBML refuses the document.
    """
    if cohort.plasma_ml.size != 1 or schedule.start_min.size != 1:
        raise InputError("export", f"{cohort.plasma_ml.size} patients", "one", "Choose one row.")
    document = libsbml.SBMLDocument(LEVEL, VERSION)
    model = document.createModel()
    _ok(model.setId("opentpe_course"))
    _ok(model.setName(title))
    _units(model)
    draft = _Draft(model, cohort, schedule, columns, _at_rest(cohort))
    _compartments(draft)
    _globals(draft)
    for j in range(len(columns)):
        _solute(draft, j)
    _events(draft)
    _check(document)
    return str(libsbml.writeSBMLToString(document))


def _at_rest(cohort: Cohort) -> dict[str, Floats]:
    """What the kernel starts from: amounts, synthesis and the share that FcRn returns."""
    state = pools.blank_state(cohort.law.size)
    pools.rest(pools.row(0, pack(cohort)), state)
    rows = {"plasma": PLASMA, "tissue": TISSUE, "synthesis": SYNTHESIS}
    shares = [turnover.recycled_share(rate, cohort.fcrn_free_rate[0]) for rate in cohort.catabolic_rate[0]]
    return {**{name: state.amount[row].copy() for name, row in rows.items()}, "recycled": np.array(shares)}


def problems(text: str) -> list[str]:
    """Everything libSBML says about a document: errors, warnings and unit inconsistencies; empty for a sound one."""
    document = libsbml.readSBMLFromString(text)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, True)
    document.checkConsistency()
    return [document.getError(i).getMessage().strip() for i in range(document.getNumErrors())]


def _check(document: Any) -> None:
    found = problems(libsbml.writeSBMLToString(document))
    if found:
        raise EvidenceError("the SBML export is not sound: " + found[0])


def _ok(code: int) -> None:
    if code != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise EvidenceError(f"libSBML refused an element: {libsbml.OperationReturnValue_toString(code)}")


def _units(model: Any) -> None:
    for name, parts in _UNITS.items():
        definition = model.createUnitDefinition()
        _ok(definition.setId(name))
        for kind, exponent, scale, multiplier in parts:
            unit = definition.createUnit()
            unit.setKind(kind)
            unit.setExponent(exponent)
            unit.setScale(scale)
            unit.setMultiplier(multiplier)
    model.setTimeUnits("minute")
    model.setSubstanceUnits("mg")
    model.setExtentUnits("mg")
    model.setVolumeUnits("ml")


def _compartments(draft: _Draft) -> None:
    for name, constant in (("plasma", False), ("tissue", True), ("depot", True)):
        compartment = draft.model.createCompartment()
        _ok(compartment.setId(name))
        compartment.setSpatialDimensions(3)
        compartment.setSize(draft.person("plasma_ml") if name == "plasma" else 1.0)
        compartment.setUnits("ml")
        compartment.setConstant(constant)
        compartment.setSBOTerm(_SBO["compartment"])
    swelling = draft.model.createRateRule()
    _ok(swelling.setVariable("plasma"))
    _math(swelling, "volume_slope")


def _globals(draft: _Draft) -> None:
    _parameter(draft, "plasma_at_rest", draft.person("plasma_ml"), "ml")
    for name in ("plasma_flow", "replacement_flow", "volume_slope"):
        _parameter(draft, name, 0.0, "ml_per_minute", constant=False)
    if not np.any(draft.cohort.law & FCRN):
        return
    _parameter(draft, "fcrn_free_rate", draft.person("fcrn_free_rate"), "per_minute")
    _parameter(draft, "fcrn_half", draft.person("fcrn_half"), "mg_per_ml")
    _parameter(draft, "fcrn_reference", draft.person("fcrn_reference"), "mg_per_ml")
    _parameter(draft, "blocker", 0.0, "dimensionless", constant=False)
    _parameter(draft, "blocker_half", draft.person("blocker_half"), "dimensionless")
    _parameter(draft, "blocker_loss_rate", draft.person("blocker_loss_rate"), "per_minute")
    _parameter(draft, "blocker_spread_ratio", draft.person("blocker_spread_ratio"), "dimensionless")
    wasting = draft.model.createRateRule()
    _ok(wasting.setVariable("blocker"))
    _math(wasting, "-(blocker_loss_rate + plasma_flow / (blocker_spread_ratio * plasma)) * blocker")
    whole = [j for j in range(len(draft.columns)) if draft.cohort.igg_weight[j] > 0]
    total = " + ".join(
        f"{draft.columns[j].key}_plasma / ({draft.columns[j].key}_central_ratio * plasma)" for j in whole
    )
    drive = "(fcrn_half + fcrn_reference) / (fcrn_half + total_igg) * blocker_half / (blocker + blocker_half)"
    _assigned(draft, "total_igg", total, "mg_per_ml")
    _assigned(draft, "recycling_drive", drive, "dimensionless")


def _solute(draft: _Draft, j: int) -> None:
    column, law = draft.columns[j], int(draft.cohort.law[j])
    key, spread = column.key, draft.of("return_rate", j) > 0
    _species(draft, column, "plasma", draft.rest["plasma"][j])
    for name, unit in (("catabolic_rate", "per_minute"), ("central_ratio", "dimensionless")):
        _parameter(draft, f"{key}_{name}", draft.of(name, j), unit)
    _parameter(draft, f"{key}_spread_ratio", draft.of("spread_ratio", j), "dimensionless")
    _parameter(draft, f"{key}_content", 0.0, "mg_per_ml", constant=False)
    _parameter(draft, f"{key}_sieving", 1.0, "dimensionless", constant=False)
    _parameter(draft, f"{key}_synthesis", draft.rest["synthesis"][j], "mg_per_minute")
    here = f"{key}_plasma"
    _reaction(draft, f"{key}_production", "production", "", here, f"{key}_synthesis", column.sources)
    _reaction(draft, f"{key}_catabolism", "degradation", here, "", _burnt(draft, j), column.sources)
    cleared = f"{key}_sieving * plasma_flow / ({key}_spread_ratio * plasma) * {here}"
    _reaction(draft, f"{key}_removal", "transport", here, "", cleared)
    _reaction(draft, f"{key}_replacement", "transport", "", here, f"replacement_flow * {key}_content")
    if spread:
        _species(draft, column, "tissue", draft.rest["tissue"][j])
        _parameter(draft, f"{key}_escape_rate", draft.of("escape_rate", j), "per_minute")
        _parameter(draft, f"{key}_return_rate", draft.of("return_rate", j), "per_minute")
        out = f"{key}_escape_rate * plasma_at_rest / plasma * {here}"
        _reaction(draft, f"{key}_escape", "transport", here, f"{key}_tissue", out)
        _reaction(draft, f"{key}_return", "transport", f"{key}_tissue", here, f"{key}_return_rate * {key}_tissue")
    if law & DEPOT:
        _species(draft, column, "depot", 0.0)
        _parameter(draft, f"{key}_absorption_rate", draft.of("absorption_rate", j), "per_minute")
        _reaction(draft, f"{key}_absorption", "transport", f"{key}_depot", here, f"{key}_absorption_rate * {key}_depot")
    _assigned(draft, f"{key}_concentration", f"{here} / ({key}_central_ratio * plasma)", "mg_per_ml")


def _burnt(draft: _Draft, j: int) -> str:
    """Catabolism of solute j as a formula: fixed, FcRn-dependent and saturable routes."""
    key, law = draft.columns[j].key, int(draft.cohort.law[j])
    rate = f"{key}_catabolic_rate"
    if law & FCRN:
        _parameter(draft, f"{key}_recycled", draft.rest["recycled"][j], "dimensionless")
        rate = f"fcrn_free_rate * (1 dimensionless - min(1 dimensionless, {key}_recycled * recycling_drive))"
    if law & SATURABLE:
        _parameter(draft, f"{key}_saturable", draft.of("saturable_mg_min", j), "mg_per_minute")
        _parameter(draft, f"{key}_saturable_half", draft.of("saturable_half", j), "mg_per_ml")
        rate = f"({rate} + {key}_saturable / ({key}_saturable_half * {key}_central_ratio * plasma + {key}_plasma))"
    return f"{rate} * {key}_plasma"


def _events(draft: _Draft) -> None:
    """The first segment sets initial values; every later edge is one event that assigns what changes there."""
    plan, count = draft.plan, int(draft.plan.segment_count[0])
    now: dict[str, str] = {}
    elapsed = 0.0
    for s in range(count):
        target = {name: f"{value!r} {unit}" for name, (value, unit) in _settings(draft, s).items()}
        changed = {name: text for name, text in target.items() if now.get(name) != text}
        changed.update(_doses(draft, s))
        if s and plan.volume_start[0, s] != plan.volume_end[0, s - 1]:
            changed["plasma"] = f"{float(plan.volume_start[0, s])!r} dimensionless * plasma_at_rest"
        if s == 0:
            _initial(draft, _settings(draft, 0), changed)
        elif changed:
            _event(draft, f"edge_{s}", elapsed, changed)
        now.update(target)
        elapsed += float(plan.duration_min[0, s])


def _settings(draft: _Draft, s: int) -> dict[str, tuple[float, str]]:
    """Flows, volume slope, fluid content and sieving of a segment."""
    plan, rest, delivered = draft.plan, draft.person("plasma_ml"), draft.person("delivered_ratio")
    slope = (plan.volume_end[0, s] - plan.volume_start[0, s]) * rest / plan.duration_min[0, s]
    found = {
        "plasma_flow": (float(plan.plasma_flow[0, s]) * delivered, "ml_per_minute"),
        "replacement_flow": (float(plan.replacement_flow[0, s]) * delivered, "ml_per_minute"),
        "volume_slope": (float(slope), "ml_per_minute"),
    }
    for j, column in enumerate(draft.columns):
        found[f"{column.key}_content"] = (float(plan.fluid_content[plan.fluid[0, s], j]), "mg_per_ml")
        found[f"{column.key}_sieving"] = (float(plan.sieving_fraction[plan.sieve[0, s], j]), "dimensionless")
    return found


def _doses(draft: _Draft, s: int) -> dict[str, str]:
    """Doses at the start of a segment, as what their targets become."""
    plan = draft.plan
    given: dict[str, str] = {}
    for d in range(int(plan.dose_count[0])):
        if plan.dose_segment[0, d] != s:
            continue
        j, amount, unit = int(plan.dose_solute[0, d]), float(plan.dose_amount[0, d]), "mg"
        target = "blocker" if j == BLOCKER else f"{draft.columns[j].key}_plasma"
        if j == BLOCKER:
            unit = "dimensionless"
        elif plan.dose_route[0, d] == SC:
            target = f"{draft.columns[j].key}_depot"
            amount *= draft.of("available_fraction", j)
        given[target] = f"{given.get(target, target)} + {amount!r} {unit}"
    return given


def _initial(draft: _Draft, settings: Mapping[str, tuple[float, str]], changed: Mapping[str, str]) -> None:
    for name, (value, _) in settings.items():
        draft.model.getParameter(name).setValue(value)
    for name in changed.keys() - settings.keys():
        assignment = draft.model.createInitialAssignment()
        _ok(assignment.setSymbol(name))
        start = (
            repr(draft.model.getSpecies(name).getInitialAmount()) + " mg" if name != "blocker" else "0 dimensionless"
        )
        _math(assignment, changed[name].replace(name, start, 1))


def _event(draft: _Draft, name: str, minute: float, changed: Mapping[str, str]) -> None:
    event = draft.model.createEvent()
    _ok(event.setId(name))
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(True)
    trigger.setPersistent(True)
    _math(trigger, f"time >= {minute!r} minute")
    for target, formula in changed.items():
        assignment = event.createEventAssignment()
        _ok(assignment.setVariable(target))
        _math(assignment, formula)


def _species(draft: _Draft, column: Column, pool: str, amount: float) -> None:
    species = draft.model.createSpecies()
    _ok(species.setId(f"{column.key}_{pool}"))
    species.setName(f"{column.name}, {pool}")
    species.setCompartment(pool)
    species.setInitialAmount(float(amount))
    species.setSubstanceUnits("mg")
    species.setHasOnlySubstanceUnits(True)
    species.setBoundaryCondition(False)
    species.setConstant(False)
    species.setSBOTerm(_SBO["protein"])
    if column.unit != "g/L":
        text = f"Counted in {column.unit}: the unit mg stands for {column.unit} x mL."
        _ok(species.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></body>'))


def _parameter(draft: _Draft, name: str, value: float, unit: str, *, constant: bool = True) -> Any:
    parameter = draft.model.createParameter()
    _ok(parameter.setId(name))
    parameter.setValue(float(value))
    parameter.setUnits(unit)
    parameter.setConstant(constant)
    return parameter


def _assigned(draft: _Draft, name: str, formula: str, unit: str) -> None:
    _parameter(draft, name, 0.0, unit, constant=False).unsetValue()
    rule = draft.model.createAssignmentRule()
    _ok(rule.setVariable(name))
    _math(rule, formula)


def _reaction(
    draft: _Draft, name: str, kind: str, source: str, target: str, formula: str, described_by: Sequence[str] = ()
) -> None:
    reaction = draft.model.createReaction()
    _ok(reaction.setId(name))
    reaction.setReversible(False)
    reaction.setSBOTerm(_SBO[kind])
    for species, create in ((source, reaction.createReactant), (target, reaction.createProduct)):
        if species:
            reference = create()
            _ok(reference.setSpecies(species))
            reference.setStoichiometry(1.0)
            reference.setConstant(True)
    law = reaction.createKineticLaw()
    _math(law, formula)
    node = law.getMath()
    used = {n for n in _names(node) if draft.model.getSpecies(n) is not None and n != source}
    for species in sorted(used - {target}):
        _ok(reaction.createModifier().setSpecies(species))
    _describe(reaction, name, described_by)


def _names(node: Any) -> set[str]:
    found = {node.getName()} if node.isName() else set()
    for i in range(node.getNumChildren()):
        found |= _names(node.getChild(i))
    return found


def _describe(element: Any, name: str, addresses: Sequence[str]) -> None:
    if not addresses:
        return
    _ok(element.setMetaId(f"meta_{name}"))
    term = libsbml.CVTerm(libsbml.BIOLOGICAL_QUALIFIER)
    term.setBiologicalQualifierType(libsbml.BQB_IS_DESCRIBED_BY)
    for address in addresses:
        term.addResource(address)
    _ok(element.addCVTerm(term))


def _math(element: Any, formula: str) -> None:
    node = libsbml.parseL3Formula(formula)
    if node is None:
        raise EvidenceError(f"SBML formula {formula!r}: {libsbml.getLastParseL3Error()}")
    _ok(element.setMath(node))
