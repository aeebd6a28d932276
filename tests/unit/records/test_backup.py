"""A backup holds everything, is checked, and can be restored in one command, across databases."""

import json
from pathlib import Path

import pytest

from opentpe.errors import InputError
from opentpe.records import accounts, backup, database, kinds, migrate
from opentpe.records.store import Store


@pytest.fixture
def filled(store: Store, ada: str) -> Store:
    """A store with a patient of two versions, a setting and an account with a password."""
    store.change(ada, kinds.Patient(identifier="MRN-1", name="Ada Other"), 1, "nurse", "married")
    store.add(kinds.Setting(name="open_days", value=[0, 1, 2]), "admin")
    account = store.add(kinds.Account(name="dr", role="physician"), "admin")
    accounts.set_password(store, account.id, "$argon2id$hash", "admin")
    accounts.open_session(store, "t" * 64, account.id, "c", "", "dr")
    return store


def fresh(tmp_path: Path, clock: object) -> Store:
    return Store(f"sqlite:///{tmp_path}/restored.db", clock)


def test_json_lines_bring_everything_back_from_either_database(filled: Store, tmp_path: Path, clock: object) -> None:
    """History, audit chain, settings and password hashes are there again; sessions are not."""
    verdict = backup.save(filled, tmp_path / "backup.jsonl")
    again = fresh(tmp_path, clock)
    assert backup.restore(tmp_path / "backup.jsonl", again).head == verdict.head
    patient = filled.current(kinds.Patient)[0].id
    assert again.history(kinds.Patient, patient) == filled.history(kinds.Patient, patient)
    account = accounts.named(again, "dr")
    assert accounts.password_hash(again, account.id) == "$argon2id$hash"
    assert accounts.session(again, "t" * 64) is None
    again.add(kinds.Patient(identifier="new"), "nurse")
    assert again.verify(verdict.head).sound


@pytest.mark.postgres
def test_a_unit_can_move_from_sqlite_to_postgresql(tmp_path: Path, postgres: object, clock: object) -> None:
    """A backup of the embedded database fills the big one, once."""
    small = fresh(tmp_path, clock)
    small.prepare()
    kept = small.add(kinds.Patient(identifier="MRN-1"), "nurse")
    backup.save(small, tmp_path / "backup.jsonl")
    large = Store(postgres.url(), clock)
    backup.restore(tmp_path / "backup.jsonl", large)
    assert large.current(kinds.Patient) == (kept,)
    with pytest.raises(InputError, match="holds records"):
        backup.restore(tmp_path / "backup.jsonl", large)
    large.close()


def test_a_file_copy_is_taken_while_others_write(tmp_path: Path, clock: object) -> None:
    """The copy verifies even when it was taken in the middle of the day."""
    store = Store(f"sqlite:///{tmp_path}/clinic.db", clock)
    store.prepare()
    store.add(kinds.Patient(identifier="MRN-1"), "nurse")
    with database.writing(store.engine) as connection:
        connection.exec_driver_sql("INSERT INTO once VALUES ('open', '2030', '')")
        verdict = backup._copy_file(store, tmp_path / "copy.db")
    assert verdict.versions_count == 1
    backup.save(store, tmp_path / "copy.db")
    again = fresh(tmp_path, clock)
    assert backup.restore(tmp_path / "copy.db", again).sound
    assert again.current(kinds.Patient) == store.current(kinds.Patient)


def test_a_database_that_is_there_is_not_overwritten(filled: Store, tmp_path: Path, clock: object) -> None:
    """Restore refuses, and with --replace it moves the old file aside instead of removing it."""
    backup.save(filled, tmp_path / "backup.jsonl")
    again = fresh(tmp_path, clock)
    again.prepare()
    again.add(kinds.Patient(identifier="only here"), "nurse")
    with pytest.raises(InputError, match="there already"):
        backup.restore(tmp_path / "backup.jsonl", again)
    backup.restore(tmp_path / "backup.jsonl", again, replace=True)
    assert [k.body.identifier for k in again.current(kinds.Patient)] == ["MRN-1"]
    aside = next(tmp_path.glob("restored.db.before-restore-*"))
    old = Store(f"sqlite:///{aside}", clock)
    assert [k.body.identifier for k in old.current(kinds.Patient)] == ["only here"]


@pytest.mark.parametrize("damage", ["cut", "change", "other"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    filled: Store, tmp_path: Path, clock: object, damage: str
) -> None:
    """A cut, a changed or a foreign file leaves no half-filled database behind."""
    path = tmp_path / "backup.jsonl"
    backup.save(filled, path)
    text = path.read_text()
    changed = {"cut": text[: len(text) // 2], "change": text.replace("Ada", "Eva"), "other": '{"resourceType": 1}\n'}
    path.write_text(changed[damage])
    with pytest.raises(InputError):
        backup.restore(path, fresh(tmp_path, clock))
    assert not (tmp_path / "restored.db").exists()


def test_a_backup_of_an_older_version_is_brought_up_to_date(filled: Store, tmp_path: Path, clock: object) -> None:
    """Lines that name an older revision are put into its tables and moved up."""
    path = tmp_path / "backup.jsonl"
    backup.save(filled, path)
    lines = path.read_text().splitlines()[:-1]
    header = json.loads(lines[0]) | {"revision": "0001"}
    backup_text = "\n".join([backup.canonical(header), *lines[1:]]) + "\n"
    import hashlib

    end = backup.canonical({"sha256": hashlib.sha256(backup_text.encode()).hexdigest()})
    path.write_text(backup_text + end + "\n")
    again = fresh(tmp_path, clock)
    assert backup.restore(path, again).sound
    assert migrate.revision(again.engine) == migrate.head()
