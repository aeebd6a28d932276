"""What the record does not say, and what each answer could turn the advice into: by trying the answers."""

from __future__ import annotations

from collections.abc import Iterable

from opentpe.domain.decision import Absence, Advice, Fact, Missing
from opentpe.pathway.book import Pathway
from opentpe.pathway.sheet import Sheet
from opentpe.pathway.walk import Verdict, walk


def supposing(pathway: Pathway, sheet: Sheet, changes: Iterable[Fact]) -> Sheet:
    """The same sheet with some facts answered otherwise; everything that follows from them is asked anew."""
    known = dict(sheet.known)
    for fact in changes:
        known[fact.name] = fact
        for name in pathway.reach[fact.name]:
            known.pop(name, None)
    for fact in changes:
        known[fact.name] = fact
    return Sheet(
        sheet.patient,
        sheet.relapse,
        sheet.on,
        sheet.unit,
        sheet.limits,
        sheet.questions,
        sheet.regimens,
        sheet.newest,
        sheet.conditions,
        sheet.drugs,
        sheet.doses,
        known,
    )


def could_become(pathway: Pathway, sheet: Sheet, name: str, now: Advice) -> tuple[Advice, ...]:
    """Every other advice that an answer to one question could lead to, lowest first."""
    found = set()
    for answer in pathway.probes[name]:
        advice = walk(pathway, supposing(pathway, sheet, (Fact(name, answer, note="supposed"),))).advice
        if advice is not now:
            found.add(advice)
    return tuple(a for a in Advice if a in found)


def missing_facts(pathway: Pathway, sheet: Sheet, verdict: Verdict, asked: tuple[str, ...]) -> tuple[Missing, ...]:
    """The unknown facts of the walk: those that could change the advice first, then those that must be known."""
    needed = {f.name for f in verdict.stopped_by}
    rows = []
    for name in asked:
        question, fact = pathway.questions[name], sheet.known[name]
        if fact.value is not None or question.assumed or question.needs or _answered_otherwise(pathway, sheet, name):
            continue
        advices = could_become(pathway, sheet, name, verdict.advice)
        if advices or name in needed:
            rows.append(Missing(name, question.absence, pathway.gate_of.get(name, ""), advices))
    order = list(Absence)
    return tuple(sorted(rows, key=lambda m: (not m.could_become, order.index(m.absence), m.fact)))


def _answered_otherwise(pathway: Pathway, sheet: Sheet, name: str) -> bool:
    """True where the question is settled by another finding, as a response read off the EDSS."""
    other = pathway.questions[name].settled_by
    return bool(other) and sheet.ask(other).value is not None


def assumed_facts(pathway: Pathway, sheet: Sheet, asked: tuple[str, ...]) -> tuple[Fact, ...]:
    """What the walk took for granted because nobody recorded it, and what was read off other findings."""
    rows = []
    for name in asked:
        question, fact = pathway.questions[name], sheet.known[name]
        if question.assumed and not question.needs and not question.inspects and _silent(fact):
            rows.append(fact)
        elif question.settled_by and fact.value is None:
            other = sheet.ask(question.settled_by)
            if other.value is not None:
                rows.append(other)
    return tuple(rows)


def _silent(fact: Fact) -> bool:
    return not fact.sources and fact.value in (None, False, "none")
