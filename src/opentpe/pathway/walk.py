"""The walk itself: the deciding rules in order, then the caps; with or without a trace."""

from __future__ import annotations

from dataclasses import dataclass

from opentpe.domain.decision import Absence, Advice, Fact, Step
from opentpe.pathway.book import Pathway
from opentpe.pathway.derive import outcome_of
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


def walk(pathway: Pathway, sheet: Sheet, steps: list[Step] | None = None) -> Verdict:
    """The advice for a sheet. A rule left undecided by a fact that must be known ends the walk: cannot decide."""
    verdict = _decide(pathway, sheet, steps)
    if not verdict.advice.exchange:
        return verdict
    return _cap(pathway, sheet, verdict, steps)


def _decide(pathway: Pathway, sheet: Sheet, steps: list[Step] | None) -> Verdict:
    for rule in pathway.deciding:
        outcome, facts = outcome_of(rule.clauses, sheet)
        if steps is not None:
            steps.append(step_of(rule, outcome, facts))
        if outcome:
            return Verdict(rule.advice or Advice.CANNOT_DECIDE, rule, facts)
        if outcome is None:
            needed = tuple(f for f in facts if stops(pathway, sheet, f))
            if needed:
                return Verdict(Advice.CANNOT_DECIDE, rule, facts, stopped_by=needed)
    return Verdict(Advice.CANNOT_DECIDE, None)


def _cap(pathway: Pathway, sheet: Sheet, verdict: Verdict, steps: list[Step] | None) -> Verdict:
    for rule in pathway.caps:
        outcome, facts = outcome_of(rule.clauses, sheet)
        if steps is not None:
            steps.append(step_of(rule, outcome, facts))
        if outcome and rule.advice is not None and _lower(rule.advice, verdict.advice):
            return Verdict(rule.advice, verdict.rule, verdict.facts, rule, facts)
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


def step_of(rule: Rule, outcome: bool | None, facts: tuple[Fact, ...]) -> Step:
    """The trace line of one rule."""
    if outcome is False:
        for clause in rule.clauses:
            if clause.absent is facts[0] and clause.absent_step is not None:
                return clause.absent_step
    return Step(rule.gate, rule.name, rule.condition, outcome, facts, rule.says if outcome else "", rule.sources)
