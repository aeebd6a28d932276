"""Conditions as data: `fact operator value` joined by *and*, three-valued, with what follows when they hold."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, NamedTuple

from opentpe.domain.decision import Advice, Alert, Fact, Step
from opentpe.errors import EvidenceError

Test = Callable[[Any], bool]
Limit = Callable[[str], float]
Ask = tuple[str, Test, bool | None]  # a clause as a walk reads it: the fact, the test, what silence means

EFFECTS: Final = ("stop", "advice", "cap", "reason", "alert", "setting", "provisional")
# Each sign as the bound sees it: "at most 5" is "5 is at least as much".
_SEEN_FROM_BOUND: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.ge,
    ">=": operator.le,
    "<": operator.gt,
    ">": operator.lt,
}
_CLAUSE: Final = re.compile(r"^(?P<name>\w+)\s*(?P<op><=|>=|!=|=|<|>|\bnot in\b|\bin\b)\s*(?P<value>.+)$")


class Clause(NamedTuple):
    """One `fact operator value`; `unknown` is what comes out while the record does not say."""

    fact: str
    test: Test
    unknown: bool | None
    text: str
    threshold: float | None = None
    choices: tuple[str, ...] = ()

    def holds(self, fact: Fact) -> bool | None:
        """Whether it holds for an answer; None while the record does not say."""
        return self.unknown if fact.value is None else self.test(fact.value)


def asks_of(clauses: tuple[Clause, ...]) -> tuple[Ask, ...]:
    """The clauses as a walk reads them, a hundred conditions a patient: plain, and no more than it needs."""
    return tuple((c.fact, c.test, c.unknown) for c in clauses)


@dataclass(frozen=True, slots=True)
class Line:
    """A condition as the trace shows it: where it stands, what it asks, what it does when it holds."""

    gate: str
    name: str
    condition: str
    clauses: tuple[Clause, ...]
    says: str
    sources: tuple[str, ...]
    asks: tuple[Ask, ...] = ()
    first: str = ""  # the fact its first clause asks for
    silent: Mapping[int, Step] = field(default_factory=dict)  # ready trace lines, by identity of a shared answer

    def step(self, outcome: bool | None, facts: tuple[Fact, ...]) -> Step:
        """The trace line."""
        return Step(self.gate, self.name, self.condition, outcome, facts, self.says if outcome else "", self.sources)

    def prepared(self, shared: Iterable[Fact]) -> Line:
        """The line with its trace ready for shared answers that make the first clause false: most rules end there."""
        if not self.clauses:
            return self
        first = self.clauses[0]
        silent = {id(f): self.step(outcome=False, facts=(f,)) for f in shared if first.holds(f) is False}
        return replace(self, asks=asks_of(self.clauses), first=first.fact, silent=silent)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a gate: a condition and its one effect."""

    line: Line
    effect: str
    code: str
    advice: Advice | None = None
    kind: str = ""  # of an alert: stop | call | note | hold | redose | draw | check
    due: str = ""  # of an alert: before_session_1 | before_each | during | after_each | after_last
    setting: str = ""
    facts: tuple[str, ...] = ()
    values: tuple[Fact, ...] = ()
    level: str = ""
    provisional_on: tuple[str, ...] = ()
    rank: int = 5  # of a reason: lower is said earlier
    reassess_d: float | None = None  # days until the next look, where the rule has its own
    unconditional: Alert | None = None  # the finished alert where nothing of the patient is in it

    @property
    def key(self) -> str:
        """Its address: "g1.fever"."""
        return f"{self.line.gate}.{self.line.name}"

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Its condition in clauses."""
        return self.line.clauses

    @property
    def sources(self) -> tuple[str, ...]:
        """Its sources."""
        return self.line.sources


def parse_clause(text: str, where: str, limit: Limit, assumed: Callable[[str], bool]) -> Clause:
    """One clause; `EvidenceError` names the rule where it does not parse.

    >>> parse_clause("temperature >= 38", "g1.fever", lambda key: 0.0, lambda fact: False).test(38.0)
    True
    """
    words = text.split()
    if len(words) == 1 or (len(words) == 2 and words[0] in ("not", "known", "unknown")):
        return _bare(words, text, assumed)
    match = _CLAUSE.match(text)
    if match is None:
        raise EvidenceError(f"pathway rule {where}: cannot read {text!r}")
    name, sign, value = match["name"], match["op"], match["value"].strip()
    unknown = False if assumed(name) else None
    if sign in _SEEN_FROM_BOUND:
        bound = limit(value[1:]) if value.startswith("@") else float(value)
        return Clause(name, partial(_SEEN_FROM_BOUND[sign], bound), unknown, text, threshold=bound)
    choices = tuple(c.strip() for c in value.split("|"))
    accepted = frozenset(choices)
    if sign in ("=", "in"):
        return Clause(name, accepted.__contains__, unknown, text, choices=choices)
    return Clause(name, lambda v: v not in accepted, None if unknown is None else True, text, choices=choices)


def _bare(words: list[str], text: str, assumed: Callable[[str], bool]) -> Clause:
    name = words[-1]
    unknown = False if assumed(name) else None
    if len(words) == 1:
        return Clause(name, bool, unknown, text)
    if words[0] == "not":
        return Clause(name, operator.not_, None if unknown is None else True, text)
    known = words[0] == "known"
    return Clause(name, lambda _: known, not known, text)


def parse_condition(text: str, where: str, limit: Limit, assumed: Callable[[str], bool]) -> tuple[Clause, ...]:
    """The clauses of a condition; an empty condition always holds."""
    parts = [p.strip() for p in re.split(r"\s+and\s+", text.strip()) if p.strip()]
    return tuple(parse_clause(p, where, limit, assumed) for p in parts)
