"""Walks the gates for one patient on one day and keeps the trace: the pathway's front door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final, NamedTuple

from opentpe.domain.decision import Advice, Alert, ByDefinition, Change, Decision, Fact, Position, Reason, Step
from opentpe.domain.patient import Patient
from opentpe.domain.relapse import Relapse
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.pathway import clock
from opentpe.pathway.book import Pathway, Remark
from opentpe.pathway.change import smallest_changes
from opentpe.pathway.guidelines import position_on
from opentpe.pathway.look import look, outcome_of
from opentpe.pathway.missing import assumed_facts, missing_facts
from opentpe.pathway.rules import Rule
from opentpe.pathway.sheet import Sheet
from opentpe.pathway.walk import Verdict, walk

TOPIC: Final = "exchange"


def decide(
    patient: Patient,
    relapse: Relapse | None,
    on: date,
    library: Library | Pathway,
    unit: Mapping[str, Any] | None = None,
    guideline: str = "asfa-2023",
    refractory_definition: str = "opentpe",
) -> Decision:
    """What is advised for this attack on this day, with reasons, what is missing, alerts, dates and the whole trace.

    Pass a `Pathway` (built once with `Pathway.of`) instead of the library for many patients.
    `unit` holds the unit's settings (opening_days, holidays, modality, has_separator) over those of the library.
    """
    pathway = _pathway(library).with_definition(refractory_definition)
    return _decided(pathway, _walked(pathway, patient, relapse, on, unit), guideline)


def explain(
    patient: Patient,
    relapse: Relapse | None,
    on: date,
    library: Library | Pathway,
    unit: Mapping[str, Any] | None = None,
    guideline: str = "asfa-2023",
    refractory_definition: str = "opentpe",
) -> Decision:
    """The decision with what would change it and what it would be under each published definition; slower."""
    pathway = _pathway(library)
    chosen = pathway.with_definition(refractory_definition)
    walked = _walked(chosen, patient, relapse, on, unit)
    changes = smallest_changes(chosen, walked.sheet, walked.verdict, walked.asked)
    rows = [_by_definition(pathway.with_definition(n), patient, relapse, on, unit) for n in pathway.variants]
    return replace(_decided(chosen, walked, guideline), changes=changes, by_definition=tuple(rows))


def what_would_change(
    patient: Patient,
    relapse: Relapse | None,
    on: date,
    library: Library | Pathway,
    unit: Mapping[str, Any] | None = None,
    refractory_definition: str = "opentpe",
) -> tuple[Change, ...]:
    """The smallest changes of facts that lead to another advice: single facts first, then pairs."""
    pathway = _pathway(library).with_definition(refractory_definition)
    walked = _walked(pathway, patient, relapse, on, unit)
    return smallest_changes(pathway, walked.sheet, walked.verdict, walked.asked)


class Walked(NamedTuple):
    """A finished walk: the sheet as it stood when the advice was found, what was asked for it, and the trace."""

    sheet: Sheet
    verdict: Verdict
    asked: frozenset[str]
    steps: list[Step]


def _pathway(library: Library | Pathway) -> Pathway:
    return library if isinstance(library, Pathway) else Pathway.of(library)


def _walked(
    pathway: Pathway, patient: Patient, relapse: Relapse | None, on: date, unit: Mapping[str, Any] | None
) -> Walked:
    sheet = pathway.sheet(patient, relapse, on, unit)
    steps: list[Step] = []
    sheet.trace = steps
    verdict = walk(pathway, sheet, steps)
    sheet.trace = None
    return Walked(sheet, verdict, _asked(pathway, steps), steps)


def _asked(pathway: Pathway, steps: list[Step]) -> frozenset[str]:
    """The recorded facts behind every answer that decided a step."""
    names = {fact.name for step in steps for fact in step.facts}
    return frozenset().union(*[pathway.roots[name] for name in names])


def _by_definition(
    pathway: Pathway, patient: Patient, relapse: Relapse | None, on: date, unit: Mapping[str, Any] | None
) -> ByDefinition:
    walked = _walked(pathway, patient, relapse, on, unit)
    met = walked.sheet.value("refractory")
    sources = pathway.variants[pathway.definition].sources
    return ByDefinition(pathway.definition, met if isinstance(met, bool) else None, walked.verdict.advice, sources)


def _decided(pathway: Pathway, walked: Walked, guideline: str) -> Decision:
    sheet, verdict, asked, steps = walked
    missing = missing_facts(pathway, sheet, verdict, asked)
    assumed = assumed_facts(pathway, sheet, asked)
    positions = tuple(position_on(g, TOPIC, sheet) for g in pathway.guidelines.values())
    remarks = Remarks(pathway, sheet, verdict, steps)
    start = clock.start_day(sheet, verdict.advice)
    own = verdict.rule.reassess_d if verdict.rule is not None else None
    reassess = clock.reassess_day(sheet, verdict.advice, own)
    by = _by(sheet, verdict.advice, start or reassess)
    return Decision(
        advice=verdict.advice,
        on=sheet.on,
        reasons=(*_main_reasons(verdict), *remarks.ranked, *_guideline_reasons(verdict, positions, guideline)),
        missing=missing,
        trace=tuple(steps),
        alerts=tuple(remarks.alerts),
        assumed=assumed,
        facts=tuple(sheet.known.values()),
        provisional_on=tuple(dict.fromkeys([*(m.fact for m in missing if m.could_become), *remarks.provisional])),
        start_on=start,
        reassess_on=reassess,
        first_exchange_by=by,
        holds_until=clock.holds_until(sheet, verdict.advice, reassess, by),
        setting=remarks.setting,
        guideline=guideline,
        positions=positions,
    )


def _by(sheet: Sheet, advice: Advice, not_before: date | None) -> date | None:
    waits = advice.exchange or advice in (Advice.WAIT_REASSESS, Advice.STEROIDS_FIRST, Advice.TREAT_TRIGGER_FIRST)
    return clock.latest_first_exchange(sheet, advice, not_before or sheet.on) if waits else None


def _main_reasons(verdict: Verdict) -> Iterable[Reason]:
    if verdict.cap is not None:
        yield _reason(verdict.cap, verdict.cap_facts)
    if verdict.stopped_by:
        yield Reason(
            "needs_fact", verdict.rule.line.gate if verdict.rule else "", verdict.stopped_by, ("opentpe_practice",)
        )
    elif verdict.rule is not None:
        yield _reason(verdict.rule, verdict.facts)
    else:
        yield Reason("no_rule_applies", "g6", (), ("opentpe_practice",))


def _reason(rule: Rule, facts: tuple[Fact, ...]) -> Reason:
    return Reason(rule.code, rule.line.gate, (*facts, *rule.values), rule.sources, rule.level)


def _guideline_reasons(verdict: Verdict, positions: tuple[Position, ...], chosen: str) -> Iterable[Reason]:
    """What the chosen guideline says first; then every other that says something else: silence is no disagreement."""
    mine = next((p for p in positions if p.guideline == chosen), None)
    if mine is None:
        known = ", ".join(p.guideline for p in positions)
        raise InputError("guideline", repr(chosen), f"one of {known}")
    if verdict.advice.rung is None:
        return
    yield _said("guideline_says", mine)
    for other in positions:
        if other.position not in (mine.position, "silent"):
            yield _said("guideline_differs", other)


def _said(code: str, position: Position) -> Reason:
    facts = (Fact("guideline", position.guideline), Fact("position", position.position))
    return Reason(code, "g6", facts, position.sources, position.level)


class Remarks:
    """What follows the advice, gate by gate: further reasons, alerts, the setting, what the advice hangs on."""

    def __init__(self, pathway: Pathway, sheet: Sheet, verdict: Verdict, steps: list[Step]) -> None:
        self.reasons: list[tuple[int, Reason]] = []
        self.alerts: list[Alert] = []
        self.provisional: list[str] = []
        self.setting = ""
        sheet.known["advice"] = pathway.advices[verdict.advice]
        sheet.trace = steps
        for remark in pathway.remarks:
            if not remark.guard or outcome_of(remark.guard, sheet)[0]:
                steps.extend(remark.fixed_steps)
                self.alerts.extend(remark.fixed_alerts)
                self._look_quiet(remark, sheet, steps)
                self._look(remark.loud, sheet, steps)
        sheet.trace = None

    @property
    def ranked(self) -> tuple[Reason, ...]:
        """The further reasons, the weightiest first."""
        return tuple(reason for _, reason in sorted(self.reasons, key=lambda r: r[0]))

    def _look_quiet(self, remark: Remark, sheet: Sheet, steps: list[Step]) -> None:
        opened = remark.quiet_facts & sheet.opened
        if not opened:
            steps.extend(remark.quiet_steps)
            return
        steps.extend([step for first, _, step in remark.quiet if first not in opened])
        self._look([rule for first, rule, _ in remark.quiet if first in opened], sheet, steps)

    def _look(self, rules: Iterable[Rule], sheet: Sheet, steps: list[Step]) -> None:
        for rule in rules:
            outcome, facts = look(rule.line, sheet, steps)
            if outcome:
                self._act(rule, facts, sheet)

    def _act(self, rule: Rule, facts: tuple[Fact, ...], sheet: Sheet) -> None:
        shown = (*map(sheet.ask, rule.facts), *facts, *rule.values)
        if rule.effect == "alert":
            self.alerts.append(Alert(rule.code, rule.kind, shown, rule.sources, rule.level, rule.due))
        elif rule.effect == "reason":
            self.reasons.append((rule.rank, Reason(rule.code, rule.line.gate, shown, rule.sources, rule.level)))
        elif rule.effect == "provisional":
            self.provisional.extend(rule.provisional_on)
        elif not self.setting:
            self.setting = rule.setting
