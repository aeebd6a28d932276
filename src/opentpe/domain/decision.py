"""What is advised, why, and what is missing: reasons are data, the sentences live in `report/sentences`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Advice(StrEnum):
    """The closed set. The first five are stops; the rest form a ladder."""

    NO_ATTACK_ON_RECORD = "no_attack_on_record"
    NOT_A_RELAPSE = "not_a_relapse"
    TREAT_TRIGGER_FIRST = "treat_trigger_first"
    CANNOT_DECIDE = "cannot_decide"
    SPECIALIST_REVIEW = "specialist_review"
    NOT_INDICATED = "not_indicated"
    STEROIDS_FIRST = "steroids_first"
    WAIT_REASSESS = "wait_reassess"
    OFFER = "offer"
    RECOMMENDED = "recommended"
    URGENT = "urgent"

    @property
    def rung(self) -> int | None:
        """Position on the ladder, 0 for not indicated; None for a stop."""
        order = list(Advice)
        first = order.index(Advice.NOT_INDICATED)
        place = order.index(self)
        return place - first if place >= first else None

    @property
    def exchange(self) -> bool:
        """True where an exchange is advised."""
        return self in (Advice.OFFER, Advice.RECOMMENDED, Advice.URGENT)


class Absence(StrEnum):
    """What a missing fact means for the walk."""

    STOPS = "missing_stops"
    DRAW_NOW = "missing_draw_now"
    FOLLOWS = "missing_follows"
    ASSUMED_FALSE = "assumed_false"


class Fact(NamedTuple):
    """One answered question about the patient; `value` None means the record does not say.

    A named tuple, like all rows of which a walk makes many: it is made four times as fast as a frozen dataclass.
    """

    name: str
    value: bool | float | str | date | None
    sources: tuple[str, ...] = ()  # resources, as "Observation/edss-2"
    age_days: int | None = None
    note: str = ""

    @property
    def known(self) -> bool:
        """False where the record does not say."""
        return self.value is not None


class Reason(NamedTuple):
    """Why: a code with the facts that filled it, the sources and the level of evidence."""

    code: str
    gate: str
    facts: tuple[Fact, ...] = ()
    sources: tuple[str, ...] = ()  # keys in references.toml
    level: str = ""  # "AAN B", "ASFA II, 1A", "local default", …


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact the record does not hold: what to do about it and which advice it could lead to."""

    fact: str
    absence: Absence
    gate: str
    could_become: tuple[Advice, ...] = ()


class Step(NamedTuple):
    """One rule that was looked at: its condition, what came out, and which facts decided."""

    gate: str
    rule: str
    condition: str
    outcome: bool | None  # None: a fact was missing
    facts: tuple[Fact, ...] = ()
    effect: str = ""
    sources: tuple[str, ...] = ()


class Alert(NamedTuple):
    """Something to do or to avoid because of this patient: hold a drug, draw a test, call somebody."""

    code: str
    kind: str  # stop | call | note | hold | redose | draw | check
    facts: tuple[Fact, ...] = ()
    sources: tuple[str, ...] = ()
    level: str = ""
    when: str = ""  # before_session_1 | before_each | during | after_each | after_last | ""


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change that leads to another advice: the facts as they are, as they would be, and the advice."""

    was: tuple[Fact, ...]
    would_be: tuple[Fact, ...]
    advice: Advice


class Position(NamedTuple):
    """What one guideline says about exchange for this patient; "silent" where no statement of it applies."""

    guideline: str
    position: str  # supports | individual | opposes | silent
    level: str
    statement: str
    sources: tuple[str, ...]
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class ByDefinition:
    """The advice under one published definition of steroid failure, and whether that definition is met."""

    definition: str
    refractory: bool | None
    advice: Advice
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The advice with everything needed to argue with it."""

    advice: Advice
    on: date
    reasons: tuple[Reason, ...]
    missing: tuple[Missing, ...] = ()
    trace: tuple[Step, ...] = ()
    alerts: tuple[Alert, ...] = ()
    assumed: tuple[Fact, ...] = ()
    facts: tuple[Fact, ...] = ()
    provisional_on: tuple[str, ...] = ()
    start_on: date | None = None
    reassess_on: date | None = None
    first_exchange_by: date | None = None
    holds_until: date | None = None
    setting: str = ""  # "", "transfer", "hospital_with_obstetrics", "paediatric_apheresis", …
    guideline: str = ""
    positions: tuple[Position, ...] = ()  # every guideline edition beside the chosen one
    by_definition: tuple[ByDefinition, ...] = ()  # filled by `engine.explain`
    changes: tuple[Change, ...] = ()  # filled by `engine.explain`

    @property
    def depends_on_definition(self) -> bool:
        """True where another published definition of steroid failure leads to another advice."""
        return any(d.advice is not self.advice for d in self.by_definition)

    def fact(self, name: str) -> Fact | None:
        """A fact of the walk by name."""
        return next((f for f in self.facts if f.name == name), None)
