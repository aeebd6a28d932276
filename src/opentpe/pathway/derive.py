"""Facts that follow from others by rules in data: severity, branch, steroid failure by the chosen definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentpe.domain.decision import Absence, Fact, Step
from opentpe.pathway.rules import Clause, silent_steps
from opentpe.pathway.sheet import Question, Sheet

Parse = Callable[[str, str], tuple[Clause, ...]]
Shared = Callable[[str], Iterable[Fact]]


@dataclass(frozen=True, slots=True)
class Branch:
    """One way to a value: the condition that leads there."""

    name: str
    value: str | bool
    condition: str
    clauses: tuple[Clause, ...]
    sources: tuple[str, ...] = ()
    first: str = ""
    silent: Mapping[int, Step] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Derivation:
    """A derived fact: branches in order; the first that holds gives the value, none gives the default.

    Where no branch holds and one is undecided the value is unknown, unless `open_default` says to go on.
    """

    name: str
    gate: str
    branches: tuple[Branch, ...]
    default: Fact  # one object for every patient
    open_default: bool = False
    variant: str = ""
    sources: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, name: str, gate: str, row: Mapping[str, Any], parse: Parse, shared: Shared, variant: str = ""
    ) -> Derivation:
        """A derivation from its table."""
        where = f"{gate}.{variant or name}"
        branches = []
        for b in row["branch"]:
            clauses, sources = parse(str(b["when"]), where), tuple(b.get("sources", ()))
            line = Step(gate, str(b["name"]), str(b["when"]), outcome=False, sources=sources)
            silent = silent_steps(clauses, shared(clauses[0].fact), line)
            branches.append(Branch(line.rule, b["is"], line.condition, clauses, sources, clauses[0].fact, silent))
        default, sources = Fact(name, row.get("default")), tuple(row.get("sources", ()))
        return cls(name, gate, tuple(branches), default, bool(row.get("open_default")), variant, sources)

    def answer(self, sheet: Sheet) -> Fact:
        """The value for one patient, with the facts that decided it."""
        undecided, known = False, sheet.known
        for branch in self.branches:
            first = branch.first
            ready = branch.silent.get(id(known.get(first) or sheet.ask(first)))
            if ready is not None:
                if sheet.trace is not None:
                    sheet.trace.append(ready)
                continue
            outcome, deciding = outcome_of(branch.clauses, sheet)
            if sheet.trace is not None:
                sheet.trace.append(self._step(branch, outcome, deciding))
            if outcome:
                return self._fact(branch, deciding)
            undecided = undecided or outcome is None
        if undecided and not self.open_default:
            return Fact(self.name, None)
        return self.default

    def _step(self, branch: Branch, outcome: bool | None, deciding: tuple[Fact, ...]) -> Step:
        effect = f"{self.name} = {branch.value}" if outcome else ""
        return Step(self.gate, branch.name, branch.condition, outcome, deciding, effect, branch.sources)

    def _fact(self, branch: Branch, deciding: tuple[Fact, ...]) -> Fact:
        ages = [f.age_days for f in deciding if f.age_days is not None]
        sources = tuple(dict.fromkeys(s for f in deciding for s in f.sources))
        return Fact(self.name, branch.value, sources, max(ages, default=None), branch.name)


def outcome_of(clauses: tuple[Clause, ...], sheet: Sheet) -> tuple[bool | None, tuple[Fact, ...]]:
    """True, False or undecided, with the facts that decided: all, the false one, or the unknown ones."""
    known, facts, open_facts = sheet.known, [], None
    for name, test, unknown, _, _, _ in clauses:
        fact = known.get(name) or sheet.ask(name)
        value = fact.value
        if value is None:
            if unknown is None:
                open_facts = [fact] if open_facts is None else [*open_facts, fact]
            elif not unknown:
                return False, (fact,)
        elif not test(value):
            return False, (fact,)
        facts.append(fact)
    return (True, tuple(facts)) if open_facts is None else (None, tuple(open_facts))


def derivation_question(derivation: Derivation) -> Question:
    """The derived fact as a question that rules may ask."""
    needs = tuple(dict.fromkeys(c.fact for b in derivation.branches for c in b.clauses))
    absent, default = Fact(derivation.name, None), derivation.default
    no = default if default.value is False else Fact(derivation.name, value=False)
    return Question(derivation.name, Absence.FOLLOWS, derivation.answer, absent, no, needs=needs)
