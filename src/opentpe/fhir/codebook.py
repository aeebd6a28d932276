"""Which code means what: the code lists of the evidence library, ready to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from opentpe.errors import EvidenceError
from opentpe.evidence.load import Library
from opentpe.fhir import shape
from opentpe.fhir.shape import Node

_NOT_SYSTEMS: Final = frozenset({"status", "source", "locator", "why"})
_KEPT_COUNT: Final = 20_000  # codings whose meaning is remembered; a hospital uses a few thousand
_KEPT_CHARACTERS: Final = 200
_DOMAINS: Final = (
    "observation", "answer", "acuity", "condition", "medication", "route", "allergy", "site", "severity", "procedure",
    "written",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """What a concept means: the kind, the code that said so, and kinds that other codes of it named."""

    kind: str
    code: str
    rivals: tuple[str, ...] = ()
    by_words: bool = False


@dataclass(frozen=True, slots=True)
class Codebook:
    """Code systems by address, codes by domain and system, words by domain, and the row of every kind."""

    local: str
    systems: Mapping[str, str]
    prefix: frozenset[str]
    codes: Mapping[tuple[str, str, str], str]  # (domain, system, code) -> kind
    words: Mapping[str, Mapping[str, str]]  # domain -> words -> kind
    rows: Mapping[tuple[str, str], Node]  # (domain, kind) -> its table
    rank: Mapping[tuple[str, str], int]
    addresses: Mapping[str, str]  # system -> the address written in resources
    told: dict[tuple[str, ...], tuple[Match | None]] = field(default_factory=dict, compare=False, repr=False)  # before

    def row(self, domain: str, kind: str) -> Node:
        """The table of a kind, empty for an unknown one."""
        return self.rows.get((domain, kind), shape.EMPTY)

    def system(self, address: str) -> str:
        """The short name of a code system, empty for an unknown one; a SNOMED edition counts as SNOMED."""
        bare = address.strip().rstrip("/").split("|", maxsplit=1)[0]
        if bare.startswith("http://snomed.info/sct"):
            bare = "http://snomed.info/sct"
        return self.systems.get(bare, "")

    def meaning(self, domain: str, codings: Sequence[Node]) -> Match | None:
        """What codings mean in a domain; the kind that stands first in the library where they name several."""
        asked = (domain, *(shape.text(c, part) for c in codings for part in ("system", "code")))
        told = self.told.get(asked)
        if told is None:
            told = (self._meaning(domain, codings),)
            if sum(map(len, asked)) <= _KEPT_CHARACTERS:
                if len(self.told) >= _KEPT_COUNT:
                    self.told.clear()
                self.told[asked] = told
        return told[0]

    def _meaning(self, domain: str, codings: Sequence[Node]) -> Match | None:
        found = [(kind, shape.text(c, "code")) for c in codings if (kind := self._kind(domain, c))]
        if not found:
            return None
        found.sort(key=lambda row: self.rank[(domain, row[0])])
        kind, code = found[0]
        return Match(kind, code, tuple(dict.fromkeys(k for k, _ in found if k != kind)))

    def unknown_local(self, domains: Sequence[str], codings: Sequence[Node]) -> str:
        """A code of our own system that no domain knows: a typing error; empty where there is none."""
        for coding in codings:
            if shape.text(coding, "system") == self.local and not any(self._kind(d, coding) for d in domains):
                return shape.text(coding, "code") or "no code"
        return ""

    def by_words(self, domain: str, written: str) -> Match | None:
        """The first kind whose words stand in a text as whole words; the longest words are tried first."""
        low = written.casefold()
        for words, kind in self.words[domain].items():
            if words in low and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", low):
                return Match(kind, "", by_words=True)
        return None

    def exactly(self, domain: str, written: str) -> str:
        """The kind whose words a text consists of, empty where there is none."""
        return self.words[domain].get(written.strip().casefold(), "")

    def concept(self, domain: str, concept: Any) -> str:
        """The kind of a CodeableConcept by its codes, else by the whole of its text."""
        if not concept:
            return ""
        match = self.meaning(domain, shape.codings(concept))
        return match.kind if match else self.exactly(domain, shape.label(concept))

    def _kind(self, domain: str, coding: Node) -> str:
        code, address = shape.text(coding, "code"), shape.text(coding, "system")
        if address == self.local:
            kind = code.replace("-", "_")
            return kind if (domain, kind) in self.rows else ""
        system = self.system(address)
        bare = _bare(code) if system in self.prefix else code
        if system not in self.prefix:
            return self.codes.get((domain, system, bare), "")
        for length in range(len(bare), 1, -1):
            kind = self.codes.get((domain, system, bare[:length]), "")
            if kind:
                return kind
        return ""


def _bare(code: str) -> str:
    """A classification code without dots and the marks of the German edition.

    >>> _bare("G35.1-"), _bare("H46+")
    ('G351', 'H46')
    """
    return code.upper().replace(".", "").rstrip("-+*!†").strip()


@dataclass(frozen=True, slots=True)
class _Same:
    """A library that is the same as another where its content and its documents are."""

    digest: str
    documents: int
    library: Library = field(compare=False)  # kept, so that the identity of its documents is not given away


def of(library: Library) -> Codebook:
    """The codebook of a library; `EvidenceError` where a row names an unknown system."""
    return _made(_Same(library.digest, id(library.documents), library))


@lru_cache(maxsize=4)
def _made(same: _Same) -> Codebook:
    library = same.library
    tables = library.folder("codes")
    merged: dict[str, dict[str, Any]] = {}
    for document in tables.values():
        for domain, rows in document.items():
            merged.setdefault(domain, {}).update(rows)
    systems = merged["system"]
    prefix = frozenset(name for name, row in systems.items() if row["match"] == "prefix")
    codes: dict[tuple[str, str, str], str] = {}
    for domain in _DOMAINS:
        for kind, row in merged[domain].items():
            for system, code in _listed(row, domain, kind, systems):
                codes[(domain, system, _bare(code) if system in prefix else code)] = kind
    return Codebook(
        local=str(merged["local"]["uri"]),
        systems={uri.rstrip("/"): name for name, row in systems.items() for uri in row["uris"]},
        prefix=prefix,
        codes=codes,
        words={domain: _words(merged[domain]) for domain in _DOMAINS},
        rows={(domain, kind): row for domain in _DOMAINS for kind, row in merged[domain].items()},
        rank={(domain, kind): i for domain in _DOMAINS for i, kind in enumerate(merged[domain])},
        addresses={name: str(row["uris"][0]) for name, row in systems.items()},
    )


def _listed(row: Node, domain: str, kind: str, systems: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in row.get("codes", ()):
        for system, codes in line.items():
            if system in _NOT_SYSTEMS:
                continue
            if system not in systems:
                raise EvidenceError(f"evidence/codes: {domain}.{kind} names the unknown system {system!r}")
            found += [(system, code) for code in codes]
    return found


def _words(rows: Mapping[str, Any]) -> dict[str, str]:
    pairs = [(word.casefold(), kind) for kind, row in rows.items() for word in row.get("words", ())]
    return dict(sorted(pairs, key=lambda pair: -len(pair[0])))
