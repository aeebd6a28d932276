"""Conditions as data: `fact operator value` joined by *and*, three-valued, with what follows when they hold."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentpe.domain.decision import Advice, Alert, Fact, Step
from opentpe.errors import EvidenceError

Test = Callable[[Any], bool]
Limit = Callable[[str], float]

EFFECTS: Final = ("stop", "advice", "cap", "reason", "alert", "setting", "provisional")
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CLAUSE: Final = re.compile(r"^(?P<name>\w+)\s*(?P<op><=|>=|!=|=|<|>|\bnot in\b|\bin\b)\s*(?P<value>.+)$")


@dataclass(frozen=True, slots=True)
class Clause:
    """One `fact operator value`; `unknown` is what comes out while the record does not say."""

    fact: str
    text: str
    test: Test
    unknown: bool | None
    threshold: float | None = None
    choices: tuple[str, ...] = ()
    absent: Fact | None = None  # the shared answer for "nothing recorded"
    absent_step: Step | None = None  # the trace line when that answer makes the rule false


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a gate: a condition and its one effect."""

    gate: str
    name: str
    condition: str
    clauses: tuple[Clause, ...]
    effect: str
    code: str
    advice: Advice | None = None
    kind: str = ""  # of an alert: stop | call | note | hold | redose | draw | check
    due: str = ""  # of an alert: before_session_1 | before_each | during | after_each | after_last
    setting: str = ""
    facts: tuple[str, ...] = ()
    values: tuple[Fact, ...] = ()
    sources: tuple[str, ...] = ()
    level: str = ""
    provisional_on: tuple[str, ...] = ()
    rank: int = 5  # of a reason: lower is said earlier
    unconditional: Alert | None = None  # the finished alert where nothing of the patient is in it

    @property
    def key(self) -> str:
        """Its address: "g1.fever"."""
        return f"{self.gate}.{self.name}"

    @property
    def says(self) -> str:
        """What it does when it holds, for the trace."""
        if self.advice is not None:
            return f"{self.effect}: {self.advice.value}"
        return f"{self.effect}: {self.setting or self.code}"


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
    if sign in _ORDER:
        bound = limit(value[1:]) if value.startswith("@") else float(value)
        compare = _ORDER[sign]
        return Clause(name, text, lambda v: bool(compare(v, bound)), unknown, threshold=bound)
    choices = tuple(c.strip() for c in value.split("|"))
    accepted = frozenset(choices)
    if sign in ("=", "in"):
        return Clause(name, text, lambda v: v in accepted, unknown, choices=choices)
    return Clause(name, text, lambda v: v not in accepted, None if unknown is None else True, choices=choices)


def _bare(words: list[str], text: str, assumed: Callable[[str], bool]) -> Clause:
    name = words[-1]
    unknown = False if assumed(name) else None
    if len(words) == 1:
        return Clause(name, text, bool, unknown)
    if words[0] == "not":
        return Clause(name, text, operator.not_, None if unknown is None else True)
    known = words[0] == "known"
    return Clause(name, text, lambda _: known, not known)


def parse_condition(text: str, where: str, limit: Limit, assumed: Callable[[str], bool]) -> tuple[Clause, ...]:
    """The clauses of a condition; an empty condition always holds."""
    parts = [p.strip() for p in re.split(r"\s+and\s+", text.strip()) if p.strip()]
    return tuple(parse_clause(p, where, limit, assumed) for p in parts)
