"""fit, plan and trial from the command line, on the bundled examples."""

import json

import pytest
import typer
from typer.testing import CliRunner

from opentpe.cli import fit, learning, plan, trial
from opentpe.errors import InputError


@pytest.fixture(scope="module")
def call():
    def run(command, *arguments):
        app = typer.Typer()
        app.command()(command)
        return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)

    return run


def test_fit_tells_learned_parameters_and_leaves_page_and_document(call, examples, tmp_path):
    """The bundled course with two sessions and seven labs: a page, a document, a headline with the plasma volume."""
    answer = call(fit.command, examples / "courses" / "two-sessions-done.json", "--out", tmp_path, "--steps")
    assert answer.exit_code == 0
    assert "Plasma volume" in answer.output
    document = json.loads((tmp_path / "fit.json").read_text())
    assert document["schema"] == "opentpe.fit/1"
    page = (tmp_path / "fit.html").read_text()
    assert page.count("<svg") >= 4
    assert "Not a medical device" in page


def test_a_lab_can_be_added_in_words(call, examples, tmp_path):
    """One more fibrinogen moves the forecast; a wrong word is refused with the form."""
    file = examples / "courses" / "two-sessions-done.json"
    with_it, without = (
        json.loads(call(fit.command, file, "--json", "--out", tmp_path, *more).output)
        for more in (["--lab", "fibrinogen 1.2 g/L at 4.9 d"], [])
    )
    last = [d["sessions"][-1]["posterior"]["fibrinogen"]["median"] for d in (with_it, without)]
    assert last[0] < last[1]
    with pytest.raises(InputError, match="at 50 h"):
        learning.lab("some IgG yesterday")


def test_plan_goes_on_after_two_sessions(call, examples, tmp_path):
    """The plan names its reason and leaves its page; what was done stays in the course."""
    file = examples / "courses" / "two-sessions-done.json"
    answer = call(
        plan.command, file, "--on", "2026-02-24", "--out", tmp_path, "--limit", "fibrinogen_before_session=0.9"
    )
    assert answer.exit_code == 0
    ranked = json.loads((tmp_path / "plan.json").read_text())["ranked"]
    assert ranked[0]["course"]["performed"][1]["status"] == "partial"
    assert ranked[0]["dates"][0] >= "2026-02-25"
    page = (tmp_path / "plan.html").read_text()
    assert "MS has no IgG target" in page
    assert "creened" in page


def test_a_course_without_its_patient_is_refused(call, examples, tmp_path):
    """course.json of a consultation names no patient: the message says which options do."""
    data = json.loads((examples / "courses" / "two-sessions-done.json").read_text())
    del data["subject"]
    file = tmp_path / "course.json"
    file.write_text(json.dumps(data))
    with pytest.raises(InputError, match="--patient"):
        call(fit.command, file)
    size = ("--sex", "F", "--height-cm", 168, "--weight-kg", 68, "--hct", 0.38, "--age", 34)
    assert call(fit.command, file, *size, "--out", tmp_path).exit_code == 0


def test_trial_runs_resumes_and_replays(call, examples, tmp_path):
    """Twice the same command gives the same page; a patient is run again in detail."""
    spec = examples / "trials" / "daily-or-alternate.toml"
    first = call(trial.command, spec, "--patients", 60, "--out", tmp_path)
    assert first.exit_code == 0
    summary = json.loads((tmp_path / "trial.json").read_text())
    assert call(trial.command, spec, "--patients", 60, "--out", tmp_path).exit_code == 0
    again = json.loads((tmp_path / "trial.json").read_text())
    assert again["results"] == summary["results"]
    replayed = json.loads(call(trial.command, spec, "--patients", 60, "--replay", 7).output)
    assert [a["arm"] for a in replayed["arms"]][:2] == ["every other day", "daily"]
    page = (tmp_path / "trial.html").read_text()
    assert "virtual patients" in page
    assert page.count("<svg") >= 3


def test_limits_are_numbers(call, examples):
    """A limit without a number is refused with the form."""
    with pytest.raises(InputError, match="name=number"):
        call(plan.command, examples / "courses" / "two-sessions-done.json", "--limit", "fibrinogen=much")
