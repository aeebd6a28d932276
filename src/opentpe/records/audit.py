"""The audit chain: each line carries the hash of the one before, and the digest of the version it is about.

A changed, removed or inserted line breaks the chain; a changed record no longer fits its digest. Cutting off the end
is seen only by somebody who noted the head earlier: `opentpe audit verify --head HASH`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from opentpe.records.canonical import digest
from opentpe.records.schema import AUDIT, RECORDS, VERSIONS

START: Final = "0" * 64
_OWN: Final = frozenset(("id", "version", "at", "who", "why", "retired", "body"))


@dataclass(frozen=True, slots=True)
class Entry:
    """What one line says."""

    at: str
    who: str
    action: str
    kind: str
    record_id: str
    version: int
    why: str
    digest: str


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the chain: how many lines, and the hash of the last."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the chain found. `faults` break trust; `notes` are worth a look."""

    lines_count: int
    versions_count: int
    head: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """True where chain and records fit."""
        return not self.faults


def tail(connection: sa.Connection) -> Tail:
    """The end of the chain as it stands."""
    row = connection.execute(sa.select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).first()
    return Tail(row.seq, row.hash) if row else Tail(0, START)


def link(connection: sa.Connection, after: Tail, entry: Entry) -> Tail:
    """The chain with one more line."""
    made = Tail(after.seq + 1, _hash(after.seq + 1, after.hash, asdict(entry)))
    connection.execute(sa.insert(AUDIT).values(seq=made.seq, previous=after.hash, hash=made.hash, **asdict(entry)))
    return made


def _hash(seq: int, previous: str, entry: dict[str, Any]) -> str:
    return digest({"seq": seq, "previous": previous, **entry})


def verify(connection: sa.Connection, expected_head: str = "") -> Verdict:
    """Reads the whole chain and every version once; at most ten faults are told."""
    faults: list[str] = []
    notes: list[str] = []
    digests: dict[tuple[str, str, int], str] = {}
    end, last_at, seen_head = Tail(0, START), "", expected_head in ("", START)
    for row in connection.execute(sa.select(AUDIT).order_by(AUDIT.c.seq)).mappings():
        said = dict(row)
        seq, previous, told = said.pop("seq"), said.pop("previous"), said.pop("hash")
        if seq != end.seq + 1 or previous != end.hash:
            faults.append(f"audit line {seq}: does not follow line {end.seq}")
        if _hash(seq, previous, said) != told:
            faults.append(f"audit line {seq}: was changed after it was written")
        if said["at"] < last_at:
            notes.append(f"audit line {seq}: the clock was set back, from {last_at} to {said['at']}")
        if said["version"]:
            digests[said["kind"], said["record_id"], said["version"]] = said["digest"]
        end, last_at = Tail(seq, told), said["at"]
        seen_head = seen_head or told == expected_head
    if not seen_head:
        faults.append("the noted head is not in the chain: its end was cut off, or it is another chain")
    count = _check_versions(connection, digests, faults)
    return Verdict(end.seq, count, end.hash, tuple(faults[:10]), tuple(notes[:10]))


def _check_versions(connection: sa.Connection, digests: dict[tuple[str, str, int], str], faults: list[str]) -> int:
    count = 0
    for name, table in VERSIONS.items():
        query = sa.select(table, RECORDS.c.patient_id, RECORDS.c.kind.label("identity_kind")).join(
            RECORDS, RECORDS.c.id == table.c.id
        )
        for row in connection.execute(query).mappings():
            count += 1
            where = f"{name}/{row['id']} version {row['version']}"
            told = digests.pop((name, row["id"], row["version"]), None)
            if told is None:
                faults.append(f"{where}: is in no line of the chain")
            elif told != _digest_of(name, row) or not _columns_fit(table, row):
                faults.append(f"{where}: was changed after it was written")
    faults.extend(f"{kind}/{record} version {version}: is gone" for kind, record, version in digests)
    return count


def _digest_of(name: str, row: Any) -> str:
    try:
        body = json.loads(row["body"])
    except ValueError:
        return ""
    if row["identity_kind"] != name:
        return ""
    said = {key: row[key] for key in ("id", "version", "patient_id", "at", "who", "why")}
    return digest({"kind": name, "retired": bool(row["retired"]), "body": body, **said})


def _columns_fit(table: sa.Table, row: Any) -> bool:
    body = json.loads(row["body"])
    return all(row[c.name] == body.get(c.name) for c in table.columns if c.name not in _OWN)
