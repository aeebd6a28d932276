"""Passwords: hashed with argon2id, never kept, never logged."""

from __future__ import annotations

import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from opentpe.errors import InputError

SHORTEST: Final = 12
LONGEST: Final = 256
_HASHER: Final = PasswordHasher()
_AT_ONCE: Final = threading.Semaphore(4)  # each hash takes 64 MiB
_NOBODY: Final = _HASHER.hash("nobody has this password")


def hashed(password: str) -> str:
    """The hash that is kept; InputError for a password that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError("password", f"{len(password)} characters", f"{SHORTEST} to {LONGEST}")
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """True where the password is the one that was hashed; takes the same time where nobody has that name."""
    if len(password) > LONGEST:
        return False
    with _AT_ONCE:
        try:
            _HASHER.verify(kept or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None
