"""`opentpe export-sbml`: one file, sound for libSBML, with the sources of its parameters."""

import pytest
from typer.testing import CliRunner

from opentpe.cli.app import build

pytest.importorskip("libsbml", reason="SKIPPED LOUDLY: python-libsbml is not here; the SBML export is not tested")
SIZE = ["--sex", "F", "--age", "35", "--height-cm", "165", "--weight-kg", "60", "--hct", "0.39"]


def test_a_course_is_written_as_sbml(tmp_path):
    """IgG and fibrinogen of two sessions, with PubMed addresses and a line that names the draw."""
    file = tmp_path / "course.xml"
    words = ["--course", "2 x 1.0 PV every other day, albumin 5 %", "--solutes", "igg,fibrinogen"]
    done = CliRunner().invoke(build(), ["export-sbml", *SIZE, *words, "--out", str(file)])
    assert done.exit_code == 0, done.output
    text = file.read_text()
    assert 'level="3" version="2"' in text
    assert "identifiers.org" in text
    assert "2 solutes, draw 0" in done.output
