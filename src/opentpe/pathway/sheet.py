"""The working sheet of one patient on one day: the record indexed once, each question answered once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from opentpe.domain.decision import Absence, Fact, Step
from opentpe.domain.patient import Condition, Medication, Observation, Patient, When
from opentpe.domain.relapse import Relapse, SteroidDose

if TYPE_CHECKING:
    from opentpe.pathway.steroids import Regimen


@dataclass(frozen=True, slots=True)
class Question:
    """One declared fact: how it is read, how old it may be, what its absence means, which answers it can have."""

    name: str
    absence: Absence
    answer: Callable[[Sheet], Fact]
    absent: Fact  # the one shared answer for "the record does not say"
    no: Fact  # the one shared answer for "nothing of the kind is recorded"
    look_back_days: int | None = None
    needs: tuple[str, ...] = ()
    answers: tuple[bool | float | str, ...] = ()
    settled_by: str = ""
    inspects: bool = False  # looks the record over: its "no" is a finding, not an assumption
    looks_at: tuple[str, ...] = ()  # the only entries it reads, as "observation crp"; silent without them
    silent: Fact | None = None  # its answer where none of these is recorded

    @property
    def assumed(self) -> bool:
        """True where silence of the record is taken as "no"."""
        return self.absence is Absence.ASSUMED_FALSE


@dataclass(slots=True)
class Sheet:
    """What is asked and answered for one patient; the only thing in the pathway that changes while it works."""

    patient: Patient
    relapse: Relapse | None
    on: date
    unit: Mapping[str, Any]
    limits: Mapping[str, float]
    questions: Mapping[str, Question]
    regimens: tuple[Regimen, ...] = ()
    findings: dict[str, list[Observation]] = field(default_factory=dict)
    newest: dict[str, Observation] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    drugs: dict[str, list[Medication]] = field(default_factory=dict)
    doses: tuple[SteroidDose, ...] = ()
    known: dict[str, Fact] = field(default_factory=dict)
    opened: frozenset[str] = frozenset()  # questions about entries that are on record
    trace: list[Step] | None = None
    taken_mg: dict[date, float] | None = None  # methylprednisolone equivalents by day, once added up
    pulse: list[date] | None = None  # days of high-dose steroids, once worked out

    def ask(self, name: str) -> Fact:
        """The answer to a question, worked out at most once."""
        fact = self.known.get(name)
        if fact is None:
            fact = self.known[name] = self.questions[name].answer(self)
        return fact

    def no(self, name: str) -> Fact:
        """The shared answer "nothing of the kind is recorded"."""
        return self.questions[name].no

    def unknown(self, name: str) -> Fact:
        """The shared answer "the record does not say"."""
        return self.questions[name].absent

    def value(self, name: str) -> Any:
        """The bare answer, None where the record does not say."""
        return self.ask(name).value

    def since(self, kind: str, first: date) -> list[Observation]:
        """Observations of a kind from a day up to `on`, oldest first."""
        rows = [o for o in self.findings.get(kind, ()) if first <= o.when.earliest.date()]
        return sorted(rows, key=_age_order) if len(rows) > 1 else rows

    def before(self, kind: str, day: date) -> Observation | None:
        """The last observation of a kind before a day."""
        rows = [o for o in self.findings.get(kind, ()) if o.when.latest.date() < day]
        return max(rows, key=_age_order, default=None)

    @property
    def onset(self) -> date | None:
        """The first day of the attack, as the day count has it."""
        day = self.value("day_of_attack")
        return None if day is None else self.on - timedelta(days=int(day))


@dataclass(frozen=True, slots=True)
class Blank:
    """The sheet before anything is read: what every question answers to an empty record, and who reads which entry."""

    known: Mapping[str, Fact]
    readers: Mapping[str, Mapping[str, tuple[str, ...]]]  # by sort of entry and kind: observation -> crp -> questions

    @classmethod
    def of(cls, questions: Mapping[str, Question]) -> Blank:
        """The blank sheet of a set of questions."""
        readers: dict[str, dict[str, tuple[str, ...]]] = {"observation": {}, "condition": {}, "drug": {}, "allergy": {}}
        for name, question in questions.items():
            for entry in question.looks_at:
                sort, _, kind = entry.partition(" ")
                readers[sort][kind] = (*readers[sort].get(kind, ()), name)
        return cls({n: q.silent for n, q in questions.items() if q.silent is not None}, readers)

    def opened(self, **kinds: Iterable[str]) -> frozenset[str]:
        """The questions that read one of the kinds on record, given by sort of entry."""
        found: set[str] = set()
        for sort, recorded in kinds.items():
            readers = self.readers[sort]
            for kind in recorded:
                if kind in readers:
                    found.update(readers[kind])
        return frozenset(found)

    def without(self, opened: Iterable[str]) -> dict[str, Fact]:
        """The silent answers of all other questions."""
        known = dict(self.known)
        for name in opened:
            known.pop(name, None)
        return known


def sheet_of(patient: Patient, relapse: Relapse | None, on: date, unit: Mapping[str, Any], pathway: Setting) -> Sheet:
    """A fresh sheet: newest finding per kind, active diagnoses, drugs by kind and group, steroid doses in order."""
    doses = tuple(d for c in relapse.steroids for d in c.doses if d.on <= on) if relapse is not None else ()
    findings, conditions, drugs = _findings(patient, on), _conditions(patient, on), _drugs(patient, on)
    allergy = ("",) if patient.allergies else ()
    opened = pathway.blank.opened(observation=findings, condition=conditions, drug=drugs, allergy=allergy)
    return Sheet(
        patient,
        relapse,
        on,
        unit,
        pathway.limits,
        pathway.questions,
        pathway.regimens,
        findings,
        {kind: max(rows, key=_age_order) if len(rows) > 1 else rows[0] for kind, rows in findings.items()},
        conditions,
        drugs,
        tuple(sorted(doses, key=lambda d: (d.on, d.source))),
        pathway.blank.without(opened),
        opened=opened,
    )


class Setting(Protocol):
    """What a sheet takes from the pathway."""

    @property
    def limits(self) -> Mapping[str, float]:
        """Thresholds by key."""

    @property
    def questions(self) -> Mapping[str, Question]:
        """What may be asked."""

    @property
    def regimens(self) -> tuple[Regimen, ...]:
        """Steroid regimens accepted as complete."""

    @property
    def blank(self) -> Blank:
        """The sheet before anything is read."""


def _findings(patient: Patient, on: date) -> dict[str, list[Observation]]:
    """Observations up to a day by kind; an entry with neither number nor answer says nothing."""
    found: dict[str, list[Observation]] = defaultdict(list)
    tomorrow = datetime.combine(on + timedelta(days=1), time())
    for row in patient.observations:
        if (row.value is not None or row.answer) and row.when.earliest < tomorrow:
            found[row.kind].append(row)
    return found


def _age_order(row: Observation) -> tuple[datetime, str]:
    return row.when.earliest, row.source


def _conditions(patient: Patient, on: date) -> dict[str, Condition]:
    found: dict[str, Condition] = {}
    for row in patient.conditions:
        if row.active and row.verified and _begun(row.onset, on) and not _over(row.abated, on):
            found.setdefault(row.kind, row)
    return found


def _drugs(patient: Patient, on: date) -> dict[str, list[Medication]]:
    found: dict[str, list[Medication]] = defaultdict(list)
    for row in patient.medications:
        if _begun(row.start, on):
            for key in {row.kind, row.group}:
                found[key].append(row)
    return found


def _begun(start: When | None, on: date) -> bool:
    return start is None or start.first_day <= on


def _over(end: When | None, on: date) -> bool:
    return end is not None and end.latest.date() < on


def last_taken(drug: Medication, on: date) -> date | None:
    """The last day a drug is known to have been taken; `on` itself for an open-ended statement or prescription."""
    if drug.end is not None:
        return min(drug.end.latest.date(), on)
    if drug.certainty != "taken" or drug.start is None:
        return on
    return drug.start.latest.date()
