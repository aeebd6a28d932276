"""Terminology codes: each has a status and, unless recalled, a source and where in it; the check names what has not."""

from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from opentpe.cli.evidence import command
from opentpe.domain.sourced import Status
from opentpe.errors import EvidenceError
from opentpe.evidence.check import problems
from opentpe.evidence.check_digits import sound
from opentpe.evidence.load import Library

app = typer.Typer()
app.command()(command)


def with_rows(library: Library, *rows: object) -> Library:
    """The library with these rows of codes in place of those of myelitis."""
    document = library.document("codes/conditions")
    kinds = {**document["condition"], "myelitis": {**document["condition"]["myelitis"], "codes": list(rows)}}
    return replace(library, documents={**library.documents, "codes/conditions": {"condition": kinds}})


def test_every_code_has_a_status_and_a_recalled_one_no_source(library: Library) -> None:
    """What nobody read names no list; everything else names list and place."""
    codes = list(library.codes())
    assert len(codes) > 500
    assert [c for c in codes if (c.status is Status.RECALLED) == bool(c.source and c.locator)] == []


def test_the_check_finds_nothing_in_what_ships(library: Library) -> None:
    """The library that ships keeps its own rules."""
    assert problems(library) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"snomed": ["1"], "status": "secondary", "source": "dicom_part16"}, "names no locator"),
        ({"snomed": ["1"], "status": "secondary", "locator": "row 1"}, "names no source"),
        ({"snomed": ["1"], "status": "secondary", "source": "nobody", "locator": "row 1"}, "not in references.toml"),
        ({"snomed": ["66760008"], "status": "recalled"}, "also means"),
        ({"snomed": ["398271007"], "status": "recalled"}, "wrong check digit"),
        ({"loinc": ["8047-7"], "status": "recalled"}, "wrong check digit"),
    ],
)
def test_a_code_without_its_proof_is_named(library: Library, row: object, said: str) -> None:
    """No source, no place, an unknown source, two meanings in one domain, or a number that cannot exist."""
    assert any(said in line for line in problems(with_rows(library, row)))


def test_a_row_without_a_status_is_refused(library: Library) -> None:
    """The reader of the codes says where it stands, and the check repeats it."""
    broken = with_rows(library, {"snomed": ["1"]})
    with pytest.raises(EvidenceError, match=r"condition\.myelitis"):
        list(broken.codes())
    assert any("without a status" in line for line in problems(broken))


def test_a_title_of_no_code_is_named(library: Library) -> None:
    """A title that outlived its code is found."""
    titles = {"title": {"snomed": {"73133000": "Product containing colchicine"}}}
    broken = replace(library, documents={**library.documents, "code_titles": titles})
    assert any("no code in use" in line for line in problems(broken))


@pytest.mark.parametrize(
    ("system", "code", "right"),
    [
        ("snomed", "41370002", True),
        ("snomed", "41370003", False),
        ("snomed", "14370002", False),  # two digits changed places
        ("snomed", "no number", False),
        ("loinc", "17763-4", True),
        ("loinc", "17763-5", False),
        ("loinc", "177634", False),
        ("loinc", "LA6576-8", True),
        ("atc", "L04AL01", True),
    ],
)
def test_the_last_digit_is_computed(system: str, code: str, right: bool) -> None:
    """Verhoeff's digit of SNOMED CT and the Mod 10 digit of LOINC; other systems have none."""
    assert sound(system, code) is right


def test_codes_are_listed_with_what_they_stand_for() -> None:
    """`opentpe evidence --codes` finds by fact, code or title and says what was never read."""
    found = CliRunner().invoke(app, ["--codes", "efgartigimod"], env={"COLUMNS": "200"}).output
    assert "L04AL01" in found
    assert "efgartigimod alfa" in found
    assert "2 codes; no list was read for 0 of them." in found
