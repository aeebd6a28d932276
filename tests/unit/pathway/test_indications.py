"""Other neurological indications: as the guidelines print them."""

import json

import pytest
import typer
from typer.testing import CliRunner

from opentpe.cli.indications import command
from opentpe.pathway.indications import indications

app = typer.Typer()
app.command()(command)


@pytest.mark.parametrize(
    ("key", "category", "grade"),
    [
        ("ms_acute", "II", "1A"),
        ("ms_acute_ia", "II", "1B"),
        ("ms_progressive", "III", "2B"),
        ("guillain_barre", "I", "1A"),
        ("guillain_barre_ia", "I", "1B"),
        ("cidp", "I", "1B"),
        ("myasthenia_acute", "I", "1B"),
        ("myasthenia_long_term", "II", "2B"),
        ("nmdar_encephalitis", "I", "1C"),
        ("lems", "II", "2C"),
        ("pml_natalizumab", "III", "1C"),
        ("nmosd_acute", "II", "1B"),
        ("nmosd_acute_ia", "II", "1C"),
        ("nmosd_maintenance", "III", "2C"),
        ("adem", "II", "2C"),
        ("mogad", "", ""),
        ("optic_neuritis_isolated", "", ""),
    ],
)
def test_category_and_grade_are_as_printed(library, key, category, grade):
    """ASFA 2023 Table 1; no category is invented where it has no row."""
    row = next(r for r in indications(library) if r.key == key)
    assert (row.category, row.grade) == (category, grade)
    assert set(row.sources) <= set(library.citations)


@pytest.mark.parametrize(("asked", "count"), [("myasthenia", 2), ("Guillain-Barré", 2), ("LEMS", 1), ("sclerosis", 3)])
def test_words_find_an_indication_in_any_case(library, asked, count):
    """By key or by name."""
    assert len(indications(library, asked)) == count


def test_the_command_lists_them_with_sources():
    """One block each: category, course, source."""
    out = CliRunner().invoke(app, ["cidp"]).output
    assert "ASFA I, 1B; AAN A, effective" in out
    assert "2 to 3 a week" in out
    assert "[asfa2023]" in out


def test_the_command_answers_as_json_and_refuses_what_it_does_not_know():
    """The document names its kind; an unknown word is refused with what is known."""
    document = json.loads(CliRunner().invoke(app, ["lems", "--json"]).output)
    assert document["schema"] == "opentpe.indications/1"
    assert document["indications"][0]["course"].startswith("5 to 7")
    failed = CliRunner().invoke(app, ["migraine"])
    assert "migraine" in str(failed.exception)
