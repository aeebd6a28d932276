"""Guideline editions as dated statements: what each says about this patient, and where they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentpe.domain.decision import Position
from opentpe.pathway.derive import Parse
from opentpe.pathway.look import outcome_of
from opentpe.pathway.rules import Ask, asks_of
from opentpe.pathway.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: the question it answers, its position, its level, and whom it is about."""

    key: str
    topic: str
    position: str  # supports | individual | opposes | silent
    level: str
    condition: str
    asks: tuple[Ask, ...]
    sources: tuple[str, ...]
    locator: str = ""
    paraphrase: str = ""


@dataclass(frozen=True, slots=True)
class Guideline:
    """One edition of one guideline."""

    name: str
    title: str
    year: int
    source: str
    statements: Mapping[str, tuple[Statement, ...]]  # by topic, each in the order in which they are tried


def guideline_of(name: str, document: Mapping[str, Any], parse: Parse) -> Guideline:
    """A guideline edition from its `statements.toml`."""
    source = str(document["source"])
    statements: dict[str, tuple[Statement, ...]] = {}
    for row in document["statement"]:
        topic, condition = str(row["topic"]), str(row.get("when", ""))
        one = Statement(
            str(row["key"]),
            topic,
            str(row["position"]),
            str(row.get("level", "")),
            condition,
            asks_of(parse(condition, f"guidelines/{name}.{row['key']}")),
            tuple(row.get("sources", (source,))),
            str(row.get("locator", "")),
            str(row.get("paraphrase", "")),
        )
        statements[topic] = (*statements.get(topic, ()), one)
    return Guideline(name, str(document["title"]), int(document["year"]), source, statements)


def position_on(guideline: Guideline, topic: str, sheet: Sheet) -> Position:
    """The first statement of a guideline on a topic that applies; undecided conditions do not apply."""
    for statement in guideline.statements.get(topic, ()):
        outcome, facts = outcome_of(statement.asks, sheet)
        if outcome:
            return Position(
                guideline.name, statement.position, statement.level, statement.key, statement.sources, facts
            )
    return Position(guideline.name, "silent", "", "", (guideline.source,))
