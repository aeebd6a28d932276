"""What keeps people signed in: only hashes are kept, used values stay used, old things go."""

from datetime import timedelta

import pytest

from opentpe.records import accounts, kinds
from opentpe.records.accounts import Attempt
from opentpe.records.store import Store

QUARTER = timedelta(minutes=15)


@pytest.fixture
def account(store: Store) -> str:
    return store.add(kinds.Account(name="dr", role="physician", subject="idp|7"), "admin").id


def test_an_account_is_found_by_name_and_by_subject(store: Store, account: str) -> None:
    """A local name or an outside subject leads to the same person; an empty subject to nobody."""
    assert accounts.named(store, "dr").id == accounts.of_subject(store, "idp|7").id == account
    assert accounts.of_subject(store, "") is None
    assert accounts.named(store, "Dr") is None


def test_a_new_password_ends_open_sessions(store: Store, account: str) -> None:
    """Who changes a password throws out whoever knew the old one."""
    accounts.open_session(store, "a" * 64, account, "c", "", "dr")
    accounts.set_password(store, account, "hash", "dr")
    assert accounts.session(store, "a" * 64) is None
    assert accounts.password_hash(store, account) == "hash"


def test_sign_in_and_password_leave_lines_in_the_chain(store: Store, account: str) -> None:
    """The audit chain knows who signed in; it holds no password."""
    accounts.set_password(store, account, "hash", "admin")
    accounts.open_session(store, "a" * 64, account, "c", "", "dr")
    accounts.close_session(store, "a" * 64, "dr")
    assert store.verify().lines_count == 4


def test_failures_are_counted_since_the_last_success(store: Store) -> None:
    """Lock-out looks at failed tries only, from here and from anywhere, within its window."""
    for place in ("here", "there", "here"):
        accounts.note_attempt(store, Attempt("dr", place, False))
    assert accounts.failures(store, "dr", "here", QUARTER) == (2, 3)
    accounts.note_attempt(store, Attempt("dr", "here", True))
    assert accounts.failures(store, "dr", "here", QUARTER) == (0, 0)


def test_old_failures_are_forgotten(store: Store, clock: object) -> None:
    """After a quarter of an hour the slate is clean."""
    accounts.note_attempt(store, Attempt("dr", "here", False))
    clock.at += timedelta(minutes=16)
    assert accounts.failures(store, "dr", "here", QUARTER) == (0, 0)


def test_a_value_is_used_once(store: Store, clock: object) -> None:
    """The second use of a token identifier is a replay; a kept value is handed out once and not after its time."""
    assert accounts.use_once(store, "jti", QUARTER)
    assert not accounts.use_once(store, "jti", QUARTER)
    accounts.use_once(store, "flow", QUARTER, "sealed")
    assert (accounts.take(store, "flow"), accounts.take(store, "flow")) == ("sealed", None)
    accounts.use_once(store, "late", QUARTER, "sealed")
    clock.at += timedelta(hours=1)
    assert accounts.take(store, "late") is None


def test_what_has_run_out_is_swept(store: Store, account: str, clock: object) -> None:
    """Sessions, attempts and used values do not pile up."""
    accounts.open_session(store, "a" * 64, account, "c", "", "dr")
    accounts.use_once(store, "jti", QUARTER)
    clock.at += timedelta(days=2)
    accounts.sweep(store, timedelta(hours=12), timedelta(days=1))
    assert accounts.session(store, "a" * 64) is None
    assert accounts.use_once(store, "jti", QUARTER)
