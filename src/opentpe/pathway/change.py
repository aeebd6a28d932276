"""What would change the advice: the smallest changes of facts, found by trying them, one at a time and in pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from opentpe.domain.decision import Advice, Change, Fact
from opentpe.pathway.book import Pathway
from opentpe.pathway.missing import advice_if, supposed, supposing
from opentpe.pathway.rules import Rule
from opentpe.pathway.sheet import Sheet
from opentpe.pathway.walk import Verdict

# What only the record's own consistency decides is put right, not supposed otherwise; so is what has happened already.
_FIXED: Final = frozenset({"attack", "attack_kind", "advice", "recorded_severity", "edss_baseline", "steroid_first"})


def smallest_changes(pathway: Pathway, sheet: Sheet, verdict: Verdict, asked: frozenset[str]) -> tuple[Change, ...]:
    """For every other advice the fewest facts that lead there; the nearest value of a number. Lowest advice first."""
    singles = [f for name in sorted(asked) if _may_change(pathway, name) for f in _answers(pathway, sheet, name)]
    found: dict[tuple[Advice, tuple[str, ...]], Change] = {}
    for fact in singles:
        _keep(found, _tried(pathway, sheet, verdict, (fact,)), sheet)
    reached = {advice for advice, _ in found}
    for pair in _pairs(pathway, sheet, singles, reached | {verdict.advice}):
        change = _tried(pathway, sheet, verdict, pair)
        if change is not None and change.advice not in reached:
            _keep(found, change, sheet)
    return tuple(sorted(found.values(), key=lambda c: (len(c.was), list(Advice).index(c.advice), c.was[0].name)))


def _may_change(pathway: Pathway, name: str) -> bool:
    question = pathway.questions[name]
    return name not in _FIXED and not question.needs and not question.inspects


def _answers(pathway: Pathway, sheet: Sheet, name: str) -> Iterator[Fact]:
    now = sheet.value(name)
    for answer in pathway.nearby[name]:
        if answer != now and not (answer is False and now is None):
            yield supposed(name, answer)


def _tried(pathway: Pathway, sheet: Sheet, verdict: Verdict, facts: tuple[Fact, ...]) -> Change | None:
    advice = advice_if(pathway, sheet, facts, verdict).advice
    if advice is verdict.advice:
        return None
    return Change(tuple(sheet.ask(f.name) for f in facts), facts, advice)


def _keep(found: dict[tuple[Advice, tuple[str, ...]], Change], change: Change | None, sheet: Sheet) -> None:
    """Keeps the nearest of several values of the same facts that lead to the same advice."""
    if change is None:
        return
    key = (change.advice, tuple(f.name for f in change.was))
    if key not in found or _distance(change, sheet) < _distance(found[key], sheet):
        found[key] = change


def _distance(change: Change, sheet: Sheet) -> float:
    total = 0.0
    for fact in change.would_be:
        now = sheet.value(fact.name)
        if isinstance(now, float | int) and isinstance(fact.value, float | int):
            total += abs(float(fact.value) - float(now))
    return total


def _pairs(pathway: Pathway, sheet: Sheet, singles: list[Fact], reached: set[Advice]) -> Iterator[tuple[Fact, Fact]]:
    """Pairs in which each change turns a clause of a rule that the other leaves unmet."""
    for rule in pathway.deciding:
        if rule.advice in reached or rule.advice is None:
            continue
        gains = [(fact, _gained(pathway, sheet, rule, fact)) for fact in singles]
        useful = [(fact, gained) for fact, gained in gains if gained]
        unmet = _unmet(rule, sheet)
        for (one, first), (two, second) in product(useful, useful):
            if one.name < two.name and unmet <= first | second:
                yield one, two


def _unmet(rule: Rule, sheet: Sheet) -> frozenset[str]:
    return frozenset(c.text for c in rule.clauses if not c.holds(sheet.ask(c.fact)))


def _gained(pathway: Pathway, sheet: Sheet, rule: Rule, fact: Fact) -> frozenset[str]:
    names = {fact.name} | pathway.reach[fact.name]
    if not any(c.fact in names for c in rule.clauses):
        return frozenset()
    other = supposing(pathway, sheet, (fact,))
    return _unmet(rule, sheet) - _unmet(rule, other)
