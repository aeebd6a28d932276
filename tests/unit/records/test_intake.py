"""A hospital's record goes in, and what comes out leads to the same decision."""

import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from opentpe import consultation
from opentpe.errors import ConflictError, InputError
from opentpe.evidence.load import Library
from opentpe.records import exchange_fhir, intake, kinds
from opentpe.records.store import Store

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
INDEX = tomllib.loads((EXAMPLES / "index.toml").read_text())


@pytest.fixture
def kept(tmp_path: Path, clock: object) -> Store:
    made = Store(f"sqlite:///{tmp_path}/clinic.db", clock)
    made.prepare()
    return made


@pytest.mark.parametrize("name", INDEX)
def test_the_decision_from_the_records_is_the_decision_from_the_bundle(
    kept: Store, library: Library, name: str
) -> None:
    """Advice, date and setting survive the way through the database, for every example."""
    data, on = json.loads((EXAMPLES / name).read_text()), date.fromisoformat(INDEX[name]["on"])
    taken = intake.take(kept, data, on, library, "nurse")
    before = consultation.decide(data, on, library=library).decision
    chart = exchange_fhir.chart(kept, library, taken.patient_id)
    after = consultation.decide(chart, on, library=library).decision
    assert (after.advice, after.start_on, after.setting) == (before.advice, before.start_on, before.setting)
    assert [r.code for r in after.reasons] == [r.code for r in before.reasons]
    assert {m.fact for m in after.missing} == {m.fact for m in before.missing}
    assert {a.code for a in after.alerts} == {a.code for a in before.alerts}


def test_the_bundle_itself_is_kept_beside_what_was_understood(kept: Store, library: Library) -> None:
    """Nothing that came in is lost, even what the reader ignored."""
    data = json.loads((EXAMPLES / "scenario-a.json").read_text())
    taken = intake.take(kept, data, date(2026, 2, 18), library, "nurse")
    (paper,) = kept.current(kinds.Paper, taken.patient_id)
    assert json.loads(paper.body.content) == data
    assert kept.verify().sound


def test_the_same_patient_is_not_taken_twice(kept: Store, library: Library) -> None:
    """A second bundle of the same hospital number is a conflict for a person to look at."""
    data = json.loads((EXAMPLES / "scenario-a.json").read_text())
    intake.take(kept, data, date(2026, 2, 18), library, "nurse")
    with pytest.raises(ConflictError):
        intake.take(kept, data, date(2026, 2, 18), library, "nurse")
    assert kept.count(kinds.Patient) == 1


def test_a_bundle_that_cannot_be_used_leaves_nothing(kept: Store, library: Library) -> None:
    """Refused whole."""
    with pytest.raises(InputError):
        intake.take(
            kept, {"resourceType": "Bundle", "type": "collection", "entry": []}, date(2026, 2, 18), library, "x"
        )
    assert kept.count(kinds.Patient) == 0
