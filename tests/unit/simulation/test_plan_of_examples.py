"""`opentpe plan` on every bundled patient whose consultation leads to an order: limits kept, or named; trades told."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from opentpe import consultation as flow
from opentpe.domain.subject import subject_of
from opentpe.simulation import plan, rank
from unit.simulation import learning

FOLDER = Path(__file__).resolve().parents[3] / "examples"
INDEX = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))
LEAD_TO_EXCHANGE = ("offer", "recommended", "urgent")
NAMES = [name for name, row in INDEX.items() if row.get("advice") in LEAD_TO_EXCHANGE]


def planned(name):
    row, library = INDEX[name], learning.library()
    unit = {**learning.unit(), **row.get("unit", {})}
    on = date.fromisoformat(str(row["on"]))
    result = flow.consult(FOLDER / name, on, library=library, unit=unit, draws=8)
    if result.order is None:
        return None
    first = max(result.decision.start_on or on, on)
    who = subject_of(result.patient, on)
    assert who is not None
    return plan.plan(who, result.order.course, library, unit, first=first, seed=3, full=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_plan_keeps_every_limit_or_names_the_one_that_does_not(name):
    """Run in full, on the order that the consultation wrote, under the unit's own settings."""
    result = planned(name)
    if result is None:
        pytest.skip("the consultation writes no order")
    best, codes = result.ranked[0], [line.code for line in result.why]
    if result.allowed_count:
        assert best.all_kept_probability >= rank.needed(plan.Wish(), learning.library())
        assert all(k.probability >= 0.8 for k in best.kept)
        assert best.weekend_sessions_count == 0
        assert codes[0] == "plan_best_days"
    else:
        assert codes[:2] == ["plan_none_allowed", "plan_limit_in_the_way"]
    assert len(codes) >= 2
    assert result.weekends
    assert not any(k.screened for k in best.kept)


def test_examples_lead_to_exchange():
    """The list above is not empty by a changed word."""
    assert len(NAMES) >= 8
