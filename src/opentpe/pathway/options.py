"""The options side by side for one patient: what is known of each, and what this patient's facts add to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentpe.domain.consultation import Line, Option, Value
from opentpe.domain.decision import Fact
from opentpe.evidence.load import Library

CELLS: Final = ("evidence", "effect", "onset", "burden", "hazards", "needs", "cost")


def options(library: Library, facts: Iterable[Fact] = ()) -> tuple[Option, ...]:
    """Every option with its cells; `here` says what the patient's facts add, "" where they add nothing.

    A cell is a sentence of the library; a translation may be kept under "option.<key>.<cell>", a note under its code.
    An option that a fact rules out stays in the table and says so.
    """
    known = _known(facts)
    return tuple(_option(row, known) for row in library.document("options")["option"])


def option_notes(library: Library, facts: Iterable[Fact]) -> tuple[Line, ...]:
    """What the facts add, as data: the option, the fact, the sentence, and whether it rules the option out."""
    known = _known(facts)
    return tuple(
        Line(
            str(note["code"]),
            (
                ("option", str(row["key"])),
                ("fact", str(note["fact"])),
                ("text", str(note["text"])),
                ("excludes", bool(note.get("excludes", False))),
            ),
            tuple(note.get("sources", ())),
        )
        for row in library.document("options")["option"]
        for note in _notes(row, known)
    )


def _option(row: Mapping[str, Any], known: Mapping[str, object]) -> Option:
    notes = _notes(row, known)
    cells: tuple[tuple[str, Value], ...] = (
        *((name, str(row[name])) for name in CELLS),
        ("here", " ".join(str(n["text"]) for n in notes)),
    )
    sources = (*row["sources"], *(s for n in notes for s in n.get("sources", ())))
    return Option(str(row["key"]), cells, tuple(dict.fromkeys(sources)))


def _notes(row: Mapping[str, Any], known: Mapping[str, object]) -> list[Mapping[str, Any]]:
    return [n for n in row.get("note", ()) if _applies(n, known)]


def _known(facts: Iterable[Fact]) -> dict[str, object]:
    return {f.name: f.value for f in facts if f.known}


def _applies(note: Mapping[str, Any], known: Mapping[str, object]) -> bool:
    """True where the record answers the note's fact with yes, or with one of the answers it names."""
    value = known.get(note["fact"])
    return value in note["is"] if "is" in note else bool(value)
