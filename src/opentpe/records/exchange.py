"""Records that come from outside: new ones are added, changed ones become new versions, equal ones are left alone.

All of it in one batch: where a single record cannot be taken, none is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from opentpe.errors import InputError, NotKeptError
from opentpe.records.kinds import KINDS, Account, Body, Feedback, Patient
from opentpe.records.store import Batch, Store

EXCHANGED: Final[tuple[type[Body], ...]] = tuple(kind for kind in KINDS if kind not in (Account, Feedback))


@dataclass(frozen=True, slots=True)
class Incoming:
    """One record from outside. `patient` is an identifier of ours or the hospital's number; `version` 0: not said."""

    where: str  # place in the file, for messages
    body: Body
    record_id: str = ""
    version: int = 0
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of them."""

    added_count: int = 0
    changed_count: int = 0
    same_count: int = 0


def take_in(store: Store, items: Iterable[Incoming], who: str, why: str) -> Taken:
    """Takes all records in, or none; ConflictError where a record changed here since it was exported."""
    order = {kind: n for n, kind in enumerate(EXCHANGED)}
    listed = list(items)
    strange = next((i for i in listed if type(i.body) not in order), None)
    if strange is not None:
        raise InputError(strange.where, strange.body.table, "a kind that can be exchanged", "Accounts are not.")
    counts = {"added": 0, "changed": 0, "same": 0}
    with store.writing(who, why) as batch:
        numbers = {k.body.identifier: k.id for k in store.current(Patient)}
        for item in sorted(listed, key=lambda i: order[type(i.body)]):
            counts[_take(batch, item, numbers)] += 1
        batch.note("import")
    return Taken(counts["added"], counts["changed"], counts["same"])


def _take(batch: Batch, item: Incoming, numbers: dict[str, str]) -> str:
    try:
        theirs = batch.get(type(item.body), item.record_id) if item.record_id else None
    except NotKeptError:
        theirs = None
    if theirs is not None:
        if theirs.body == item.body and not theirs.retired:
            return "same"
        batch.change(theirs.id, item.body, item.version or theirs.version)
        return "changed"
    patient = numbers.get(item.patient, item.patient) if item.body.of_patient else None
    if item.body.of_patient and not patient:
        raise InputError(item.where, "no patient", "an identifier or a hospital number in `patient`")
    made = batch.add(item.body, patient, item.record_id or None)
    if isinstance(item.body, Patient):
        numbers[item.body.identifier] = made.id
    return "added"
