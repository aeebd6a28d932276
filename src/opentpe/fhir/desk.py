"""What every reader of one resource type needs, and the list of what was ignored, settled or needs a look."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from opentpe.domain.patient import Issue, When
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.fhir import shape, when
from opentpe.fhir.bundle import Record, Resource
from opentpe.fhir.codebook import Codebook

_TOLD_APART: Final = ("contradiction", "stale", "several_attacks", "old_attack")


@dataclass(frozen=True, slots=True)
class Desk:
    """The record, the codes, the library and the day; `issues` and `refused` collect what the readers find."""

    record: Record
    codes: Codebook
    library: Library
    on: date
    issues: list[Issue] = field(default_factory=list)
    refused: dict[str, InputError] = field(default_factory=dict)  # needed kind -> why its newest value cannot be used

    told: set[Issue] = field(default_factory=set)  # the same issues, to find one among thousands

    def __post_init__(self) -> None:
        """What the record itself noted counts as told."""
        self.told.update(self.issues)

    def note(self, code: str, where: str, found: str, expected: str, action: str = "ignored") -> None:
        """Adds an issue once."""
        issue = Issue(code, where, found, expected, action)
        if issue not in self.told:
            self.told.add(issue)
            self.issues.append(issue)

    def number(self, key: str) -> float:
        """A sourced number of the library, as in `number("ages.attack.window_days")`."""
        return self.library.value(key)

    def time(self, resource: Resource, element: str) -> When | None:
        """The time of an element; an unreadable one is listed, one after the day of the consultation too."""
        found = when.of(resource.body, element)
        where = f"{resource.label}.{element}"
        if found is None:
            written = when.written(resource.body, element)
            if written:
                self.note("unreadable", where, repr(written), "a date such as 2026-02-18")
            return None
        return self.not_later(found, where)

    def not_later(self, found: When, where: str) -> When | None:
        """The time itself where it is not after the day of the consultation; else listed and None."""
        if found.first_day > self.on:
            self.note("after_on", where, found.first_day.isoformat(), f"a date up to {self.on.isoformat()}")
            return None
        return found

    def mistyped_local(self, domain: str, resource: Resource, concept: object) -> bool:
        """True (and listed) where a concept has a code of our own system that nobody knows."""
        unknown = self.codes.unknown_local((domain, "written"), shape.codings(concept))
        if unknown:
            self.note(
                "code_unknown", resource.label, f"code {unknown!r} of {self.codes.local}", "a code of the codebook"
            )
        return bool(unknown)


def gathered(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """The issues with those that differ only in resource and number told once, with their count."""
    groups: dict[tuple[str, ...], list[Issue]] = {}
    for issue in issues:
        said = issue.found if issue.code in _TOLD_APART else re.sub(r"[\d.]+", "#", issue.found)
        groups.setdefault((issue.code, said, issue.expected, issue.action), []).append(issue)
    return tuple(
        replace(rows[-1], where=f"{rows[-1].where} and {len(rows) - 1} more") if len(rows) > 1 else rows[0]
        for rows in groups.values()
    )
