"""What could go wrong, as natural frequencies with ranges, and what to check when."""

from __future__ import annotations

from typing import Final

from opentpe.domain.consultation import Consultation, Risk
from opentpe.domain.decision import Alert, Decision
from opentpe.report import frequency
from opentpe.report.desk import Desk
from opentpe.report.sentences import opening
from opentpe.report.view import Checks, Harm, HarmGroup, Said

_MOMENTS: Final = ("before_session_1", "before_each", "during", "after_each", "after_last", "")
_LOCAL: Final = "local default"  # said once above the list
_KINDS: Final = ("stop", "call", "hold", "draw", "redose", "check", "note")


def groups(consultation: Consultation, desk: Desk) -> tuple[HarmGroup, ...]:
    """Harms by condition: first those of every course, then those that follow from a choice."""
    risks = consultation.forecast.risks if consultation.forecast else ()
    conditions = sorted({r.condition for r in risks}, key=lambda c: (c != "", c))
    return tuple(
        HarmGroup(
            desk.word("condition", c or "always"),
            tuple(_harm(r, desk) for r in risks if r.condition == c and _rated(r)),
        )
        for c in conditions
        if any(r.condition == c and _rated(r) for r in risks)
    )


def _rated(risk: Risk) -> bool:
    return risk.per_session is not None or risk.per_course is not None


def unrated(consultation: Consultation, desk: Desk) -> str:
    """Complaints that are known to occur but for which no rate was found, in one sentence."""
    risks = consultation.forecast.risks if consultation.forecast else ()
    names = [desk.word("risk", r.event) for r in risks if not _rated(r)]
    return desk.say("harm.unrated", events=", ".join(names)) if names else ""


def _harm(risk: Risk, desk: Desk) -> Harm:
    widest = risk.per_course or risk.per_session
    notes = []
    if risk.thin:
        notes.append(desk.say("harm.little_evidence"))
    if widest and frequency.differs_widely(widest):
        notes.append(desk.say("harm.differs_widely"))
    if risk.linked:
        kind = "solute" if desk.sentences.has(f"solute.{risk.linked}") else "quantity"
        notes.append(desk.say("harm.linked", quantity=desk.word(kind, risk.linked)))
    if risk.basis:
        notes.append(
            desk.sentences.say(f"basis.{risk.basis}") if desk.sentences.has(f"basis.{risk.basis}") else risk.basis
        )
    return Harm(
        desk.title("risk", risk.event),
        desk.often(risk.per_session) if risk.per_session else "–",
        desk.often(risk.per_course) if risk.per_course else "–",
        " ".join(_sentence(note) for note in notes),
        desk.cites(risk.sources),
    )


def _sentence(text: str) -> str:
    return f"{opening(text).rstrip('.')}."


def checks(consultation: Consultation, desk: Desk) -> tuple[Checks, ...]:
    """Alerts by the moment they belong to, the gravest first."""
    decision = consultation.decision
    alerts = decision.alerts
    moments = [*_MOMENTS, *sorted({a.when for a in alerts} - set(_MOMENTS))]
    return tuple(
        Checks(
            desk.word("moment", when or "any_time"),
            tuple(_alert(a, decision, desk) for a in _sorted(alerts, when)),
            when,
        )
        for when in moments
        if any(a.when == when for a in alerts)
    )


def _sorted(alerts: tuple[Alert, ...], when: str) -> list[Alert]:
    chosen = [a for a in alerts if a.when == when]
    return sorted(chosen, key=lambda a: _KINDS.index(a.kind) if a.kind in _KINDS else len(_KINDS))


def _alert(alert: Alert, decision: Decision, desk: Desk) -> Said:
    text = desk.told(alert.code, alert.facts, decision)
    level = "" if alert.level == _LOCAL else alert.level
    return Said(text, desk.word("alert", alert.kind), desk.cites(alert.sources), level, alert.kind, alert.code)
