"""The compiled pathway: every rule has a case, a source, a sentence; every fact says what it rests on."""

from dataclasses import replace

import pytest

from opentpe.domain.decision import Fact
from opentpe.errors import InputError
from opentpe.pathway.book import Pathway
from opentpe.pathway.cases import cases_of
from opentpe.report import sentences

SPOKEN = ("stop", "advice", "cap", "reason", "alert")


def branches(pathway):
    for derivation in (*pathway.derivations.values(), *pathway.variants.values()):
        yield from ((derivation.gate, b) for b in derivation.branches)


def test_every_rule_and_branch_has_a_case(library, pathway):
    """A rule without a case does not merge."""
    told = {c.rule for c in cases_of(library) if c.row.get("fires", True)}
    rules = {r.key for r in pathway.rules} | {f"{gate}.{b.line.name}" for gate, b in branches(pathway)}
    untestable = {"g0.onset_uncertain"}  # an interval as onset: test_engine.py
    assert rules - told - untestable == set()


def test_there_are_at_least_150_cases(library):
    """The cases cover the pathway in breadth."""
    assert len(list(cases_of(library))) >= 150


def test_every_rule_names_a_source(library, pathway):
    """No rule and no branch stands without a source that the reference list knows."""
    for rule in pathway.rules:
        assert rule.sources, rule.key
        assert set(rule.sources) <= set(library.citations), rule.key
    for gate, branch in branches(pathway):
        assert branch.line.sources, f"{gate}.{branch.line.name}"


def test_every_code_has_a_sentence_whose_blanks_are_filled(pathway):
    """Each reason and alert is a sentence; each of its blanks is a fact or value of the rule."""
    texts = sentences.load("en").texts
    for rule in pathway.rules:
        if rule.effect in SPOKEN:
            carried = {c.fact for c in rule.clauses} | set(rule.facts) | {v.name for v in rule.values}
            assert rule.code in texts, rule.code
            assert sentences.placeholders(texts[rule.code]) <= carried, rule.code


def test_every_fact_and_gate_has_a_name(pathway):
    """What the trace shows is in words."""
    texts = sentences.load("en").texts
    assert [n for n in pathway.questions if f"fact.{n}" not in texts] == []
    assert [g.key for g in pathway.gates if f"gate.{g.key}" not in texts] == []
    settings = {r.setting for r in pathway.rules if r.setting}
    assert [s for s in settings if f"setting.{s}" not in texts] == []


def test_every_advising_rule_speaks_of_level(pathway):
    """Every rule that advises says at which level of evidence."""
    assert [r.key for r in pathway.rules if r.effect in SPOKEN and not r.level] == []


def test_a_question_needs_what_it_asks(library, pathway, case):
    """What a named function asks of other facts is declared, so that a change reaches what follows from it."""
    asked: dict[str, set[str]] = {}
    running: list[str] = []

    def watched(name, answer):
        def run(sheet):
            running.append(name)
            try:
                return answer(sheet)
            finally:
                running.pop()

        return run

    class Watching(dict):
        def get(self, name, default=None):
            if running:
                asked.setdefault(running[-1], set()).add(name)
            return super().get(name, default)

    questions = {n: replace(q, answer=watched(n, q.answer)) for n, q in pathway.questions.items()}
    for base in ("moderate", "severe", "optic", "pregnant", "nmosd", "mild"):
        patient, relapse, on = case(base)
        sheet = pathway.sheet(patient, relapse, on, None)
        sheet.questions, sheet.known = questions, Watching(advice=Fact("advice", "offer"))
        for name in questions:
            sheet.ask(name)
    undeclared = {n: got - {n} - set(pathway.questions[n].needs) for n, got in asked.items()}
    assert {n: u for n, u in undeclared.items() if u} == {}


def test_an_unknown_definition_is_named(pathway):
    """A definition that nobody published under that name is refused with the known ones."""
    with pytest.raises(InputError, match="weinshenker1999"):
        pathway.with_definition("none_such")


def test_a_hospital_may_move_a_limit(library):
    """An overlay changes the number in use, and the rule follows it."""
    limits = dict(library.documents["limits"])
    limits["infection"] = {**limits["infection"], "fever_cel": {"value": 37.5, "status": "design"}}
    moved = Pathway.of(replace(library, documents={**library.documents, "limits": limits}))
    fever = next(r for r in moved.rules if r.key == "g1.fever")
    assert fever.clauses[0].threshold == 37.5


def test_records_carry_every_rule(pathway):
    """An export sees each rule as a plain record."""
    records = list(pathway.records())
    assert len(records) == len(list(pathway.rules))
    assert {"gate", "rule", "when", "effect", "advice", "sources", "level"} <= set(records[0])


def test_a_question_reads_only_what_it_declares(pathway, case):
    """Answers given to an empty record hold as long as none of the declared entries is there."""
    read: set[str] = set()

    class Watching(dict):
        kind = ""

        def get(self, name, default=None):
            read.add(f"{self.kind} {name}")
            return super().get(name, default)

        def __contains__(self, name):
            read.add(f"{self.kind} {name}")
            return super().__contains__(name)

    sheet = pathway.sheet(*case("moderate"), None)
    for name, kind in (
        ("newest", "observation"),
        ("findings", "observation"),
        ("conditions", "condition"),
        ("drugs", "drug"),
    ):
        shelf = Watching(getattr(sheet, name))
        shelf.kind = kind
        setattr(sheet, name, shelf)
    for name, question in pathway.questions.items():
        if question.looks_at:
            for need in question.needs:
                sheet.ask(need)
            read.clear()
            question.answer(sheet)
            assert read <= set(question.looks_at), name


def test_the_blank_sheet_answers_as_an_empty_record(pathway, case):
    """What is answered without reading is what reading would have answered."""
    patient, relapse, on = case("moderate", without=["seen", "steroids"])
    bare = replace(patient, observations=(), conditions=(), medications=(), allergies=())
    sheet = pathway.sheet(bare, relapse, on, None)
    for name, silent in pathway.blank.known.items():
        answer = pathway.questions[name].answer(sheet)
        assert (answer.value, answer.sources) == (silent.value, ()), name
