"""What the records promise: nothing is lost, nothing is overwritten, and two people who edit meet."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from opentpe.errors import ConflictError, InputError, NotKeptError, UnavailableError
from opentpe.records import database, kinds
from opentpe.records.store import Store

AT = datetime(2026, 2, 18, 8, 30, tzinfo=UTC)


def igg(value: float) -> kinds.Lab:
    return kinds.Lab(kind="igg", value=value, unit="g/L", taken_at=AT)


def test_what_is_added_is_read_back_whole(store: Store, ada: str) -> None:
    """A laboratory value comes back as it was written, with who, when and why."""
    made = store.add(igg(9.5), "dr", "routine", ada)
    found = store.get(kinds.Lab, made.id)
    assert found == made
    assert (found.who, found.why, found.patient_id, found.version) == ("dr", "routine", ada, 1)
    assert found.at == "2026-02-18T09:00:02.000000Z"


def test_a_change_keeps_the_older_version(store: Store, ada: str) -> None:
    """The history of a value holds every version with its author."""
    made = store.add(igg(9.5), "dr", "typed", ada)
    store.change(made.id, igg(5.9), 1, "nurse", "digits were swapped")
    first, second = store.history(kinds.Lab, made.id)
    assert (first.body.value, second.body.value) == (9.5, 5.9)
    assert (first.who, second.who, second.why) == ("dr", "nurse", "digits were swapped")
    assert store.current(kinds.Lab, ada) == (second,)


def test_two_who_edit_get_a_conflict_with_both_sides(store: Store, ada: str) -> None:
    """The second of two editors is told what the first one wrote, and nothing is lost."""
    made = store.add(igg(9.5), "dr", "", ada)
    theirs = store.change(made.id, igg(9.0), 1, "nurse")
    with pytest.raises(ConflictError, match="nurse changed it") as told:
        store.change(made.id, igg(8.0), 1, "dr")
    assert told.value.theirs == theirs
    assert told.value.mine == igg(8.0)
    assert store.get(kinds.Lab, made.id).body.value == 9.0


def test_a_retired_record_leaves_the_lists_but_not_the_history(store: Store, ada: str) -> None:
    """Taking a record out of use hides it from the ward and keeps it for the court."""
    made = store.add(igg(9.5), "dr", "", ada)
    store.retire(kinds.Lab, made.id, 1, "dr", "wrong patient")
    assert store.current(kinds.Lab, ada) == ()
    assert [v.retired for v in store.history(kinds.Lab, made.id)] == [False, True]
    assert len(store.current(kinds.Lab, ada, retired=True)) == 1


@pytest.mark.parametrize("verb", ["UPDATE patients SET name = 'x'", "DELETE FROM audit", "DELETE FROM patients"])
def test_the_database_itself_refuses_to_overwrite(store: Store, ada: str, verb: str) -> None:
    """Even a program with full access cannot change or remove a row."""
    with pytest.raises(UnavailableError), database.writing(store.engine) as connection:
        connection.execute(sa.text(verb))
    assert store.get(kinds.Patient, ada).body.name == "Ada Example"


def test_a_batch_is_kept_whole_or_not_at_all(store: Store, ada: str) -> None:
    """When the second of two changes fails, the first is not there either."""

    def two() -> None:
        with store.writing("dr") as batch:
            batch.add(igg(9.5), ada)
            batch.add(igg(9.5), "nobody-i-know")

    with pytest.raises(NotKeptError):
        two()
    assert store.current(kinds.Lab) == ()
    assert store.verify().sound


def test_a_record_of_a_patient_needs_the_patient(store: Store) -> None:
    """A laboratory value without a patient is refused."""
    with pytest.raises(NotKeptError, match="no such patient"):
        store.add(igg(9.5), "dr")


def test_a_unit_setting_belongs_to_no_patient(store: Store, ada: str) -> None:
    """A setting of the unit with a patient is refused."""
    with pytest.raises(InputError):
        store.add(kinds.Setting(name="open_days", value=[0, 1, 2, 3, 4]), "admin", "", ada)


def test_a_hospital_number_is_used_once(store: Store, ada: str) -> None:
    """Two patients in use never share a hospital number; a retired one frees it."""
    twin = kinds.Patient(identifier="MRN-1")
    with pytest.raises(ConflictError, match="in use"):
        store.add(twin, "nurse")
    store.retire(kinds.Patient, ada, 1, "nurse", "entered twice")
    assert store.add(twin, "nurse").version == 1


def test_lists_can_be_narrowed_and_paged(store: Store, ada: str) -> None:
    """Values of one kind, page by page, in a fixed order."""
    with store.writing("dr") as batch:
        for n in range(5):
            batch.add(igg(n), ada)
        batch.add(kinds.Lab(kind="fibrinogen", value=2.1, unit="g/L", taken_at=AT), ada)
    where = {"kind": "igg"}
    first = store.current(kinds.Lab, ada, where, limit=3)
    rest = store.current(kinds.Lab, ada, where, after=first[-1].id)
    assert sorted(k.body.value for k in first + rest) == [0, 1, 2, 3, 4]
    assert store.count(kinds.Lab) == 6
    with pytest.raises(InputError):
        store.current(kinds.Lab, where={"text": "x"})


@pytest.mark.parametrize("text", ["nul \x00 inside", "half a character \ud800"])
def test_text_that_no_database_keeps_is_refused_at_the_border(text: str) -> None:
    """Characters that PostgreSQL or UTF-8 cannot hold never reach the database."""
    with pytest.raises(ValueError):
        kinds.Paper(title="letter", content=text)
    with pytest.raises(ValueError):
        kinds.Setting(name="x", value={"deep": [text]})


@pytest.mark.parametrize(
    ("flags", "grade"),
    [
        ({}, "mild"),
        ({"medication_given": True}, "moderate"),
        ({"medication_given": True, "interrupted": True}, "severe"),
        ({"death": True}, "death"),
    ],
)
def test_the_grade_of_an_adverse_event_follows_from_what_was_done(flags: dict, grade: str) -> None:
    """Registry grades: moderate needed medication, severe interrupted the run."""
    event = kinds.AdverseEvent(event="paraesthesia", happened_at=AT, **flags)
    assert event.grade == grade
    assert kinds.AdverseEvent.model_validate(event.model_dump()) == event


def test_a_changed_weight_voids_a_signature() -> None:
    """An order holds only while weight, haematocrit and volume are those it was signed for."""
    basis = kinds.Basis(weight_kg=68, haematocrit_fraction=0.38, volume_ml=2500)
    order = kinds.Order(course_id="c", session=2, basis=basis, signed_by="dr")
    assert order.holds(basis)
    assert not order.holds(basis.model_copy(update={"weight_kg": 70.0}))


def test_nobody_cannot_change_anything(store: Store, ada: str) -> None:
    """A change without an author is refused."""
    with pytest.raises(InputError):
        store.add(igg(1.0), "", "", ada)
