"""Facts that follow from others by rules in data: severity, branch, steroid failure by the chosen definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opentpe.domain.decision import Absence, Fact, Step
from opentpe.pathway.rules import Clause
from opentpe.pathway.sheet import Question, Sheet

Parse = Callable[[str, str], tuple[Clause, ...]]


@dataclass(frozen=True, slots=True)
class Branch:
    """One way to a value: the condition that leads there."""

    name: str
    value: str | bool
    condition: str
    clauses: tuple[Clause, ...]
    sources: tuple[str, ...] = ()
    level: str = ""


@dataclass(frozen=True, slots=True)
class Derivation:
    """A derived fact: branches in order; the first that holds gives the value, none gives the default.

    Where no branch holds and one is undecided the value is unknown, unless `open_default` says to go on.
    """

    name: str
    gate: str
    branches: tuple[Branch, ...]
    default: str | bool | None
    open_default: bool = False
    variant: str = ""
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, gate: str, row: Mapping[str, Any], parse: Parse, variant: str = "") -> Derivation:
        """A derivation from its table."""
        where = f"{gate}.{variant or name}"
        branches = tuple(
            Branch(
                str(b.get("name", f"{name}_{b['is']}")).lower(),
                b["is"],
                str(b["when"]),
                parse(str(b["when"]), where),
                tuple(b.get("sources", ())),
                str(b.get("level", "")),
            )
            for b in row["branch"]
        )
        default = row.get("default")
        return cls(name, gate, branches, default, bool(row.get("open_default")), variant, tuple(row.get("sources", ())))

    def answer(self, sheet: Sheet) -> Fact:
        """The value for one patient, with the facts that decided it."""
        undecided = False
        for branch in self.branches:
            outcome, deciding = outcome_of(branch.clauses, sheet)
            if sheet.trace is not None:
                effect = f"{self.name} = {branch.value}" if outcome else ""
                step = Step(self.gate, branch.name, branch.condition, outcome, deciding, effect, branch.sources)
                sheet.trace.append(step)
            if outcome:
                ages = [f.age_days for f in deciding if f.age_days is not None]
                sources = tuple(dict.fromkeys(s for f in deciding for s in f.sources))
                return Fact(self.name, branch.value, sources, max(ages, default=None), branch.name)
            undecided = undecided or outcome is None
        if undecided and not self.open_default:
            return Fact(self.name, None)
        return Fact(self.name, self.default)


def outcome_of(clauses: tuple[Clause, ...], sheet: Sheet) -> tuple[bool | None, tuple[Fact, ...]]:
    """True, False or undecided, with the facts that decided: all, the false one, or the unknown ones."""
    known, met, open_facts = sheet.known, [], None
    for clause in clauses:
        fact = known.get(clause.fact) or sheet.ask(clause.fact)
        value = fact.value
        result = clause.unknown if value is None else clause.test(value)
        if result:
            met.append(fact)
        elif result is None:
            open_facts = [fact] if open_facts is None else [*open_facts, fact]
        else:
            return False, (fact,)
    if open_facts is not None:
        return None, tuple(open_facts)
    return True, tuple(met)


def derivation_question(derivation: Derivation) -> Question:
    """The derived fact as a question that rules may ask."""
    needs = tuple(dict.fromkeys(c.fact for b in derivation.branches for c in b.clauses))
    absent = Fact(derivation.name, None)
    return Question(derivation.name, Absence.FOLLOWS, derivation.answer, absent, needs=needs)
