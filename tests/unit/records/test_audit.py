"""The audit chain: tampering is found, on both databases."""

import pytest
import sqlalchemy as sa

from opentpe.records import database, kinds
from opentpe.records.store import Store


def tamper(store: Store, table: str, statement: str) -> None:
    """Change a row behind the back of the program, as somebody with the database's password could."""
    with database.writing(store.engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER append_only"))
        else:
            connection.execute(sa.text(f"DROP TRIGGER no_update_{table}"))
            connection.execute(sa.text(f"DROP TRIGGER no_delete_{table}"))
        connection.execute(sa.text(statement))


def test_an_untouched_chain_is_sound(store: Store, ada: str) -> None:
    """Every line follows the one before, and every version fits its line."""
    store.change(ada, kinds.Patient(identifier="MRN-2"), 1, "nurse", "new number")
    store.note("read", "dr", "ward round", ada)
    verdict = store.verify()
    assert verdict.sound
    assert (verdict.lines_count, verdict.versions_count, verdict.notes) == (3, 2, ())


@pytest.mark.parametrize(
    ("table", "statement", "told"),
    [
        ("patients", "UPDATE patients SET body = replace(body, 'Ada', 'Eva')", "was changed"),
        ("patients", "UPDATE patients SET name = 'Eva'", "was changed"),
        ("patients", "UPDATE patients SET who = 'somebody'", "was changed"),
        ("patients", "UPDATE patients SET body = '{'", "was changed"),
        ("patients", "DELETE FROM patients", "is gone"),
        ("audit", "UPDATE audit SET who = 'somebody' WHERE seq = 1", "was changed"),
        ("audit", "DELETE FROM audit WHERE seq = 1", "does not follow"),
        ("audit", "DELETE FROM audit", "in no line"),
    ],
)
def test_tampering_is_found(store: Store, ada: str, table: str, statement: str, told: str) -> None:
    """A changed, removed or orphaned row is named."""
    store.note("read", "dr", "", ada)
    tamper(store, table, statement)
    verdict = store.verify()
    assert not verdict.sound
    assert any(told in fault for fault in verdict.faults)


def test_a_cut_off_end_is_found_by_who_noted_the_head(store: Store, ada: str) -> None:
    """Removing the last lines leaves a sound shorter chain; the noted head tells."""
    store.note("read", "dr", "", ada)
    head = store.verify().head
    tamper(store, "audit", "DELETE FROM audit WHERE seq = 2")
    assert store.verify().sound
    assert not store.verify(head).sound


def test_a_clock_that_jumps_back_is_noted_and_breaks_nothing(store: Store, ada: str, clock: object) -> None:
    """Order comes from the chain, not from the clock."""
    clock.at = clock.at.replace(year=2020)
    store.change(ada, kinds.Patient(identifier="MRN-1", name="later"), 1, "nurse")
    verdict = store.verify()
    assert verdict.sound
    assert "set back" in verdict.notes[0]
    assert store.get(kinds.Patient, ada).body.name == "later"
