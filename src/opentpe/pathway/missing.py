"""What the record does not say, and what each answer could turn the advice into: by trying the answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from opentpe.domain.decision import Absence, Advice, Fact, Missing
from opentpe.pathway.book import Pathway
from opentpe.pathway.sheet import Sheet
from opentpe.pathway.walk import Verdict, capped, uncapped, verdict_of, walk

_SILENT: Final = (None, False, "none")


def supposing(pathway: Pathway, sheet: Sheet, changes: Iterable[Fact]) -> Sheet:
    """The same sheet with some facts answered otherwise; everything that follows from them is asked anew."""
    known = sheet.known.copy()
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
        sheet.findings,
        sheet.newest,
        sheet.conditions,
        sheet.drugs,
        sheet.doses,
        known,
    )


def could_become(pathway: Pathway, sheet: Sheet, name: str, now: Verdict) -> tuple[Advice, ...]:
    """Every other advice that an answer to one question could lead to, lowest first."""
    found = set()
    for answer in pathway.probes[name]:
        advice = advice_if(pathway, sheet, (supposed(name, answer),), now).advice
        if advice is not now.advice:
            found.add(advice)
    return tuple(a for a in Advice if a in found)


def supposed(name: str, answer: bool | float | str) -> Fact:
    """An answer as if it were found today."""
    return Fact(name, answer, age_days=0, note="supposed")


def advice_if(pathway: Pathway, sheet: Sheet, changes: tuple[Fact, ...], now: Verdict) -> Verdict:
    """The verdict with some facts answered otherwise; only rules that look at a changed answer are looked at again."""
    other = supposing(pathway, sheet, changes)
    changed = _changed(pathway, sheet, other, changes)
    for place in sorted({p for n in changed for p in pathway.places.get(n, ()) if p <= now.place}):
        verdict = verdict_of(pathway, other, place, None)
        if verdict is not None:
            return capped(pathway, other, verdict)
        if place == now.place:
            return walk(pathway, other, start=place + 1)
    if now.stopped_by or not changed & pathway.cap_facts:
        return now
    return capped(pathway, other, uncapped(now))


def _changed(pathway: Pathway, sheet: Sheet, other: Sheet, changes: tuple[Fact, ...]) -> set[str]:
    names = {f.name for f in changes}
    follows = set().union(*(pathway.reach[n] for n in names)) & sheet.known.keys()
    return names | {n for n in follows if other.ask(n).value != sheet.known[n].value}


def missing_facts(pathway: Pathway, sheet: Sheet, verdict: Verdict, asked: frozenset[str]) -> tuple[Missing, ...]:
    """The unknown facts of the walk: those that could change the advice first, then those that must be known."""
    needed = {n for f in verdict.stopped_by for n in pathway.roots[f.name]}
    rows = []
    for name in sorted(pathway.open_questions & asked):
        fact = sheet.known.get(name)
        if fact is None or fact.value is not None:
            continue
        if _answered_otherwise(pathway, sheet, name):
            continue
        advices = could_become(pathway, sheet, name, verdict)
        if advices or (name in needed and pathway.questions[name].absence is Absence.STOPS):
            rows.append(Missing(name, pathway.questions[name].absence, pathway.gate_of.get(name, ""), advices))
    if len(rows) < 2:
        return tuple(rows)
    order = list(Absence)
    return tuple(sorted(rows, key=lambda m: (not m.could_become, order.index(m.absence), m.fact)))


def _answered_otherwise(pathway: Pathway, sheet: Sheet, name: str) -> bool:
    """True where the question is settled by another finding, as a response read off the EDSS."""
    other = pathway.questions[name].settled_by
    return bool(other) and sheet.ask(other).value is not None


def assumed_facts(pathway: Pathway, sheet: Sheet, asked: frozenset[str]) -> tuple[Fact, ...]:
    """What the walk took for granted because nobody recorded it, and what was read off other findings."""
    rows = [f for n in sorted(pathway.assumable & asked) if not (f := sheet.ask(n)).sources and f.value in _SILENT]
    for name in pathway.settled:
        fact = sheet.known.get(name)
        if fact is not None and fact.value is None:
            other = sheet.ask(pathway.questions[name].settled_by)
            rows += [other] if other.value is not None else []
    return tuple(rows)
