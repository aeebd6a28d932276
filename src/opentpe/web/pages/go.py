"""Go or no-go of a session: today's values against the limits of the library, with what stops and what needs a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from opentpe.domain.patient import Observation, Patient
from opentpe.report import words_of_numbers as numbers
from opentpe.report.desk import Desk
from opentpe.report.papers_of_record import finding

SHOWN: Final = 4  # as many as a headline holds; the table below names all
WORST_FIRST: Final = ("stop", "call", "open", "go")


@dataclass(frozen=True, slots=True)
class Check:
    """One value: the latest on record, its limits in words, and go | call | stop | open (no value of today)."""

    quantity: str
    short: str
    latest: str
    stop: str
    call: str
    do: str
    state: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of the worst value, in a sentence."""

    state: str
    tone: str
    text: str
    checks: tuple[Check, ...]


def verdict(patient: Patient, on: date, pen: Desk, session: int) -> Verdict:
    """Go, call first, no go, or values to draw; the worst value decides."""
    checks = tuple(_checks(patient, on, pen))
    worst = min((c.state for c in checks), key=WORST_FIRST.index, default="open")
    short = [c.short for c in checks if c.state == worst]
    named = ", ".join(short[:SHOWN]) + (f" and {len(short) - SHOWN} more" if len(short) > SHOWN else "")
    tone, text = {
        "stop": ("alarm", f"Do not start session {session}: {named}."),
        "call": ("caution", f"Call the physician before session {session}: {named}."),
        "open": ("caution", f"Draw before session {session}: {named}."),
        "go": ("ok", f"Session {session} may start. Every value is of today and inside its limits."),
    }[worst]
    return Verdict(worst, tone, text, checks)


def _checks(patient: Patient, on: date, pen: Desk) -> Iterator[Check]:
    for row in pen.library.document("go_no_go").get("row", ()):
        kind = str(row["quantity"])
        latest = patient.latest(kind, on)
        short = pen.word("finding", kind)
        seen = finding(latest, pen).removeprefix(short).strip() if latest else "none"
        limits = {grade: _limit(row, grade, pen) for grade in ("stop", "call")}
        said = {grade: text for grade, (_, text) in limits.items()}
        state = _state(row, latest, on, {g: v for g, (v, _) in limits.items()}, pen)
        yield Check(pen.title("finding", kind), short, seen, said["stop"], said["call"], pen.say(str(row["do"])), state)


def _limit(row: Mapping[str, Any], grade: str, pen: Desk) -> tuple[float | None, str]:
    if grade not in row:
        return None, ""
    value = pen.library.value(str(row[grade]))
    written = numbers.amount(value, str(row["unit"]), pen.sentences.numbers, int(row.get("decimals", 0)))
    return value, f"{pen.say('side.' + str(row['side']))} {written}"


def _state(
    row: Mapping[str, Any], latest: Observation | None, on: date, limits: Mapping[str, float | None], pen: Desk
) -> str:
    if latest is None or latest.value is None:
        return "open"
    for grade in ("stop", "call"):
        limit = limits[grade]
        if limit is not None and _beyond(str(row["side"]), latest.value, limit):
            return grade
    return "open" if latest.when.age_days(on) * 24 > pen.library.value("order.lab_age_h") else "go"


def _beyond(side: str, value: float, limit: float) -> bool:
    return value < limit if side == "below" else value >= limit
