"""Records from the command line: each thing in one command, with an exit code a script can use."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from opentpe.cli import app, records
from opentpe.records import accounts, kinds
from opentpe.records.store import Store
from opentpe.web import passwords
from opentpe.web.serve import now


def run(*words: object) -> str:
    """What a command prints; it must succeed."""
    told = CliRunner().invoke(app.build(), [str(w) for w in words], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told.output


@pytest.fixture
def url(tmp_path: Path) -> str:
    store = Store(f"sqlite:///{tmp_path}/clinic.db", now)
    store.prepare()
    patient = store.add(kinds.Patient(identifier="MRN-1", name="Ada"), "nurse")
    store.add(kinds.Allergy(kind="latex"), "nurse", "", patient.id)
    return store.url


@pytest.mark.parametrize("name", ["backup.db", "backup.jsonl"])
def test_a_backup_is_restored_in_one_command(url: str, tmp_path: Path, name: str) -> None:
    """And the restored chain verifies against the head that the backup printed."""
    told = run("records", "backup", tmp_path / name, "--database", url)
    head = next(line.split()[1] for line in told.splitlines() if line.startswith("head"))
    other = f"sqlite:///{tmp_path}/other.db"
    assert "2 versions of records" in run("records", "restore", tmp_path / name, "--database", other)
    assert "sound" in run("audit", "verify", "--database", other, "--head", head)


def test_a_broken_chain_exits_with_1(url: str) -> None:
    """So that a nightly job notices."""
    told = CliRunner().invoke(app.build(), ["audit", "verify", "--database", url, "--head", "0" * 63 + "1", "--json"])
    assert told.exit_code == 1
    assert json.loads(told.output)["sound"] is False


@pytest.mark.parametrize("name", ["out", "all.json"])
def test_everything_goes_out_and_comes_in(url: str, tmp_path: Path, name: str) -> None:
    """As CSV files or as one bundle."""
    run("records", "export", tmp_path / name, "--database", url)
    other = f"sqlite:///{tmp_path}/other.db"
    assert "2 added" in run("records", "import", tmp_path / name, "--database", other)
    assert "2 as they were" in run("records", "import", tmp_path / name, "--database", other)


def test_an_upgrade_backs_up_first(url: str, tmp_path: Path) -> None:
    """Down and up again, with a copy of before."""
    told = run("records", "upgrade", tmp_path / "before.jsonl", "--database", url, "--to", "0001")
    assert "-> 0001" in told
    assert "rows saved" in told
    assert "-> 0002" in run("records", "upgrade", tmp_path / "again.jsonl", "--database", url)
    run("records", "restore", tmp_path / "again.jsonl", "--database", f"sqlite:///{tmp_path}/other.db")


def test_accounts_are_made_with_a_password_that_is_asked_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never stands on the command line, where others could read it."""
    monkeypatch.setattr(records.getpass, "getpass", lambda _: "correct horse battery")
    run("records", "add-account", "dr", "--role", "physician", "--database", url)
    run("records", "set-password", "dr", "--database", url)
    store = Store(url, now)
    kept = accounts.password_hash(store, accounts.named(store, "dr").id)
    assert passwords.fits("correct horse battery", kept)
    assert store.verify().sound
