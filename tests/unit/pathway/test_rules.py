"""Conditions as data: each form of clause, three-valued, and errors that name the rule."""

import pytest

from opentpe.domain.decision import Fact
from opentpe.errors import EvidenceError
from opentpe.pathway.rules import parse_clause, parse_condition


def clause(text, assumed=False):
    return parse_clause(text, "g1.test", {"limits.x": 5.0}.__getitem__, lambda _: assumed)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("temperature >= 38", 38.0, True),
        ("temperature >= 38", 37.9, False),
        ("platelets < 30", 30, False),
        ("severity = severe", "severe", True),
        ("severity != severe", "severe", False),
        ("advice in offer|urgent", "urgent", True),
        ("advice not in offer|urgent", "urgent", False),
        ("sepsis", True, True),
        ("not sepsis", True, False),
        ("known age", 3, True),
        ("unknown age", 3, False),
    ],
)
def test_each_form_of_clause(text, value, holds):
    """A clause holds for the values it names and for no other."""
    assert clause(text).holds(Fact("x", value)) is holds


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("temperature >= 38", None), ("sepsis", None), ("not sepsis", None), ("unknown age", True), ("known age", False)],
)
def test_silence_is_neither_yes_nor_no(text, outcome):
    """Where the record does not say, a clause is undecided, unless it asks about just that."""
    assert clause(text).holds(Fact("x", None)) is outcome


def test_assumed_facts_read_silence_as_no():
    """A drug that nobody recorded is taken as not given."""
    assert clause("ace_inhibitor", assumed=True).holds(Fact("x", None)) is False
    assert clause("can_stand != no", assumed=True).holds(Fact("x", None)) is True


def test_a_threshold_may_stand_in_the_limits():
    """`@key` takes the bound from `limits.toml`."""
    assert clause("crp > @limits.x").threshold == 5.0


def test_an_unreadable_clause_names_its_rule():
    """A typing error in a rule says where it stands."""
    with pytest.raises(EvidenceError, match=r"g1\.test"):
        clause("temperature is above 38")


def test_and_joins_clauses():
    """A condition is its clauses in order; an empty one has none."""
    assert [c.fact for c in parse_condition("a and not b and c < 2", "x", float, lambda _: False)] == ["a", "b", "c"]
    assert parse_condition("", "x", float, lambda _: False) == ()
