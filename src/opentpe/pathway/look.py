"""Looking at one condition for one patient: true, false or undecided, with the facts that decided."""

from __future__ import annotations

from typing import Final

from opentpe.domain.decision import Fact, Step
from opentpe.pathway.rules import Ask, Line
from opentpe.pathway.sheet import Sheet

Outcome = tuple[bool | None, tuple[Fact, ...]]
_FALSE: Final[Outcome] = (False, ())


def outcome_of(asks: tuple[Ask, ...], sheet: Sheet) -> Outcome:
    """True with all facts, False with the fact that was false, undecided with the unknown ones."""
    known, facts, unknown_facts = sheet.known, [], None
    for name, test, unknown in asks:
        fact = known.get(name) or sheet.ask(name)
        value = fact.value
        if value is None:
            if unknown is None:
                unknown_facts = [fact] if unknown_facts is None else [*unknown_facts, fact]
            elif not unknown:
                return False, (fact,)
        elif not test(value):
            return False, (fact,)
        facts.append(fact)
    return (True, tuple(facts)) if unknown_facts is None else (None, tuple(unknown_facts))


def look(line: Line, sheet: Sheet, steps: list[Step] | None) -> Outcome:
    """The outcome of a line, written into the trace where there is one."""
    first = sheet.known.get(line.first) or sheet.ask(line.first)
    ready = line.silent.get(id(first))
    if ready is not None:
        if steps is not None:
            steps.append(ready)
        return _FALSE
    ends = first.value is not None and not line.clauses[0].test(first.value)
    outcome, facts = found = (False, (first,)) if ends else outcome_of(line.asks, sheet)
    if steps is not None:
        says = line.says if outcome else ""
        steps.append(Step(line.gate, line.name, line.condition, outcome, facts, says, line.sources))
    return found
