"""Runs every case that stands beside a rule of the pathway."""

import pytest

from opentpe.evidence.load import load
from opentpe.pathway.book import Pathway
from opentpe.pathway.cases import Case, cases_of, decision_of, misses

CASES = list(cases_of(load()))


@pytest.fixture(scope="session")
def pathway(library):
    return Pathway.of(library)


@pytest.mark.parametrize("case", CASES, ids=[f"{c.file}: {c.title}" for c in CASES])
def test_case(case: Case, pathway: Pathway) -> None:
    """The pathway says about this patient what its case expects."""
    assert misses(case, decision_of(case, pathway)) == []
