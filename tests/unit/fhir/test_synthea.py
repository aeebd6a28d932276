"""Real bundles of synthetic people without MS: stale, contradictory and mistyped values, and no attack."""

from datetime import date
from pathlib import Path

import pytest

from opentpe.evidence.load import Library
from opentpe.fhir.read import Reading, read

ROWS = [
    ("Clemente", date(2018, 10, 1), set(), ("weight", "haematocrit")),
    ("Floyd", date(2020, 2, 1), {"stale"}, ("weight", "haematocrit", "calcium", "creatinine")),
    ("Maida", date(2019, 10, 1), {"contradiction"}, ("weight", "haematocrit")),
    ("Brant", date(2020, 6, 1), {"contradiction", "stale"}, ("weight", "haematocrit")),
    ("Ángela", date(2020, 9, 1), {"contradiction", "stale"}, ("weight", "haematocrit", "calcium")),
    ("Devin", date(2021, 4, 1), {"contradiction", "stale", "implausible"}, ("weight", "albumin")),
]


def of(folder: Path, name: str, on: date, library: Library) -> Reading:
    file = next(f for f in sorted(folder.glob("*.json")) if f.name.startswith(name))
    return read(file, on, library)


@pytest.mark.parametrize(("name", "on", "issues", "kinds"), ROWS)
def test_a_real_bundle_is_read_with_its_troubles_named(
    synthea: Path, library: Library, name: str, on: date, issues: set[str], kinds: tuple[str, ...]
) -> None:
    """Each record gives its values, no attack, and the issues its data deserve."""
    found = of(synthea, name, on, library)
    assert found.relapse is None
    assert issues <= {i.code for i in found.issues}
    assert all(found.patient.latest(kind, on) for kind in kinds)


def test_a_total_protein_in_the_wrong_unit_is_ignored(synthea: Path, library: Library) -> None:
    """Ten total proteins of 60 to 78 g/dL are no data: ignored and told once."""
    found = of(synthea, "Devin", date(2021, 4, 1), library)
    assert found.patient.latest("total_protein", date(2021, 4, 1)) is None
    assert [i.where.endswith("and 9 more") for i in found.issues if i.code == "implausible"] == [True]


def test_a_haematocrit_years_older_than_the_weight_is_stale(synthea: Path, library: Library) -> None:
    """A haematocrit 4.6 years older than the weight is named with its age."""
    found = of(synthea, "Brant", date(2020, 6, 1), library)
    assert any("haematocrit" in i.found and "days old" in i.found for i in found.issues if i.code == "stale")


def test_a_pregnancy_that_ended_is_no_pregnancy(synthea: Path, library: Library) -> None:
    """Four resolved pregnancies and an open miscarriage of 2015 do not make her pregnant."""
    found = of(synthea, "Ángela", date(2020, 9, 1), library)
    assert found.patient.has("pregnancy") is None
    assert found.patient.name == "Ángela Guzmán" or "Guzmán" in found.patient.name


def test_values_after_the_day_of_the_consultation_do_not_exist_yet(synthea: Path, library: Library) -> None:
    """On an earlier day the later values are ignored and listed."""
    on = date(2016, 1, 1)
    found = of(synthea, "Devin", on, library)
    assert all(o.when.first_day <= on for o in found.patient.observations)
    assert "after_on" in {i.code for i in found.issues}
