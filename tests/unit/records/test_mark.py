"""A mark of the file says whether the records changed, without opening them."""

import os
from pathlib import Path

from opentpe.records import database, kinds
from opentpe.records.store import Store


def settle(path: Path) -> None:
    """Makes the files look untouched for a minute."""
    for file in path.parent.glob(f"{path.name}*"):
        told = file.stat()
        os.utime(file, ns=(told.st_atime_ns, told.st_mtime_ns - 60_000_000_000))


def test_every_change_changes_the_mark(tmp_path: Path, clock: object) -> None:
    """Right after a change there is no mark; reading leaves it as it is; the next change makes another."""
    path = tmp_path / "clinic.db"
    store = Store(f"sqlite:///{path}", clock)
    store.prepare()
    seen = []
    for n in range(3):
        store.add(kinds.Patient(identifier=f"MRN-{n}"), "nurse")
        assert database.mark(store.url) is None
        settle(path)
        seen.append(database.mark(store.url))
        assert len(store.current(kinds.Patient)) == n + 1
        assert database.mark(store.url) == seen[-1]
    assert None not in seen
    assert len(set(seen)) == 3


def test_there_is_no_mark_without_a_file(tmp_path: Path) -> None:
    """A lost file and PostgreSQL are asked each time."""
    assert database.mark(f"sqlite:///{tmp_path}/none.db") is None
    assert database.mark("postgresql://user@host/name") is None


def test_what_is_read_inside_one_look_is_one_moment(tmp_path: Path, clock: object) -> None:
    """A change made meanwhile shows after the look, not in its middle."""
    store = Store(f"sqlite:///{tmp_path}/clinic.db", clock)
    store.prepare()
    with store.looking():
        assert store.count(kinds.Patient) == 0
        store.add(kinds.Patient(identifier="MRN-1"), "nurse")
        with store.looking():
            assert store.current(kinds.Patient) == ()
    assert store.count(kinds.Patient) == 1
