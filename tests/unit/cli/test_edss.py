"""`opentpe edss` as it is typed."""

import json

import typer
from typer.testing import CliRunner

from opentpe.cli.edss import command as edss

app = typer.Typer()
app.command()(edss)
ALL = "--visual 0 --brainstem 0 --pyramidal 3 --cerebellar 0 --sensory 2 --bowel-bladder 0 --cerebral 0"


def run(line):
    return CliRunner().invoke(app, line.split() if isinstance(line, str) else line)


def test_a_full_examination_gives_a_score_and_its_convention():
    """Pyramidal 3 and sensory 2, walks 400 m: 4.5 by ambulation."""
    out = run(f"{ALL} --walks-m 400").output
    assert "EDSS 4.5\n" in out
    assert "Convention: Neurostatus" in out
    assert "Not examined" not in out


def test_a_partial_examination_gives_a_range_and_what_is_missing():
    """What was not examined is named."""
    out = run("--pyramidal 3 --ambulation 1").output
    assert "EDSS 3.0 to 5.0" in out
    assert "Not examined: visual, brainstem" in out


def test_acuity_is_read_in_place_of_the_visual_grade():
    """Counting fingers in one eye and 20/20 in the other is grade 5, which counts 3; the convention is printed."""
    line = [
        *ALL.replace("--visual 0 ", "").split(),
        "--ambulation",
        "0",
        "--acuity-right",
        "CF",
        "--acuity-left",
        "20/20",
    ]
    document = json.loads(run([*line, "--json"]).output)
    assert document["schema"] == "opentpe.edss/1"
    assert document["converted"]["visual"] == 3
    assert document["acuity"]["right"]["by"].startswith("counting fingers")
    assert "counting fingers" in run(line).output
