"""The main path: a complete bundle becomes patient, attack and no issues."""

from datetime import date
from pathlib import Path

from opentpe.evidence.load import Library
from opentpe.fhir.read import read


def test_scenario_a_is_read_whole(library: Library, examples: Path) -> None:
    """A complete record gives size, blood, attack, steroids and EDSS, and nothing needs a look."""
    reading = read(examples / "scenario-a.json", date(2026, 2, 18), library)
    latest = {k: reading.patient.latest(k, date(2026, 2, 18)) for k in ("weight", "haematocrit", "fibrinogen")}
    assert {k: o.value for k, o in latest.items() if o} == {"weight": 68, "haematocrit": 0.38, "fibrinogen": 3.0}
    relapse = reading.relapse
    assert relapse is not None
    assert (relapse.kind, relapse.day(date(2026, 2, 18)), relapse.course) == ("ms_relapse", 16, "relapsing")
    assert [c.methylprednisolone_mg for c in relapse.steroids] == [5000]
    assert (relapse.baseline_edss, relapse.nadir_edss) == (2.5, 4.0)
    assert reading.issues == ()
