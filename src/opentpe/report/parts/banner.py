"""The first screen: what is advised, how strongly, until when, why, and what could change it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from opentpe.domain.consultation import Consultation
from opentpe.domain.decision import Absence, Advice, Decision, Fact, Missing, Reason
from opentpe.report.desk import Desk
from opentpe.report.view import Banner, Said

REASONS_SHOWN: Final = 3
_OF_THE_RECORD: Final = "record"  # level of a reason that the record itself gives, by contradicting itself
_TONES: Final = {
    Advice.URGENT: "urgent",
    Advice.RECOMMENDED: "act",
    Advice.OFFER: "act",
    Advice.WAIT_REASSESS: "wait",
    Advice.STEROIDS_FIRST: "wait",
    Advice.NOT_INDICATED: "quiet",
    Advice.NO_ATTACK_ON_RECORD: "quiet",
    Advice.NOT_A_RELAPSE: "quiet",
    Advice.TREAT_TRIGGER_FIRST: "stop",
    Advice.CANNOT_DECIDE: "stop",
    Advice.SPECIALIST_REVIEW: "stop",
}
_FIRST: Final = {Absence.STOPS: 0, Absence.DRAW_NOW: 1, Absence.FOLLOWS: 2, Absence.ASSUMED_FALSE: 3}


def build(consultation: Consultation, desk: Desk) -> Banner:
    """The banner of a consultation."""
    decision = consultation.decision
    reasons = tuple(reason(r, decision, desk) for r in decision.reasons)
    tone = _TONES[decision.advice]
    return Banner(
        advice=decision.advice.value,
        text=_advice(consultation, desk),
        strength=desk.say(f"strength.{decision.advice}"),
        tone=tone,
        tone_word=desk.say(f"tone.{tone}"),
        dates=tuple(_dates(decision, desk)),
        reasons=reasons[:REASONS_SHOWN],
        missing=tuple(_missing(decision, desk)),
        more_reasons=reasons[REASONS_SHOWN:],
    )


def _advice(consultation: Consultation, desk: Desk) -> str:
    decision, relapse = consultation.decision, consultation.relapse
    start = decision.start_on
    day = relapse.day(start) if relapse and start else None
    form = "dated_day" if day is not None else "dated" if start else "plain"
    text = desk.say(f"advice.{decision.advice}.{form}", start_on=start, day=day)
    if not desk.sentences.has(f"advice.{decision.advice}.{form}"):
        text = desk.say(f"advice.{decision.advice}.plain")
    return f"{text} {desk.say(f'setting.{decision.setting}')}" if decision.setting else text


def _dates(decision: Decision, desk: Desk) -> Iterator[str]:
    dated: tuple[tuple[str, date | None], ...] = (
        ("banner.reassess_on", decision.reassess_on),
        ("banner.first_exchange_by", decision.first_exchange_by),
        ("banner.holds_until", decision.holds_until),
    )
    for code, on in dated:
        if on:
            yield desk.say(code, on=on)


def reason(why: Reason, decision: Decision, desk: Desk) -> Said:
    """A reason in words with its sources and level of evidence."""
    text = desk.told(why.code, why.facts, decision)
    if why.level == _OF_THE_RECORD and (told := "; ".join(_whence(fact) for fact in why.facts if fact.sources)):
        text = f"{text} {desk.say('banner.recorded_in', where=told)}"
    return Said(text, "", desk.cites(why.sources), why.level, "", why.code)


def _whence(fact: Fact) -> str:
    """What the record says and where: "11 (Observation/edss-now)"."""
    where = ", ".join(fact.sources)
    return f"{fact.note} ({where})" if fact.note else where


def _missing(decision: Decision, desk: Desk) -> Iterator[Said]:
    """What the record lacks and could change the advice, the gravest first; what only follows stands below."""
    for gap in sorted(decision.missing, key=lambda m: _FIRST[m.absence]):
        if gap.could_become or gap.absence in (Absence.STOPS, Absence.DRAW_NOW):
            yield missing(gap, desk)
    if decision.provisional_on:
        names = ", ".join(desk.word("fact", f) for f in decision.provisional_on)
        yield Said(desk.say("banner.provisional_on", facts=names), kind="provisional")


def missing(gap: Missing, desk: Desk) -> Said:
    """One missing fact: what to do about it and which advice it could lead to."""
    code = next((c for c in (f"missing.{gap.fact}", f"missing_{gap.fact}") if desk.sentences.has(c)), "")
    text = desk.say(code) if code else desk.say(f"missing_kind.{gap.absence}", fact=desk.title("fact", gap.fact))
    if gap.could_become:
        others = ", ".join(desk.word("advice_name", a) for a in gap.could_become)
        text += " " + desk.say("missing_kind.could_become", advice=others)
    return Said(text, "", (), "", gap.absence.value, f"missing.{gap.fact}")
