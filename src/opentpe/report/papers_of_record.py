"""Papers that tell others what the record holds: the referral letter and the note for the payer."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from opentpe.domain.consultation import Consultation
from opentpe.domain.patient import Medication, Observation
from opentpe.domain.relapse import SteroidCourse
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.paper import Block, Row
from opentpe.report.parts import banner
from opentpe.report.view import Column, Table

_SEROLOGY: Final = ("aqp4_igg", "mog_igg", "jcv_index")
_MRI: Final = ("gd_enhancement", "mri_lesion_pattern")
_INFECTION: Final = ("temperature", "crp", "leucocytes", "infection_symptoms", "urine_nitrite", "urine_culture")
_SIZE: Final = ("weight", "height", "haematocrit")
_BLOOD: Final = ("platelets", "fibrinogen", "igg", "inr", "creatinine")
_VEINS: Final = ("veins_left", "veins_right", "arm_usable_left", "arm_usable_right")
_BLADDER: Final = ("bladder_retention",)
_DRUGS: Final = ("ace_inhibitor", "anticoagulant", "antibody", "immunoglobulin", "dmt")
_CODES: Final = ("cpt", "icd10pcs", "ops", "snomed")


def referral(consultation: Consultation, pen: Desk) -> tuple[Block, ...]:
    """One page for the unit that will exchange: attack, steroids, findings, size, veins, drugs, what is open."""
    decision = consultation.decision
    asked = [pen.say("paper.asks", advice=pen.word("advice_name", decision.advice))]
    if decision.first_exchange_by:
        asked.append(pen.say("banner.first_exchange_by", on=decision.first_exchange_by))
    attack = (
        _row("deficit", _deficit(consultation, pen), pen),
        _row("onset", _onset(consultation, pen), pen),
        _row("edss", _edss(consultation), pen),
        _row("steroids", "; ".join(steroid_lines(consultation, pen)), pen),
    )
    findings = (
        _found("serology", _SEROLOGY, consultation, pen),
        _found("mri", _MRI, consultation, pen),
        _found("infection", _INFECTION, consultation, pen),
        _found("bladder", _BLADDER, consultation, pen),
    )
    for_exchange = (
        _found("size", _SIZE, consultation, pen),
        _found("blood", _BLOOD, consultation, pen),
        _found("veins", _VEINS, consultation, pen),
        *(_row(group, drugs(consultation, group, pen), pen, none="paper.no_drug") for group in _DRUGS),
        _row("allergy", ", ".join(a.text for a in consultation.patient.allergies), pen),
    )
    return (
        Block(texts=(" ".join(asked),)),
        Block(pen.say("paper_part.attack"), rows=attack),
        Block(pen.say("paper_part.findings"), rows=findings),
        Block(pen.say("paper_part.for_exchange"), rows=for_exchange),
        Block(
            pen.say("paper_part.open"),
            rows=tuple(Row(pen.say(f"paper_row.{k}"), "", open=True) for k in ("consent", "contact")),
        ),
    )


def payer(consultation: Consultation, pen: Desk) -> tuple[Block, ...]:
    """What a payer asks: indication with category, steroids that failed, volumes per session, codes with edition."""
    decision = consultation.decision
    said = (banner.reason(r, decision, pen) for r in decision.reasons)
    why = tuple(f"{line.text} ({line.level})" if line.level else line.text for line in said)
    rows = (
        _row("deficit", _deficit(consultation, pen), pen),
        _row("onset", _onset(consultation, pen), pen),
        _row("steroids", "; ".join(steroid_lines(consultation, pen)), pen),
        _row("codes", codes(pen), pen),
        Row(pen.say("paper_row.edition"), pen.say("paper.edition")),
    )
    table = _delivered(consultation, pen)
    return (
        Block(pen.say("paper_part.indication"), rows=rows, texts=why),
        Block(pen.say("paper_part.sessions"), table=table),
    )


def _row(name: str, value: str, pen: Desk, none: str = "word.not_recorded") -> Row:
    return Row(pen.say(f"paper_row.{name}"), value or pen.say(none), not value)


def _found(name: str, kinds: Iterable[str], consultation: Consultation, pen: Desk) -> Row:
    parts = [finding(found, pen) for kind in kinds if (found := consultation.patient.latest(kind, consultation.on))]
    return _row(name, "; ".join(parts), pen)


def finding(found: Observation, pen: Desk) -> str:
    """A finding in words with its day: "haematocrit 0.38 (18 Feb)"."""
    value = pen.amount(found.value, found.unit) if found.value is not None else pen.sentences.value(found.answer)
    day = words.short_date(found.when.first_day, pen.sentences.numbers)
    return f"{pen.word('finding', found.kind)} {value} ({day})"


def _deficit(consultation: Consultation, pen: Desk) -> str:
    found = consultation.patient.latest("target_deficit", consultation.on)
    if found is None:
        return ""
    return ", ".join(part for part in (pen.sentences.value(found.answer), found.text) if part)


def _onset(consultation: Consultation, pen: Desk) -> str:
    relapse = consultation.relapse
    if relapse is None or relapse.onset is None:
        return ""
    onset = words.long_date(relapse.onset.first_day, pen.sentences.numbers)
    return pen.say("paper.onset", onset=onset, day=relapse.day(consultation.on))


def _edss(consultation: Consultation) -> str:
    relapse = consultation.relapse
    if relapse is None or relapse.nadir_edss is None:
        return ""
    before = "–" if relapse.baseline_edss is None else f"{relapse.baseline_edss:.1f}"
    return f"{before} → {relapse.nadir_edss:.1f}"


def steroid_lines(consultation: Consultation, pen: Desk) -> list[str]:
    """Each steroid course in words: drug, dose, route, number of doses and days."""
    courses = consultation.relapse.steroids if consultation.relapse else ()
    return [_steroids(course, pen) for course in courses]


def _steroids(course: SteroidCourse, pen: Desk) -> str:
    parts = []
    doses = sorted(course.doses, key=lambda d: d.on)
    for (drug, dose_mg, route), group in groupby(doses, key=lambda d: (d.drug, d.dose_mg, d.route)):
        days = [d.on for d in group]
        parts.append(
            pen.say(
                "paper.steroids",
                drug=drug.replace("_", " "),
                dose_mg=dose_mg,
                route=pen.word("route", route) if route else "",
                count=len(days),
                first=days[0],
                last=days[-1],
            )
        )
    return ", ".join(parts)


def drugs(consultation: Consultation, group: str, pen: Desk) -> str:
    """The drugs of a group with the day of the last dose, empty where none is recorded."""
    return ", ".join(_drug(m, pen) for m in consultation.patient.medications if m.group == group)


def _drug(taken: Medication, pen: Desk) -> str:
    last = taken.end or taken.start
    if last is None:
        return taken.name or taken.kind
    day = words.short_date(last.latest.date(), pen.sentences.numbers)
    return pen.say("paper.last_dose", drug=taken.name or taken.kind, day=day)


def codes(pen: Desk) -> str:
    """Procedure codes of a plasma exchange that name a source, with system and edition as read."""
    document = pen.library.documents.get("codes/procedures", {})
    entries = document.get("procedure", {}).get("plasma_exchange", {}).get("codes", [])
    parts = []
    for entry in entries:
        citation = pen.library.citations.get(str(entry.get("source", "")))
        for system in _CODES:
            if citation and system in entry:
                parts.append(f"{pen.word('code_system', system)} {', '.join(entry[system])} ({citation.text})")
    return "; ".join(parts)


def _delivered(consultation: Consultation, pen: Desk) -> Table | None:
    order = consultation.order
    if order is None or not order.dates:
        return None
    done = {p.n: p for p in order.course.performed}
    columns = [Column(pen.say("column.session"))]
    columns += [
        Column(pen.say(f"column.{head}"), numeric=False)
        for head in ("day", "planned", "delivered", "evaluation", "complications")
    ]
    rows = []
    for n, on in enumerate(order.dates, 1):
        performed = done.get(n)
        delivered = performed.plasma_removed_ml if performed else None
        rows.append(
            (
                str(n),
                words.day(on, pen.sentences.numbers),
                pen.amount(order.volume_ml, "mL") if order.volume_ml else "",
                pen.amount(delivered, "mL") if delivered else "",
                "",
                performed.note if performed else "",
            )
        )
    return Table("", tuple(columns), tuple(rows))
