"""`opentpe run` as it is typed."""

import json

import pytest
import typer
from typer.testing import CliRunner

from opentpe.cli.run import command
from opentpe.errors import InputError, WordsError

app = typer.Typer()
app.command()(command)
SIZE = ["--sex", "F", "--height-cm", "165", "--weight-kg", "62", "--hct", "0.39"]


def run(*words):
    result = CliRunner().invoke(app, [*SIZE, *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_a_run_tells_what_was_delivered():
    """Plasma, bag, efficiency, alarms, whether it counts."""
    out = run("--event", "at 30 min pause 3 min")
    assert "L patient plasma in" in out
    assert "at 30 min pause 3 min" in out
    assert "The session counts." in out


@pytest.mark.parametrize("separator", ["centrifuge_continuous", "centrifuge_single_needle", "bowl", "membrane"])
def test_the_four_principles_run_with_their_run_sheets(separator, tmp_path):
    """CSV and page."""
    run("--separator", separator, "--csv", str(tmp_path / "s.csv"), "--sheet", str(tmp_path / "s.md"))
    assert "rinseback" in (tmp_path / "s.csv").read_text()
    assert "## End" in (tmp_path / "s.md").read_text()


def test_a_separator_gets_the_access_that_fits_it_unless_one_is_said():
    """A membrane needs a catheter; two arm needles are taken where they are asked for."""
    told = json.loads(run("--separator", "membrane", "--json"))
    assert told["exchange"]["access"] == "central_dialysis_catheter"
    told = json.loads(run("--separator", "membrane", "--access", "peripheral_two_needles", "--json"))
    assert told["exchange"]["access"] == "peripheral_two_needles"


def test_json_is_one_document():
    """Schema and summary."""
    told = json.loads(run("--json", "--course", "1 x 0.5 PV daily, albumin 5 %"))
    assert told["schema"] == "opentpe.run/1"
    assert told["summary"]["plasma_volumes"] == pytest.approx(0.5, abs=0.01)


def test_a_kept_state_goes_on(tmp_path):
    """Save at 20 min, resume with another future."""
    kept = str(tmp_path / "s.npz")
    assert "Kept at 20.0 min" in run("--save", kept, "--at", "20")
    assert "stop run" in run("--resume", kept, "--event", "at 40 min stop run")


def test_bad_words_and_sizes_are_one_message():
    """Named errors, no traceback of ours."""
    with pytest.raises(WordsError, match="dance"):
        run("--event", "at 5 min dance")
    with pytest.raises(InputError, match="hct"):
        run("--hct", "0.9")
    with pytest.raises(InputError, match="separator"):
        run("--separator", "toaster")


def test_one_frame_of_the_screen_shows_machine_patient_and_time_to_go(library):
    """Rendered without a terminal."""
    from rich.console import Console

    from opentpe.cli import run_live
    from support import device

    done = device.run(library, "at 20 min air in the return line")
    console = Console(record=True, width=100, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(run_live.frame(done, 480 + 1500))
    text = console.export_text()
    assert "min to go" in text
    assert "Access pressure" in text
    assert "alarm (high): air in return" in text


def test_the_screen_names_standing_alarms_and_does_not_know_the_future(library):
    """High air alarm while it stands; progress is of the target, so a stopped run never shows 100 %."""
    from rich.console import Console

    from opentpe.cli import run_live
    from support import device

    done = device.run(library, "at 20 min air in the return line", "at 40 min stop run")
    console = Console(record=True, width=140, file=open("/dev/null", "w"))  # noqa: SIM115
    start = int((done.log.machine["run_s"] < 0).sum())
    console.print(run_live.frame(done, start + 1230))
    assert "high: air in return" in console.export_text()
    share, left = run_live.progress(done, start + 1190)
    assert 0.1 < share < 0.2
    assert 80 < float(left.split()[0]) < 100
    assert run_live.progress(done, len(done.log.machine) - 1)[0] < 0.4


def test_the_course_of_a_consultation_runs_as_its_report_says(examples, library, tmp_path):
    """Course and patient from course.json: bag, volume, flow, minutes and anticoagulant of the order line."""
    from datetime import date

    from opentpe import consultation as flow
    from opentpe.cli import consult

    found = flow.consult(examples / "scenario-a.json", date(2026, 2, 18), library=library, draws=20)
    consult.write(found, library, tmp_path, "en")
    made = CliRunner().invoke(app, ["--course", str(tmp_path / "course.json"), "--json"])
    told, first = json.loads(made.output), found.forecast.sessions[0]
    assert told["summary"]["bag_ml"] == pytest.approx(first.bag_ml, rel=0.005)
    assert told["summary"]["plasma_counted_ml"] == pytest.approx(first.plasma_removed_ml, rel=0.005)
    assert told["summary"]["exchange_min"] == pytest.approx(first.duration_min, rel=0.005)
    assert told["plan"]["inlet_flow_ml_min"] == pytest.approx(first.inlet_flow_ml_min, rel=0.005)
    assert told["plan"]["ac_used_ml"] == pytest.approx(first.ac_used_ml, rel=0.005)
    with pytest.raises(InputError, match="1 to 5"):
        CliRunner().invoke(app, ["--course", str(tmp_path / "course.json"), "--session", "9"], catch_exceptions=False)


def test_a_session_that_was_cut_short_goes_into_the_course_as_what_it_was(tmp_path):
    """Volume, minutes and reason; the forecast starts session 2 from there."""
    from opentpe.domain import documents

    kept = tmp_path / "course.json"
    five = "5 x 1.0 PV every other day, albumin 5 %"
    run("--course", five, "--event", "at 40 min stop run", "--performed", str(kept))
    (done,) = documents.read_course(kept).performed
    assert (done.n, done.status, done.note) == (1, "partial", "at 40 min stop run")
    assert 800 < done.plasma_removed_ml < 1100
    assert documents.read_document(kept, "course")["subject"]["weight_kg"] == 62
