"""Papers for the bedside: consent aid, go or no-go of one session, and the order ready to sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentpe.domain.consultation import Consultation
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.paper import Block, Row
from opentpe.report.papers_of_record import finding
from opentpe.report.parts import harm
from opentpe.report.parts import order as ordered
from opentpe.report.view import Column, Table

# What stands beside the table of limits, which holds the stops and calls before a session.
_ASIDE: Final = {"before_each": ("check", "hold"), "during": ("stop", "call", "check")}
_CONSENT: Final = ("procedure", "catheter", "plasma", "albumin")
_REFUSES: Final = {
    "no_donor_plasma": ("plasma",),
    "no_blood_products": ("plasma", "albumin"),
    "no_central_line": ("catheter",),
}
_ABOUT: Final = ("leaflet", "questions", "alternatives", "capacity", "surrogate", "interpreter", "withdrawal")
_SAID: Final = {
    "lab_age_h": "session.lab_age_h",
    "early": "follow_up.assess_early_session",
    "late": "follow_up.assess_late_session",
}
_BESIDE: Final = ("identity", "consent", "weight", "drugs", "infection", "pregnancy", "bladder", "deficit", "access")


def consent(consultation: Consultation, pen: Desk) -> tuple[Block, ...]:
    """Separate ticks for procedure, catheter, donor plasma and albumin; capacity, interpreter, how long it holds."""
    sessions = consultation.order.course.count if consultation.order else None
    refused = {part for wish in _wishes(consultation) for part in _REFUSES.get(wish, ())}
    holds = pen.say("consent.valid_for", count=sessions) if sessions else pen.say("consent.valid_open")
    return (
        Block(texts=(pen.say("consent.intro"),)),
        Block(
            pen.say("paper_part.agrees"),
            ticks=tuple(pen.say(f"consent.{k}") for k in _CONSENT if k not in refused),
            texts=tuple(pen.say("consent.refused", what=pen.say(f"consent.{k}")) for k in _CONSENT if k in refused),
        ),
        Block(pen.say("paper_part.told"), ticks=tuple(pen.say(f"consent.{k}") for k in _ABOUT), texts=(holds,)),
        Block(pen.say("paper_part.preferences"), texts=_preferences(consultation, pen) or (pen.say("consent.write"),)),
    )


def _wishes(consultation: Consultation) -> set[str]:
    return {found.answer for found in consultation.patient.seen("preference", consultation.on)}


def _preferences(consultation: Consultation, pen: Desk) -> tuple[str, ...]:
    """What the patient prefers and what it does to the order; the bare words where nothing is ordered."""
    if consultation.order is not None:
        return tuple(pen.line(line).text for line in consultation.order.lines if line.code.startswith("preference_"))
    seen = consultation.patient.seen("preference", consultation.on)
    return tuple(found.text or pen.sentences.value(found.answer) for found in seen)


def checklist(consultation: Consultation, pen: Desk) -> tuple[Block, ...]:
    """Go or no-go of one session: what stops it, what needs a call, what is noted; and the ticks at the chair."""
    rows = tuple(_check(row, consultation, pen) for row in pen.library.document("go_no_go").get("row", ()))
    said = {name: pen.library.value(f"limits.{key}") for name, key in _SAID.items()}
    heads = ("check", "latest", "today", "stop", "call", "do")
    columns = tuple(Column(pen.say(f"column.{head}"), numeric=False) for head in heads)
    alerts = tuple(
        Block(moment.when, texts=tuple(line.text for line in moment.lines if line.kind in kinds))
        for moment in harm.checks(consultation, pen)
        for kinds in (_ASIDE.get(moment.key, ()),)
    )
    return (
        Block(rows=(Row(pen.say("paper_row.session"), "", open=True),)),
        Block(pen.say("paper_part.values", **said), table=Table("", columns, rows)),
        Block(pen.say("paper_part.chair"), ticks=tuple(pen.say(f"chair.{k}", **said) for k in _BESIDE)),
        *alerts,
    )


def _check(row: Mapping[str, Any], consultation: Consultation, pen: Desk) -> tuple[str, ...]:
    kind = str(row["quantity"])
    latest = consultation.patient.latest(kind, consultation.on)
    name = pen.title("finding", kind)
    seen = finding(latest, pen).removeprefix(pen.word("finding", kind)).strip() if latest else "–"
    unit = str(row["unit"])
    do = pen.say(str(row["do"]), wait_h=pen.library.value("limits.safety.fibrinogen_wait_h"))
    return (name, seen, "", _limit(row, "stop", unit, pen), _limit(row, "call", unit, pen), do)


def _limit(row: Mapping[str, Any], grade: str, unit: str, pen: Desk) -> str:
    if grade not in row:
        return "–"
    value = pen.library.value(str(row[grade]))
    decimals = int(row.get("decimals", 0))
    return f"{pen.say('side.' + str(row['side']))} {words.amount(value, unit, pen.sentences.numbers, decimals)}"


def order(consultation: Consultation, pen: Desk) -> tuple[Block, ...]:
    """The order, one sentence a line, with days and fluids to pick; empty where nothing is ordered."""
    view = ordered.build(consultation, pen)
    if view is None:
        return (Block(texts=(pen.say("paper.no_order"),)),)
    lines = tuple(Row(line.label, line.text) for line in view.lines)
    if not view.days_told:
        lines += (Row(pen.say("heading.days"), ", ".join(f"{n}: {day}" for n, day in view.days)),)
    needs = (pen.say("heading.needs") + ": " + ", ".join(view.needs) + ".",) if view.needs else ()
    return (
        Block(texts=needs),
        Block(rows=lines),
        Block(pen.say("caption.picks"), table=view.picks),
        Block(texts=(pen.say("heading.void"),)),
    )
