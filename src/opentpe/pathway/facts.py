"""The questions a rule may ask: simple ones as declared in `evidence/pathway/facts.toml`, harder ones by function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from opentpe.domain.decision import Absence, Fact
from opentpe.errors import EvidenceError
from opentpe.pathway import attack, clock, response, safety, steroids
from opentpe.pathway.sheet import Question, Sheet, last_taken

Read = Callable[[Sheet], Fact]
_YES: Final = ("present", "positive", "yes", "pregnant", "infected")
_ROOMS: Final[tuple[ModuleType, ...]] = (attack, steroids, response, clock, safety)


def question(name: str, row: Mapping[str, Any], limits: Mapping[str, float]) -> Question:
    """A declared fact as a question; `EvidenceError` names the fact where the declaration cannot be read."""
    try:
        absence = Absence(row["absence"])
        how, _, what = str(row["read"]).partition(" ")
        days = int(limits[row["look_back"].removeprefix("@")]) if "look_back" in row else None
        inspects = bool(row.get("inspects"))
        absent, no = silence(name, assumed=absence is Absence.ASSUMED_FALSE and not inspects)
        silent = no if row.get("silence", _usual_silence(how, absence)) == "no" else absent
        kinds = tuple(what.split("|"))
        looks_at = tuple(row.get("looks_at", _looks_at(how, kinds)))
        return Question(
            name,
            absence,
            _reader(how, name, kinds, days, silent),
            absent,
            no,
            days,
            tuple(row.get("needs", ())),
            tuple(row.get("answers", ())),
            str(row.get("settled_by", "")),
            inspects,
            looks_at,
            silent if looks_at else None,
        )
    except (KeyError, ValueError) as error:
        raise EvidenceError(f"evidence/pathway/facts.toml: {name}: {error}") from error


def _usual_silence(how: str, absence: Absence) -> str:
    yes_or_no = how in ("present", "condition", "drug", "function")
    return "no" if yes_or_no and absence is Absence.ASSUMED_FALSE else "unknown"


def _looks_at(how: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    if how in ("condition", "drug"):
        return tuple(f"{how} {k}" for k in kinds)
    return (f"observation {kinds[0]}",) if how != "function" else ()


def silence(name: str, *, assumed: bool) -> tuple[Fact, Fact]:
    """The two shared answers of a question that the record is silent about: unknown, and no."""
    note = "assumed" if assumed else ""
    return Fact(name, None, note=note), Fact(name, value=False, note=note)


def _reader(how: str, name: str, kinds: tuple[str, ...], days: int | None, absent: Fact) -> Read:
    if how == "function":
        return _function(kinds[0])
    if how in ("number", "answer", "present"):
        return _observation(how, name, kinds[0], days, absent)
    if how == "condition":
        return _condition(name, kinds, days, absent)
    if how == "drug":
        return _drug(name, kinds, days, absent)
    raise ValueError(f"unknown way to read: {how!r}")


def _function(name: str) -> Read:
    for room in _ROOMS:
        found = getattr(room, name, None)
        if callable(found):
            read: Read = found
            return read
    raise ValueError(f"no function {name!r}")


def _observation(how: str, name: str, kind: str, days: int | None, absent: Fact) -> Read:
    def read(sheet: Sheet) -> Fact:
        row = sheet.newest.get(kind)
        if row is None:
            return absent
        age = row.when.age_days(sheet.on)
        if days is not None and age > days:
            return Fact(name, absent.value, (row.source,), age, "older than the look-back")
        if how == "number":
            return Fact(name, row.value, (row.source,), age)
        return Fact(name, row.answer if how == "answer" else row.answer in _YES, (row.source,), age)

    return read


def _condition(name: str, kinds: tuple[str, ...], days: int | None, absent: Fact) -> Read:
    def read(sheet: Sheet) -> Fact:
        for kind in kinds:
            row = sheet.conditions.get(kind)
            if row is None:
                continue
            age = row.onset.age_days(sheet.on) if row.onset is not None else None
            if days is None or age is None or age <= days:
                return Fact(name, kind, (row.source,), age)
        return absent

    return read


def _drug(name: str, kinds: tuple[str, ...], days: int | None, absent: Fact) -> Read:
    def read(sheet: Sheet) -> Fact:
        for kind in kinds:
            for row in sheet.drugs.get(kind, ()):
                last = last_taken(row, sheet.on)
                if last is not None and (days is None or (sheet.on - last).days <= days):
                    return Fact(name, row.kind, (row.source,), (sheet.on - last).days)
        return absent

    return read
