"""Named questions about safety: drugs around an exchange, blood values, size, pregnancy, the unit's means."""

from __future__ import annotations

import re
from typing import Final

from opentpe.domain.decision import Fact
from opentpe.domain.patient import Observation
from opentpe.pathway.sheet import Sheet, last_taken

_COMPLEMENT: Final = ("eculizumab", "ravulizumab")
_ANTI_IL6: Final = ("satralizumab", "tocilizumab")
_LEVEL: Final = re.compile(r"\b([CTL])\s?(\d{1,2})\b", re.IGNORECASE)
_RISES_WITH: Final = {"C": 0, "T": 8, "L": 20}
_DYSREFLEXIA_TOP: Final = _RISES_WITH["T"] + 6  # counted from C1; T6 is the anatomical limit of the splanchnic outflow


def urine_positive(sheet: Sheet) -> Fact:
    """Whether nitrite or culture of a recent urine is positive."""
    for kind in ("urine_culture", "urine_nitrite"):
        row = sheet.newest.get(kind)
        if row is not None and row.answer == "positive":
            age = row.when.age_days(sheet.on)
            if age <= sheet.limits["look_back.urine_d"]:
                return Fact("urine_positive", kind, (row.source,), age)
    return sheet.no("urine_positive")


def leucocytes_on_steroids(sheet: Sheet) -> Fact:
    """A raised leucocyte count during or just after high-dose steroids, which proves no infection."""
    row, since = sheet.newest.get("leucocytes"), sheet.value("days_since_steroid_end")
    if row is None or row.value is None or since is None:
        return sheet.no("leucocytes_on_steroids")
    raised = row.value > sheet.limits["infection.leucocytes_10_9_l"]
    recent = since <= sheet.limits["infection.leucocytes_after_steroids_d"]
    value = row.value if raised and recent else False
    return Fact("leucocytes_on_steroids", value, (row.source,), row.when.age_days(sheet.on))


def _drug(sheet: Sheet, name: str, kinds: tuple[str, ...], days: float) -> Fact:
    for kind in kinds:
        for drug in sheet.drugs.get(kind, ()):
            last = last_taken(drug, sheet.on)
            if last is not None and (sheet.on - last).days <= days:
                return Fact(name, drug.kind, (drug.source,), (sheet.on - last).days)
    return sheet.no(name)


def complement_inhibitor(sheet: Sheet) -> Fact:
    """A complement inhibitor whose label asks for a supplement with each exchange."""
    return _drug(sheet, "complement_inhibitor", _COMPLEMENT, sheet.limits["look_back.antibody_d"])


def anti_il6(sheet: Sheet) -> Fact:
    """An antibody against the interleukin 6 receptor: fever and CRP do not show infection."""
    return _drug(sheet, "anti_il6", _ANTI_IL6, sheet.limits["look_back.antibody_d"])


def antibody_just_given(sheet: Sheet) -> Fact:
    """An antibody given so recently that an exchange would remove much of the dose."""
    drug = _drug(sheet, "antibody_just_given", ("antibody",), sheet.limits["drug.antibody_gap_h"] / 24)
    return drug if drug.value not in _COMPLEMENT else sheet.no("antibody_just_given")


def antibody(sheet: Sheet) -> Fact:
    """A therapeutic antibody still in the blood."""
    return _drug(sheet, "antibody", ("antibody",), sheet.limits["look_back.antibody_d"])


def ivig_just_given(sheet: Sheet) -> Fact:
    """Immunoglobulin given so recently that an exchange would remove it."""
    return _drug(sheet, "ivig_just_given", ("immunoglobulin",), sheet.limits["drug.ivig_look_back_d"])


def vaccine_just_given(sheet: Sheet) -> Fact:
    """A vaccine given so recently that the antibodies it raises would be removed."""
    return _drug(sheet, "vaccine_just_given", ("vaccine",), sheet.limits["look_back.vaccine_d"])


def plasma_intolerance(sheet: Sheet) -> Fact:
    """Why donor plasma is to be avoided: IgA deficiency, very low IgA, a plasma allergy, a refusal."""
    for kind in ("iga_deficiency",):
        if kind in sheet.conditions:
            return Fact("plasma_intolerance", kind, (sheet.conditions[kind].source,))
    allergy = next((a for a in sheet.patient.allergies if a.kind in ("plasma", "iga_deficiency")), None)
    if allergy is not None:
        return Fact("plasma_intolerance", allergy.kind, (allergy.source,))
    refused = _said(sheet, ("no_donor_plasma", "no_blood_products"))
    if refused is not None:
        return Fact("plasma_intolerance", "refused", (refused.source,), refused.when.age_days(sheet.on))
    row = sheet.newest.get("iga")
    if row is not None and row.value is not None and row.value < sheet.limits["safety.iga_low_g_l"]:
        return Fact("plasma_intolerance", "iga_low", (row.source,), row.when.age_days(sheet.on))
    return sheet.no("plasma_intolerance")


def _said(sheet: Sheet, answers: tuple[str, ...]) -> Observation | None:
    """The first of several preferences that the patient has stated."""
    rows = {row.answer: row for row in sheet.findings.get("preference", ())}
    return next((rows[answer] for answer in answers if answer in rows), None)


def preference(sheet: Sheet) -> Fact:
    """The stated preference that weighs most on the plan: a refusal first."""
    row = _said(sheet, ("declines_exchange", "no_blood_products")) or sheet.newest.get("preference")
    if row is None:
        return sheet.no("preference")
    return Fact("preference", row.answer, (row.source,), row.when.age_days(sheet.on))


def allergy_on_circuit(sheet: Sheet) -> Fact:
    """An allergy to something the circuit or the order contains."""
    kinds = ("albumin", "heparin", "ethylene_oxide", "latex", "citrate")
    row = next((a for a in sheet.patient.allergies if a.kind in kinds), None)
    return Fact("allergy_on_circuit", row.kind, (row.source,)) if row else sheet.no("allergy_on_circuit")


def pregnant(sheet: Sheet) -> Fact:
    """Whether the patient is pregnant; not asked where it cannot be."""
    row = sheet.newest.get("pregnancy")
    if row is not None and row.when.age_days(sheet.on) <= sheet.limits["look_back.pregnancy_d"]:
        return Fact("pregnant", row.answer == "pregnant", (row.source,), row.when.age_days(sheet.on))
    listed = sheet.conditions.get("pregnancy")
    if listed is not None:
        return Fact("pregnant", True, (listed.source,))
    age = sheet.value("age_years")
    fertile = age is None or sheet.limits["safety.fertile_from_y"] <= age <= sheet.limits["safety.fertile_to_y"]
    if sheet.patient.sex != "male" and fertile:
        return sheet.unknown("pregnant")
    return sheet.no("pregnant")


def bmi(sheet: Sheet) -> Fact:
    """Body mass index from measured weight and height, kg/m²."""
    weight, height = sheet.newest.get("weight"), sheet.newest.get("height")
    if weight is None or height is None or not weight.value or not height.value:
        return sheet.unknown("bmi")
    return Fact("bmi", weight.value / (height.value / 100) ** 2, (weight.source, height.source))


def _lesion_height(text: str) -> int | None:
    match = _LEVEL.search(text)
    return None if match is None else _RISES_WITH[match[1].upper()] + int(match[2])


def lesion_t6_or_above(sheet: Sheet) -> Fact:
    """The level of a cord lesion at T6 or above."""
    row = sheet.newest.get("lesion_level")
    if row is None:
        return sheet.no("lesion_t6_or_above")
    text = row.text or row.answer
    height = _lesion_height(text)
    high = height is not None and height <= _DYSREFLEXIA_TOP
    return Fact("lesion_t6_or_above", text if high else False, (row.source,), row.when.age_days(sheet.on))


def plegic(sheet: Sheet) -> Fact:
    """Whether the patient cannot walk: cannot stand, plegia by score, or a plegic target deficit."""
    stand, pyramidal = sheet.newest.get("can_stand"), sheet.newest.get("fs_pyramidal")
    if stand is not None and stand.answer == "no":
        return Fact("plegic", True, (stand.source,), stand.when.age_days(sheet.on))
    if pyramidal is not None and (pyramidal.value or 0) >= sheet.limits["severity.plegia_fs"]:
        return Fact("plegic", True, (pyramidal.source,), pyramidal.when.age_days(sheet.on))
    return sheet.no("plegic")


def plegia_new(sheet: Sheet) -> Fact:
    """Whether plegia came with this attack."""
    rise, row = sheet.ask("pyramidal_rise"), sheet.newest.get("fs_pyramidal")
    high = row is not None and (row.value or 0) >= sheet.limits["severity.plegia_fs"]
    if not high or not rise.value:
        return sheet.no("plegia_new")
    return Fact("plegia_new", True, rise.sources, rise.age_days)


def poor_veins(sheet: Sheet) -> Fact:
    """Whether no arm offers a usable vein."""
    newest = sheet.newest
    for side in ("left", "right"):
        veins, arm = newest.get(f"veins_{side}"), newest.get(f"arm_usable_{side}")
        if not ((veins is not None and veins.answer == "poor") or (arm is not None and arm.answer == "unusable")):
            return sheet.no("poor_veins")
    seen = (newest.get(kind) for kind in ("veins_left", "veins_right", "arm_usable_left", "arm_usable_right"))
    return Fact("poor_veins", True, tuple(row.source for row in seen if row is not None))


def modality(sheet: Sheet) -> Fact:
    """The unit's method: centrifuge_citrate, membrane_heparin or immunoadsorption."""
    return Fact("modality", str(sheet.unit["modality"]), ("unit",))


def exchange_elsewhere(sheet: Sheet) -> Fact:
    """Whether the exchange must be done at another hospital."""
    if sheet.unit["has_separator"]:
        return sheet.no("exchange_elsewhere")
    return Fact("exchange_elsewhere", True, ("unit",))


def line_or_puncture_due(sheet: Sheet) -> Fact:
    """A procedure that needs clotting: central line, lumbar puncture or surgery due."""
    row = sheet.newest.get("procedure_due")
    due = row is not None and row.answer in ("line", "lumbar_puncture", "surgery", "neuraxial", "delivery")
    if row is None or not due:
        return sheet.no("line_or_puncture_due")
    return Fact("line_or_puncture_due", row.answer, (row.source,), row.when.age_days(sheet.on))
