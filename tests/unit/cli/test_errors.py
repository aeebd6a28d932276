"""What cannot be used is refused with one message and exit 2; nothing is half-written, no traceback is shown."""

import json
import os
import subprocess
import sys

import pytest


def run(*arguments, cwd=None):
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "opentpe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=cwd, env=environment, check=False)


BAD_FILES = {
    "empty.json": "",
    "not-json.json": "<Bundle/>",
    "truncated.json": '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Pat',
    "not-a-bundle.json": json.dumps({"resourceType": "Patient", "id": "1"}),
    "no-patient.json": json.dumps({"resourceType": "Bundle", "type": "collection", "entry": []}),
    "nested.json": "[" * 20000 + "]" * 20000,
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_an_unusable_file_is_named(tmp_path, name):
    """One message names the file, what was found and what was expected; exit 2."""
    file = tmp_path / name
    file.write_text(BAD_FILES[name], encoding="utf-8")
    done = run("decide", file, "--on", "2026-02-18")
    assert done.returncode == 2, done.stderr
    assert name in done.stderr
    assert "expected" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("target", ["missing.json", "."])
def test_a_missing_file_or_a_folder_is_named(tmp_path, target):
    """A path that is no file is told, not traced."""
    done = run("decide", tmp_path / target)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_refused_consultation_writes_nothing(tmp_path):
    """Nothing half-written: the output folder does not appear."""
    bad = tmp_path / "bad.json"
    bad.write_text("{", encoding="utf-8")
    assert run("consult", bad, "--out", tmp_path / "out").returncode == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--course", "five sessions"], "count, dose and schedule"),
        (["--course", "3 x 1 PV daily, orange juice"], "albumin_5"),
        (["--course", "3 x 1 PV daily", "--hct", "0.9"], "0.15 to 0.65"),
        (["--course", "3 x 1 PV daily", "--solutes", "gold"], "igg"),
        (["--course", "3 x 1 PV daily", "--at", "later"], "24h"),
        (["--course", "3 x 1 PV daily", "--dose", "natalizumab lots"], "natalizumab 300 mg"),
        (["--course", "3 x 1 PV daily", "--lab", "igg=many"], "kind=value"),
    ],
)
def test_a_wrong_simulation_option_says_what_to_write(arguments, says):
    """Each wrong word of `simulate` is answered with the form that works."""
    size = ["--sex", "F", "--age", "35", "--height-cm", "165", "--weight-kg", "60"]
    if "--hct" not in arguments:
        size += ["--hct", "0.39"]
    done = run("simulate", *size, *arguments)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
