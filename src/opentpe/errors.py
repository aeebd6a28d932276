"""The exception tree. A clinical "no" is a `Decision`, never an exception.

OpenTPEError
├── InputError          the file or a value in it cannot be used (exit 2)
│   ├── UnitError       a unit that is not on the whitelist, or a value no living patient has
│   └── WordsError      course words that do not parse
├── EvidenceError       the evidence library contradicts itself (exit 1)
├── StoppedError        long work could not go on (disk full, scheduler gone); what is finished stays valid (exit 1)
├── InvariantError      a simulation broke a law of physics: refused, with a bundle for the bug report (exit 1)
└── RecordsError        the records could not be read or changed; nothing was half done (exit 1)
    ├── NotKeptError      no such record, or no such version of it
    ├── ConflictError     somebody else changed it first; carries both sides
    └── UnavailableError  the database is full, read-only, locked or gone
"""

from __future__ import annotations


class OpenTPEError(Exception):
    """Everything OpenTPE raises on purpose."""


class InputError(OpenTPEError):
    """Says where, what was found, what was expected and what to do.

    >>> print(InputError("Observation/hct-1", "haematocrit 0.9", "0.15 to 0.65", "If it is 9 %, correct the unit."))
    Observation/hct-1: found haematocrit 0.9; expected 0.15 to 0.65. If it is 9 %, correct the unit.
    """

    def __init__(self, where: str, found: str, expected: str, remedy: str = "") -> None:
        self.where = where
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{where}: found {found}; expected {expected}. {remedy}".rstrip())


class UnitError(InputError):
    """A unit outside the whitelist or an implausible value."""


class WordsError(InputError):
    """Course words that do not parse; `where` points at the part."""


class EvidenceError(OpenTPEError):
    """A file of the evidence library is wrong; the message names file and key."""


class InvariantError(OpenTPEError):
    """A run broke mass balance, sign or range; `details` holds what is needed to repeat it."""

    def __init__(self, message: str, details: dict[str, object] | None = None) -> None:
        self.details = details or {}
        super().__init__(message)


class StoppedError(OpenTPEError):
    """Long work could not go on: the disk is full, a scheduler is gone. What is finished stays, and it can resume."""


class RecordsError(OpenTPEError):
    """The records could not be read or changed; nothing was half done."""


class NotKeptError(RecordsError):
    """No such record, or no such version of it."""


class ConflictError(RecordsError):
    """Somebody else changed the record first: `theirs` is what is kept now, `mine` what was to be written."""

    def __init__(self, message: str, theirs: object, mine: object) -> None:
        self.theirs = theirs
        self.mine = mine
        super().__init__(message)


class UnavailableError(RecordsError):
    """The database is full, read-only, locked or gone; the change was not made."""
