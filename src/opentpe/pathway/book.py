"""The pathway compiled from the evidence library: questions, gates, variants, guidelines as one value to pass along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from opentpe.domain.decision import Absence, Advice, Alert, Fact, Step
from opentpe.domain.patient import Patient
from opentpe.domain.relapse import Relapse
from opentpe.domain.sourced import Sourced, Status
from opentpe.errors import EvidenceError, InputError
from opentpe.evidence.load import Library
from opentpe.pathway import facts
from opentpe.pathway.derive import Derivation, derivation_question
from opentpe.pathway.guidelines import Guideline, guideline_of
from opentpe.pathway.rules import EFFECTS, Ask, Clause, Line, Rule, asks_of, parse_condition
from opentpe.pathway.sheet import Blank, Question, Sheet, sheet_of
from opentpe.pathway.steroids import Regimen, regimens_of

GATES: Final = ("g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9")
_DECIDES: Final = ("stop", "advice")
_NUMBERS: Final = ("limits", "steroids", "order", "quoted")  # what a rule may name as "@key"; limits without their file


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: what it asks, when its remarks apply, and its rules in order."""

    key: str
    name: str
    guard: tuple[Clause, ...]
    rules: tuple[Rule, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """What a gate says once the advice is known.

    `fixed` is the same for everyone; `quiet` rules are false, with their trace line ready, as long as the record holds
    nothing that their first fact reads; `loud` rules are looked at for every patient.
    """

    guard: tuple[Ask, ...]
    fixed_steps: tuple[Step, ...]
    fixed_alerts: tuple[Alert, ...]
    quiet: tuple[tuple[str, Rule, Step], ...]  # its first fact, the rule, the ready line
    quiet_steps: tuple[Step, ...]
    quiet_facts: frozenset[str]
    loud: tuple[Rule, ...]

    @classmethod
    def of(cls, gate: Gate, blank: Blank) -> Remark:
        """The remarks of a gate."""
        rules = [r for r in gate.rules if r.effect not in (*_DECIDES, "cap")]
        fixed = [r for r in rules if r.unconditional is not None]
        ready = {r.key: r.line.silent.get(id(blank.known.get(r.line.first))) for r in rules}
        quiet = tuple((r.line.first, r, step) for r in rules if (step := ready[r.key]) is not None)
        return cls(
            asks_of(gate.guard),
            tuple(r.line.step(outcome=True, facts=()) for r in fixed),
            tuple(r.unconditional for r in fixed if r.unconditional is not None),
            quiet,
            tuple(step for _, _, step in quiet),
            frozenset(first for first, _, _ in quiet),
            tuple(r for r in rules if r.unconditional is None and ready[r.key] is None),
        )


@dataclass(frozen=True, slots=True)
class Pathway:
    """All rules ready to walk. Build it once per library with `Pathway.of` and pass it along.

    `deciding` are the rules that set the advice, in order; `caps` may lower it; `remarks` follow the advice, by gate.
    `reach` tells, for a fact, every answer that depends on it; `places` which deciding rules look at it;
    `roots` the recorded facts that an answer rests on.
    """

    gates: tuple[Gate, ...]
    questions: Mapping[str, Question]
    derivations: Mapping[str, Derivation]
    variants: Mapping[str, Derivation]
    guidelines: Mapping[str, Guideline]
    limits: Mapping[str, float]
    regimens: tuple[Regimen, ...]
    blank: Blank
    deciding: tuple[Rule, ...]
    caps: tuple[Rule, ...]
    remarks: tuple[Remark, ...]
    reach: Mapping[str, frozenset[str]]
    places: Mapping[str, tuple[int, ...]]
    roots: Mapping[str, frozenset[str]]
    probes: Mapping[str, tuple[bool | float | str, ...]]
    nearby: Mapping[str, tuple[bool | float | str, ...]]
    gate_of: Mapping[str, str]
    cap_facts: frozenset[str]
    unit: Mapping[str, Any]
    advices: Mapping[Advice, Fact]
    open_questions: frozenset[str]  # unknown until answered, and not following from others
    assumable: frozenset[str]  # taken as "no" where nobody recorded them
    settled: tuple[str, ...]  # answered by another finding where they are not recorded
    definition: str = "opentpe"

    @classmethod
    def of(cls, library: Library) -> Pathway:
        """The pathway of a library; `EvidenceError` names the file and rule that cannot be read."""
        numbers = (s for file in _NUMBERS for s in library.sourced_in(file))
        return _build(library, {s.key.removeprefix("limits."): s for s in numbers})

    @property
    def rules(self) -> Iterator[Rule]:
        """Every rule of every gate, in order: the records an export reads."""
        return (rule for gate in self.gates for rule in gate.rules)

    def records(self) -> Iterator[dict[str, object]]:
        """Every rule as a plain record for an export: gate, condition, effect, advice or alert, sources, level."""
        for gate in self.gates:
            for rule in gate.rules:
                yield {
                    "gate": gate.key,
                    "gate_name": gate.name,
                    "rule": rule.line.name,
                    "code": rule.code,
                    "when": rule.line.condition,
                    "effect": rule.effect,
                    "advice": rule.advice.value if rule.advice is not None else "",
                    "kind": rule.kind,
                    "due": rule.due,
                    "setting": rule.setting,
                    "sources": rule.sources,
                    "level": rule.level,
                }

    def sheet(self, patient: Patient, relapse: Relapse | None, on: date, unit: Mapping[str, Any] | None) -> Sheet:
        """A fresh working sheet for one patient."""
        settings = {**self.unit, **unit} if unit else self.unit
        return sheet_of(patient, relapse, on, settings, self)

    def with_definition(self, name: str) -> Pathway:
        """The same pathway with another published definition of "refractory"."""
        if name not in self.variants:
            raise InputError("definition of steroid failure", repr(name), f"one of {', '.join(self.variants)}")
        if self.definition == name:
            return self
        questions = {**self.questions, "refractory": derivation_question(self.variants[name])}
        reach, roots = _reach(questions), _roots(questions)
        return replace(self, definition=name, questions=questions, reach=reach, roots=roots)


def _build(library: Library, numbers: Mapping[str, Sourced]) -> Pathway:
    limits = {key: sourced.value for key, sourced in numbers.items()}
    declared = library.document("pathway/facts")
    questions = {name: facts.question(name, row, limits) for name, row in declared.items()}
    reader = _Reader(numbers, questions)
    documents = {key: library.document(f"pathway/{key}") for key in GATES}
    derivations = reader.derivations(documents)
    variants = reader.variants(library.document("pathway/refractory"))
    questions["refractory"] = derivation_question(variants["opentpe"])
    gates = tuple(reader.gate(key, document) for key, document in documents.items())
    rules = [rule for gate in gates for rule in gate.rules]
    guidelines = {
        name.removesuffix("/statements"): guideline_of(name.removesuffix("/statements"), document, reader.clauses)
        for name, document in library.folder("guidelines").items()
    }
    return Pathway(
        gates,
        questions,
        derivations,
        variants,
        guidelines,
        limits,
        regimens_of(library.document("steroids")),
        blank := Blank.of(questions),
        tuple(r for r in rules if r.effect in _DECIDES),
        tuple(r for r in rules if r.effect == "cap"),
        tuple(Remark.of(g, blank) for g in gates),
        _reach(questions),
        _places(r for r in rules if r.effect in _DECIDES),
        _roots(questions),
        _probes(questions, rules, [*derivations.values(), *variants.values()]),
        _nearby(questions, rules, [*derivations.values(), *variants.values()]),
        _gate_of(gates, derivations),
        frozenset(c.fact for r in rules if r.effect == "cap" for c in r.clauses),
        library.document("unit"),
        reader.advices,
        frozenset(n for n, q in questions.items() if not q.assumed and not q.needs),
        frozenset(n for n, q in questions.items() if q.assumed and not q.needs and not q.inspects),
        tuple(n for n, q in questions.items() if q.settled_by),
    )


class _Reader:
    """Reads rule tables against the declared questions and limits."""

    def __init__(self, numbers: Mapping[str, Sourced], questions: dict[str, Question]) -> None:
        self.numbers = numbers
        self.questions = questions
        self.defaults: dict[str, Fact] = {}
        self.advices = {a: Fact("advice", a.value) for a in Advice}

    def limit(self, key: str) -> float:
        return self.number(key).value

    def number(self, key: str) -> Sourced:
        try:
            return self.numbers[key]
        except KeyError:
            raise EvidenceError(f"evidence/{{{','.join(_NUMBERS)}}}.toml: no entry {key!r}") from None

    def clauses(self, text: str, where: str) -> tuple[Clause, ...]:
        return parse_condition(text, where, self.limit, self._assumed)

    def _assumed(self, name: str) -> bool:
        question = self.questions.get(name)
        return question is not None and question.assumed

    def shared(self, name: str) -> tuple[Fact, ...]:
        """The answers to a question that are one object for every patient."""
        if name == "advice":
            return tuple(self.advices.values())
        question = self.questions.get(name)
        usual = (self.defaults[name],) if name in self.defaults else ()
        return (question.absent, question.no, *usual) if question is not None else ()

    def derivations(self, documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Derivation]:
        found: dict[str, Derivation] = {}
        for key, document in documents.items():
            for name, row in document.get("derive", {}).items():
                found[name] = Derivation.of(name, key, row, self.clauses, self.shared)
                self.questions[name] = derivation_question(found[name])
                self.defaults[name] = found[name].default
        return found

    def variants(self, document: Mapping[str, Any]) -> dict[str, Derivation]:
        return {
            name: Derivation.of("refractory", "g6", row, self.clauses, self.shared, name)
            for name, row in document.items()
        }

    def gate(self, key: str, document: Mapping[str, Any]) -> Gate:
        rules = tuple(self.rule(key, row) for row in document.get("rule", ()))
        guard = self.clauses(str(document.get("guard", "")), f"{key}.guard")
        return Gate(key, str(document["name"]), guard, rules, tuple(document.get("sources", ())))

    def rule(self, gate: str, row: Mapping[str, Any]) -> Rule:
        name, effect = str(row["name"]), str(row["effect"])
        if effect not in EFFECTS:
            raise EvidenceError(f"pathway rule {gate}.{name}: no effect {effect!r}")
        when, sources = str(row.get("when", "")), tuple(row.get("sources", ()))
        advice = Advice(row["advice"]) if "advice" in row else None
        says = f"{effect}: {advice.value if advice else row.get('setting') or row.get('code', name)}"
        line = Line(gate, name, when, self.clauses(when, f"{gate}.{name}"), says, sources)
        rule = Rule(
            line=line.prepared(self.shared(line.clauses[0].fact)) if line.clauses else line,
            effect=effect,
            code=str(row.get("code", name)),
            advice=advice,
            kind=str(row.get("kind", "")),
            due=str(row.get("due", "")),
            setting=str(row.get("setting", "")),
            facts=tuple(row.get("facts", ())),
            values=tuple(self._value(k, v) for k, v in row.get("values", {}).items()),
            level=str(row.get("level", "")),
            provisional_on=tuple(row.get("provisional_on", ())),
            rank=int(row.get("rank", 5)),
            reassess_d=self.limit(row["reassess"].removeprefix("@")) if "reassess" in row else None,
        )
        fixed = effect == "alert" and not line.clauses and not rule.facts
        ready = Alert(rule.code, rule.kind, rule.values, sources, rule.level, rule.due) if fixed else None
        return replace(rule, unconditional=ready)

    def _value(self, name: str, value: str | float) -> Fact:
        if isinstance(value, str) and value.startswith("@"):
            number = self.number(value[1:])
            local = number.status is Status.DESIGN or not number.source
            return Fact(name, number.value, ("local setting" if local else number.source,))
        return Fact(name, value)


def _reach(questions: Mapping[str, Question]) -> dict[str, frozenset[str]]:
    direct: dict[str, set[str]] = {name: set() for name in questions}
    for name, question in questions.items():
        for need in question.needs:
            if need not in direct:
                raise EvidenceError(f"pathway fact {name} needs {need!r}, which is not declared")
            direct[need].add(name)
    return {name: frozenset(_closure(name, direct)) for name in questions}


def _roots(questions: Mapping[str, Question]) -> dict[str, frozenset[str]]:
    needs = {name: set(question.needs) for name, question in questions.items()}
    below = {name: _closure(name, needs) for name in needs}
    return {n: frozenset(b for b in below[n] if not needs[b]) if needs[n] else frozenset({n}) for n in needs}


def _places(deciding: Iterable[Rule]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for place, rule in enumerate(deciding):
        for name in dict.fromkeys(c.fact for c in rule.clauses):
            found.setdefault(name, []).append(place)
    return {name: tuple(places) for name, places in found.items()}


def _closure(name: str, direct: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        for child in direct[todo.pop()]:
            if child not in found:
                found.add(child)
                todo.append(child)
    return found


def _probes(
    questions: Mapping[str, Question], rules: list[Rule], derivations: list[Derivation]
) -> dict[str, tuple[bool | float | str, ...]]:
    """Answers worth trying for a fact: its declared ones, else those that its rules tell apart."""
    near = _nearby(questions, rules, derivations)
    return {name: question.answers or near[name] for name, question in questions.items()}


def _nearby(
    questions: Mapping[str, Question], rules: list[Rule], derivations: list[Derivation]
) -> dict[str, tuple[bool | float | str, ...]]:
    """The answers on both sides of every bound that rules set for a number; all answers for the rest."""
    clauses = [c for r in rules for c in r.clauses] + [
        c for d in derivations for b in d.branches for c in b.line.clauses
    ]
    found: dict[str, tuple[bool | float | str, ...]] = {}
    for name, question in questions.items():
        mine = [c for c in clauses if c.fact == name]
        bounds = {c.threshold for c in mine if c.threshold is not None}
        if bounds:
            near = {round(b + d, 3) for b in bounds for d in (-_nudge(b), 0.0, _nudge(b))}
            found[name] = tuple(sorted(near | {a for a in question.answers if isinstance(a, float | int)}))
        else:
            found[name] = question.answers or tuple(dict.fromkeys(v for c in mine for v in c.choices)) or (True, False)
    return found


def _gate_of(gates: tuple[Gate, ...], derivations: Mapping[str, Derivation]) -> dict[str, str]:
    found: dict[str, str] = {}
    for gate in gates:
        mine = [c.fact for d in derivations.values() if d.gate == gate.key for b in d.branches for c in b.line.clauses]
        for name in (*mine, *(c.fact for r in gate.rules if r.advice is not None for c in r.clauses)):
            found.setdefault(name, gate.key)
    return found


def _nudge(bound: float) -> float:
    return 1.0 if abs(bound) >= 10 else 0.5 if abs(bound) >= 1 else 0.01


__all__ = ["GATES", "Absence", "Gate", "Pathway"]
