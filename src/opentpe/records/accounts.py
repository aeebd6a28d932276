"""What keeps people signed in: password hashes, sessions, attempts, and values that may be used once.

Only hashes of tokens, names and addresses are kept here; launch contexts come in already encrypted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from opentpe.records import database
from opentpe.records.canonical import instant
from opentpe.records.kinds import Account
from opentpe.records.schema import CREDENTIALS, ONCE, SESSIONS, SIGN_INS
from opentpe.records.store import Kept, Store


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in; `sealed` is opaque to the records."""

    token_hash: str
    account_id: str
    csrf: str
    started_at: str
    seen_at: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: who it claimed to be and where it came from, both hashed."""

    name_hash: str
    from_hash: str
    succeeded: bool


def named(store: Store, name: str) -> Kept[Account] | None:
    """The account in use with a name."""
    return next(iter(store.current(Account, where={"name": name}, limit=1)), None)


def of_subject(store: Store, subject: str) -> Kept[Account] | None:
    """The account in use of a person at an outside identity provider."""
    return next(iter(store.current(Account, where={"subject": subject}, limit=1)), None) if subject else None


def set_password(store: Store, account_id: str, password_hash: str, who: str) -> None:
    """Keeps a new hash, ends the account's sessions and leaves a line in the audit chain."""
    with store.writing(who, "password set") as batch:
        batch.connection.execute(sa.delete(CREDENTIALS).where(CREDENTIALS.c.account_id == account_id))
        row = {"account_id": account_id, "password_hash": password_hash, "changed_at": batch.at}
        batch.connection.execute(sa.insert(CREDENTIALS).values(row))
        batch.connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.account_id == account_id))
        batch.note("password", account_id)


def password_hash(store: Store, account_id: str) -> str | None:
    """The hash of an account's password, None where it signs in elsewhere."""
    query = sa.select(CREDENTIALS.c.password_hash).where(CREDENTIALS.c.account_id == account_id)
    with database.reading(store.engine) as connection:
        return connection.execute(query).scalar()


def open_session(store: Store, token_hash: str, account_id: str, csrf: str, sealed: str, who: str) -> None:
    """Keeps a new session and notes the sign-in."""
    with store.writing(who, "") as batch:
        row = {
            "token_hash": token_hash,
            "account_id": account_id,
            "csrf": csrf,
            "started_at": batch.at,
            "seen_at": batch.at,
            "sealed": sealed,
        }
        batch.connection.execute(sa.insert(SESSIONS).values(row))
        batch.note("sign_in", account_id)


def session(store: Store, token_hash: str) -> Session | None:
    """The session of a token."""
    with database.reading(store.engine) as connection:
        row = connection.execute(sa.select(SESSIONS).where(SESSIONS.c.token_hash == token_hash)).mappings().first()
    return Session(**row) if row else None


def touch(store: Store, token_hash: str) -> None:
    """Notes that a session was used now."""
    change = sa.update(SESSIONS).where(SESSIONS.c.token_hash == token_hash).values(seen_at=store.now())
    with database.writing(store.engine, chained=False) as connection:
        connection.execute(change)


def close_session(store: Store, token_hash: str, who: str) -> None:
    """Ends a session."""
    with store.writing(who, "") as batch:
        batch.connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.token_hash == token_hash))
        batch.note("sign_out")


def close_sessions_of(store: Store, account_id: str, who: str) -> None:
    """Ends every session of an account, after its role changed or it was closed."""
    with store.writing(who, "") as batch:
        batch.connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.account_id == account_id))
        batch.note("sign_out", account_id)


def note_attempt(store: Store, attempt: Attempt) -> None:
    """Keeps one try to sign in."""
    row = {
        "id": store.ids(),
        "at": store.now(),
        "name_hash": attempt.name_hash,
        "from_hash": attempt.from_hash,
        "succeeded": attempt.succeeded,
    }
    with database.writing(store.engine, chained=False) as connection:
        connection.execute(sa.insert(SIGN_INS).values(row))


def failures(store: Store, name_hash: str, from_hash: str, within: timedelta) -> tuple[int, int]:
    """Failed tries for a name since its last success: from this address, and from anywhere."""
    since = instant(store.clock() - within)
    with database.reading(store.engine) as connection:
        mine = (SIGN_INS.c.name_hash == name_hash) & (SIGN_INS.c.at >= since)
        good = sa.select(sa.func.max(SIGN_INS.c.at)).where(mine, SIGN_INS.c.succeeded)
        last = connection.execute(good).scalar() or ""
        bad = sa.select(SIGN_INS.c.from_hash).where(mine, sa.not_(SIGN_INS.c.succeeded), SIGN_INS.c.at > last)
        places = [row.from_hash for row in connection.execute(bad)]
    return places.count(from_hash), len(places)


def use_once(store: Store, key: str, valid: timedelta, sealed: str = "") -> bool:
    """Keeps a value for a while; False where it was kept already: a replay."""
    row = {"key": key, "expires_at": instant(store.clock() + valid), "sealed": sealed}
    text = "INSERT INTO once (key, expires_at, sealed) VALUES (:key, :expires_at, :sealed) ON CONFLICT (key) DO NOTHING"
    with database.writing(store.engine, chained=False) as connection:
        return connection.execute(sa.text(text), row).rowcount == 1


def take(store: Store, key: str) -> str | None:
    """The value kept under a key, once; None where it is not there or too old."""
    with database.writing(store.engine, chained=False) as connection:
        row = connection.execute(sa.select(ONCE).where(ONCE.c.key == key)).first()
        gone = connection.execute(sa.delete(ONCE).where(ONCE.c.key == key)).rowcount
    if row is None or not gone or row.expires_at < store.now():
        return None
    return str(row.sealed)


def sweep(store: Store, sessions_older_than: timedelta, attempts_older_than: timedelta) -> None:
    """Removes what has run out: sessions, attempts and used values."""
    now = store.clock()
    with database.writing(store.engine, chained=False) as connection:
        connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.started_at < instant(now - sessions_older_than)))
        connection.execute(sa.delete(SIGN_INS).where(SIGN_INS.c.at < instant(now - attempts_older_than)))
        connection.execute(sa.delete(ONCE).where(ONCE.c.expires_at < instant(now)))
