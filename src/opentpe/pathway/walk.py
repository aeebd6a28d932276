"""The walk itself: the deciding rules in order, then the caps; with or without a trace."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opentpe.domain.decision import Absence, Advice, Fact, Step
from opentpe.pathway.book import Pathway
from opentpe.pathway.look import look
from opentpe.pathway.rules import Rule
from opentpe.pathway.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the walk ended: the advice, the rule that gave it, the cap that lowered it, what was undecided."""

    advice: Advice
    rule: Rule | None
    facts: tuple[Fact, ...] = ()
    cap: Rule | None = None
    cap_facts: tuple[Fact, ...] = ()
    stopped_by: tuple[Fact, ...] = ()  # unknown facts without which no advice is safe
    place: int = 0  # of the rule among the deciding ones


def walk(pathway: Pathway, sheet: Sheet, steps: list[Step] | None = None, start: int = 0) -> Verdict:
    """The advice for a sheet. A rule left undecided by a fact that must be known ends the walk: cannot decide.

    `start` skips deciding rules that are known not to hold.
    """
    return capped(pathway, sheet, _decide(pathway, sheet, steps, start), steps)


def _decide(pathway: Pathway, sheet: Sheet, steps: list[Step] | None, start: int) -> Verdict:
    for place in range(start, len(pathway.deciding)):
        verdict = verdict_of(pathway, sheet, place, steps)
        if verdict is not None:
            return verdict
    return Verdict(Advice.CANNOT_DECIDE, None, place=len(pathway.deciding))


def verdict_of(pathway: Pathway, sheet: Sheet, place: int, steps: list[Step] | None) -> Verdict | None:
    """What one deciding rule ends the walk with; None where the walk goes on."""
    rule = pathway.deciding[place]
    outcome, facts = look(rule.line, sheet, steps)
    if outcome:
        return Verdict(rule.advice or Advice.CANNOT_DECIDE, rule, facts, place=place)
    if outcome is None:
        needed = tuple(f for f in facts if stops(pathway, sheet, f))
        if needed:
            return Verdict(Advice.CANNOT_DECIDE, rule, facts, stopped_by=needed, place=place)
    return None


def uncapped(verdict: Verdict) -> Verdict:
    """The verdict as its deciding rule gave it."""
    if verdict.cap is None or verdict.rule is None or verdict.rule.advice is None:
        return verdict
    return replace(verdict, advice=verdict.rule.advice, cap=None, cap_facts=())


def capped(pathway: Pathway, sheet: Sheet, verdict: Verdict, steps: list[Step] | None = None) -> Verdict:
    """The verdict after the caps: a contraindication lowers an exchange or turns it into a stop, never raises it."""
    if not verdict.advice.exchange:
        return verdict
    for rule in pathway.caps:
        outcome, facts = look(rule.line, sheet, steps)
        if outcome and rule.advice is not None and _lower(rule.advice, verdict.advice):
            return replace(verdict, advice=rule.advice, cap=rule, cap_facts=facts)
    return verdict


def _lower(new: Advice, old: Advice) -> bool:
    return new.rung is None or (old.rung is not None and new.rung < old.rung)


def stops(pathway: Pathway, sheet: Sheet, fact: Fact) -> bool:
    """True where an unknown fact, or an unknown fact behind it, must be known before any advice."""
    question = pathway.questions[fact.name]
    if not question.needs:
        return fact.value is None and question.absence is Absence.STOPS
    return any(
        n in sheet.known and sheet.known[n].value is None and stops(pathway, sheet, sheet.known[n])
        for n in question.needs
    )
