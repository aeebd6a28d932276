"""Tables move up and down with what is in them."""

import pytest
import sqlalchemy as sa

from opentpe.errors import UnavailableError
from opentpe.records import database, kinds, migrate
from opentpe.records.schema import METADATA
from opentpe.records.store import Store


def test_migrations_make_exactly_the_tables_the_program_uses(store: Store) -> None:
    """Names, columns and types of the migrated database are those of the schema."""
    with database.reading(store.engine) as connection:
        found = sa.inspect(connection)
        assert set(METADATA.tables) == set(found.get_table_names()) - {"alembic_version"}
        for name, table in METADATA.tables.items():
            assert {c["name"] for c in found.get_columns(name)} == {c.name for c in table.columns}, name
            assert {i["name"] for i in found.get_indexes(name)} == {i.name for i in table.indexes}, name


def test_down_and_up_again_loses_nothing(store: Store, ada: str) -> None:
    """A session's place survives the version that had no column for it."""
    body = kinds.Procedure(course_id="c", session=1, place="chair 3")
    made = store.add(body, "nurse", "", ada)
    assert migrate.move(store.engine, "0001") == "0001"
    with database.reading(store.engine) as connection:
        assert "place" not in {c["name"] for c in sa.inspect(connection).get_columns("procedures")}
    assert migrate.move(store.engine, "head") == migrate.head()
    assert store.current(kinds.Procedure, where={"place": "chair 3"}) == (made,)
    assert store.verify().sound


def test_an_older_database_is_not_touched_without_being_asked(store: Store, ada: str) -> None:
    """The message names the command; the data stay as they were."""
    migrate.move(store.engine, "0001")
    with pytest.raises(UnavailableError, match="opentpe records upgrade"):
        store.prepare()
    assert migrate.revision(store.engine) == "0001"


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    """An old program does not write into a newer database."""
    with database.writing(store.engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnavailableError, match="newer OpenTPE"):
        store.prepare()


def test_preparing_twice_changes_nothing(store: Store, ada: str) -> None:
    """A second start finds the records as they were."""
    store.prepare()
    assert store.get(kinds.Patient, ada).version == 1
