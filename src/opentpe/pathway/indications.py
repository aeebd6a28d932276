"""Other neurological indications of apheresis: category, grade and usual course. MS gates are never applied to them."""

from __future__ import annotations

from dataclasses import dataclass

from opentpe.evidence.load import Library


@dataclass(frozen=True, slots=True)
class Indication:
    """One indication with one modality; empty where the guideline has no row or says nothing."""

    key: str
    name: str
    modality: str
    category: str  # I first line | II second line | III role not established | IV ineffective or harmful
    grade: str  # 1 strong, 2 weak; A high, B moderate, C low quality
    page: str
    aan: str
    volume: str
    fluid: str
    course: str
    note: str
    status: str
    sources: tuple[str, ...]


def indications(library: Library, asked: str = "") -> tuple[Indication, ...]:
    """The indications of the library, or those whose key or name contains the words asked for, in any case."""
    rows = (
        Indication(
            str(row["key"]),
            str(row["name"]),
            str(row["modality"]),
            str(row["category"]),
            str(row["grade"]),
            str(row["page"]),
            str(row.get("aan", "")),
            str(row.get("volume", "")),
            str(row.get("fluid", "")),
            str(row["course"]),
            str(row.get("note", "")),
            str(row["status"]),
            tuple(str(s) for s in row["sources"]),
        )
        for row in library.document("indications")["indication"]
    )
    words = asked.lower().replace("-", " ").replace("_", " ").split()
    return tuple(i for i in rows if all(w in _searchable(i) for w in words))


def _searchable(row: Indication) -> str:
    return f"{row.key} {row.name}".lower().replace("-", " ").replace("_", " ")
