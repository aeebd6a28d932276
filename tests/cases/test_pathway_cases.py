"""Runs every case that stands beside a rule of the pathway."""

from datetime import date

import pytest

from opentpe.evidence.load import load
from opentpe.pathway.book import Pathway
from opentpe.pathway.cases import Case, cases_of, decision_of, described, misses, patient_of

CASES = list(cases_of(load()))


@pytest.fixture(scope="session")
def pathway(library):
    return Pathway.of(library)


@pytest.mark.parametrize("case", CASES, ids=[f"{c.file}: {c.title}" for c in CASES])
def test_case(case: Case, pathway: Pathway) -> None:
    """The pathway says about this patient what its case expects."""
    assert misses(case, decision_of(case, pathway)) == []


def test_every_rule_has_a_case_that_sets_it_off_and_one_that_does_not(pathway: Pathway, library) -> None:
    """A rule that always holds, or never, would pass its own cases without being tested."""
    asked = {(c.rule, bool(c.row.get("fires", True))) for c in CASES}
    quiet = {(rule, False) for rule in _kept_off_by_a_base(pathway, library)}
    conditional = {r.key for r in pathway.rules if r.clauses and r.unconditional is None}
    wanted = {(key, fires) for key in conditional for fires in (True, False)}
    assert sorted(wanted - asked - quiet) == []


def _kept_off_by_a_base(pathway: Pathway, library) -> set[str]:
    """Rules whose positive case changes its base patient, and whose base patient does not set them off."""
    fired = {}
    for base in library.document("pathway/cases/bases"):
        case = Case(base, "", "", {}, *_person(library, base))
        fired[base] = {f"{s.gate}.{s.rule}" for s in decision_of(case, pathway).trace if s.outcome}
    return {c.rule for c in CASES if c.rule not in fired[c.row.get("base", "moderate")]}


def _person(library, base):
    facts = described(library.document("pathway/cases/bases"), base, {})
    on = date.fromisoformat(str(facts.get("on", "2026-02-18")))
    return *patient_of(facts, on), on, facts.get("unit", {})
