"""Walks the gates for one patient on one day and keeps the trace: the pathway's front door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from opentpe.domain.decision import Advice, Alert, Decision, Fact, Reason, Step
from opentpe.domain.patient import Patient
from opentpe.domain.relapse import Relapse
from opentpe.evidence.load import Library
from opentpe.pathway import clock
from opentpe.pathway.book import Pathway
from opentpe.pathway.derive import outcome_of
from opentpe.pathway.guidelines import position_on
from opentpe.pathway.missing import assumed_facts, missing_facts
from opentpe.pathway.rules import Rule, step_of
from opentpe.pathway.sheet import Sheet
from opentpe.pathway.walk import Verdict, walk

TOPIC = "exchange"


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
    pathway = library if isinstance(library, Pathway) else Pathway.of(library)
    pathway = pathway.with_definition(refractory_definition)
    sheet = pathway.sheet(patient, relapse, on, unit)
    steps: list[Step] = []
    sheet.trace = steps
    verdict = walk(pathway, sheet, steps)
    sheet.trace = None
    asked = tuple(sheet.known)
    missing = missing_facts(pathway, sheet, verdict, asked)
    assumed = assumed_facts(pathway, sheet, asked)
    remarks = Remarks(pathway, sheet, verdict, steps)
    start = clock.start_day(sheet, verdict.advice)
    reassess = clock.reassess_day(sheet, verdict.advice)
    by = _by(sheet, verdict.advice, start or reassess)
    return Decision(
        advice=verdict.advice,
        on=on,
        reasons=(*_main_reasons(verdict), *remarks.ranked, *_guideline_reasons(pathway, sheet, verdict, guideline)),
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
    )


def _by(sheet: Sheet, advice: Advice, not_before: date | None) -> date | None:
    waits = advice.exchange or advice in (Advice.WAIT_REASSESS, Advice.STEROIDS_FIRST, Advice.TREAT_TRIGGER_FIRST)
    return clock.latest_first_exchange(sheet, advice, not_before or sheet.on) if waits else None


def _main_reasons(verdict: Verdict) -> Iterable[Reason]:
    if verdict.cap is not None:
        yield _reason(verdict.cap, verdict.cap_facts)
    if verdict.stopped_by:
        yield Reason("needs_fact", verdict.rule.gate if verdict.rule else "", verdict.stopped_by, ("opentpe_practice",))
    elif verdict.rule is not None:
        yield _reason(verdict.rule, verdict.facts)
    else:
        yield Reason("no_rule_applies", "g6", (), ("opentpe_practice",))


def _reason(rule: Rule, facts: tuple[Fact, ...]) -> Reason:
    return Reason(rule.code, rule.gate, (*facts, *rule.values), rule.sources, rule.level)


def _guideline_reasons(pathway: Pathway, sheet: Sheet, verdict: Verdict, chosen: str) -> Iterable[Reason]:
    """What the chosen guideline says first; then every other that says something else."""
    if verdict.advice.rung is None:
        return
    mine = position_on(pathway.guidelines[chosen], TOPIC, sheet)
    yield Reason(
        "guideline_says", "g6", (Fact("guideline", chosen), Fact("position", mine.position)), mine.sources, mine.level
    )
    for name, guideline in pathway.guidelines.items():
        other = position_on(guideline, TOPIC, sheet)
        if name != chosen and other.position != mine.position:
            facts = (Fact("guideline", name), Fact("position", other.position))
            yield Reason("guideline_differs", "g6", facts, other.sources, other.level)


class Remarks:
    """What follows the advice, gate by gate: further reasons, alerts, the setting, what the advice hangs on."""

    def __init__(self, pathway: Pathway, sheet: Sheet, verdict: Verdict, steps: list[Step]) -> None:
        self.reasons: list[tuple[int, Reason]] = []
        self.alerts: list[Alert] = []
        self.provisional: list[str] = []
        self.setting = ""
        sheet.known["advice"] = pathway.advices[verdict.advice]
        for remark in pathway.remarks:
            if outcome_of(remark.guard, sheet)[0]:
                steps.extend(remark.fixed_steps)
                self.alerts.extend(remark.fixed_alerts)
                self._look(remark.rules, sheet, steps)

    @property
    def ranked(self) -> tuple[Reason, ...]:
        """The further reasons, the weightiest first."""
        return tuple(reason for _, reason in sorted(self.reasons, key=lambda r: r[0]))

    def _look(self, rules: tuple[Rule, ...], sheet: Sheet, steps: list[Step]) -> None:
        known = sheet.known
        for rule in rules:
            ready = rule.silent.get(id(known.get(rule.first) or sheet.ask(rule.first)))
            if ready is not None:
                steps.append(ready)
                continue
            outcome, facts = outcome_of(rule.clauses, sheet)
            steps.append(step_of(rule, outcome, facts))
            if outcome:
                self._act(rule, facts, sheet)

    def _act(self, rule: Rule, facts: tuple[Fact, ...], sheet: Sheet) -> None:
        shown = (*(sheet.ask(n) for n in rule.facts), *facts, *rule.values)
        if rule.effect == "alert":
            self.alerts.append(Alert(rule.code, rule.kind, shown, rule.sources, rule.level, rule.due))
        elif rule.effect == "reason":
            self.reasons.append((rule.rank, Reason(rule.code, rule.gate, shown, rule.sources, rule.level)))
        elif rule.effect == "provisional":
            self.provisional.extend(rule.provisional_on)
        elif not self.setting:
            self.setting = rule.setting
