"""Facts that follow from others by rules in data: severity, branch, steroid failure by the chosen definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentpe.domain.decision import Absence, Fact
from opentpe.pathway.look import look
from opentpe.pathway.rules import Clause, Line
from opentpe.pathway.sheet import Question, Sheet

Parse = Callable[[str, str], tuple[Clause, ...]]
Shared = Callable[[str], Iterable[Fact]]


@dataclass(frozen=True, slots=True)
class Branch:
    """One way to a value: the condition that leads there."""

    value: str | bool
    line: Line


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
            condition, value = str(b["when"]), b["is"]
            clauses, sources = parse(condition, where), tuple(b.get("sources", ()))
            line = Line(gate, str(b["name"]), condition, clauses, f"{name} = {value}", sources)
            branches.append(Branch(value, line.prepared(shared(clauses[0].fact))))
        default, sources = Fact(name, row.get("default")), tuple(row.get("sources", ()))
        return cls(name, gate, tuple(branches), default, bool(row.get("open_default")), variant, sources)

    def answer(self, sheet: Sheet) -> Fact:
        """The value for one patient, with the facts that decided it."""
        undecided = False
        for branch in self.branches:
            outcome, deciding = look(branch.line, sheet, sheet.trace)
            if outcome:
                return self._fact(branch, deciding)
            undecided = undecided or outcome is None
        return sheet.unknown(self.name) if undecided and not self.open_default else self.default

    def _fact(self, branch: Branch, deciding: tuple[Fact, ...]) -> Fact:
        ages = [f.age_days for f in deciding if f.age_days is not None]
        sources = tuple(dict.fromkeys(s for f in deciding for s in f.sources))
        return Fact(self.name, branch.value, sources, max(ages, default=None), branch.line.name)


def derivation_question(derivation: Derivation) -> Question:
    """The derived fact as a question that rules may ask."""
    needs = tuple(dict.fromkeys(c.fact for b in derivation.branches for c in b.line.clauses))
    absent, default = Fact(derivation.name, None), derivation.default
    no = default if default.value is False else Fact(derivation.name, value=False)
    return Question(derivation.name, Absence.FOLLOWS, derivation.answer, absent, no, needs=needs)
