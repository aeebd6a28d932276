"""What every part of the report is written with: the sentences, the numbers of the sources, and the library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from opentpe.domain.consultation import Band, Consultation, Line
from opentpe.domain.decision import Decision, Fact
from opentpe.evidence.load import Library
from opentpe.report import frequency
from opentpe.report import words_of_numbers as words
from opentpe.report.sentences import Sentences, opening
from opentpe.report.view import Said

_ISO_DATE: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


@dataclass(frozen=True, slots=True)
class Desk:
    """Sentences, source numbers and library of one report."""

    sentences: Sentences
    numbers: Mapping[str, int]
    library: Library

    def say(self, code: str, /, **values: Any) -> str:
        """The sentence of a code, filled."""
        return self.sentences.say(code, values)

    def word(self, kind: str, name: str) -> str:
        """The words for a name of the vocabulary."""
        return self.sentences.word(kind, name)

    def title(self, kind: str, name: str) -> str:
        """The words for a name at the start of a line: "Fibrinogen", "IgG"."""
        text = self.word(kind, name)
        return opening(text) if text[:1].isascii() else text

    def cites(self, sources: Iterable[str]) -> tuple[int, ...]:
        """The numbers of the sources, ascending."""
        return tuple(sorted({self.numbers[s] for s in sources if s in self.numbers}))

    def band(self, value: Band, *, bare: bool = False) -> str:
        """Median with 90 % band."""
        return words.band(value, self.sentences.numbers, bare=bare)

    def amount(self, value: float, ucum: str, decimals: int | None = None) -> str:
        """A number with its unit."""
        return words.amount(value, ucum, self.sentences.numbers, decimals)

    def often(self, share: Band, of: int = 0) -> str:
        """A probability as "8 of 100 (2 to 25)"."""
        return frequency.written(share, self.sentences, of)

    def line(self, line: Line) -> Said:
        """A `Line` in words, with its heading and sources."""
        values = {name: self.named(value) for name, value in line.values}
        text = self.sentences.say(line.code, values)
        level = self.say(f"status.{line.status}") if line.status else ""
        return Said(text, self.sentences.label(line.code), self.cites(line.sources), level, "", line.code)

    def named(self, value: Any) -> Any:
        """A value with names of the vocabulary (a fluid, a solute, an access) and ISO dates turned into words."""
        if not isinstance(value, str):
            return value
        if value in words.UNITS:
            return words.unit(value)
        kinds = ("fluid", "access", "separator", "modality", "solute", "estimator", "fact", "quantity")
        for kind in kinds:
            if self.sentences.has(f"{kind}.{value}"):
                return self.sentences.say(f"{kind}.{value}")
        return _ISO_DATE.sub(lambda m: words.day(date.fromisoformat(m[0]), self.sentences.numbers), value)

    def facts(self, facts: Iterable[Fact], decision: Decision) -> dict[str, Any]:
        """Name -> value, to fill a sentence with: the facts given, beneath them those of the whole walk."""
        return {f.name: self.named(f.value) for f in (*decision.facts, *facts)}

    def told(self, code: str, facts: Iterable[Fact], decision: Decision) -> str:
        """A reason or an alert in words; where a drug's name comes first it begins with a capital all the same."""
        return opening(self.sentences.say(code, self.facts(facts, decision)))

    def fact(self, fact: Fact) -> str:
        """A fact in words with the resource it came from and its age."""
        value = self.sentences.value(self.named(fact.value))
        text = self.say("fact_is", name=self.word("fact", fact.name), value=value)
        trail = [", ".join(fact.sources)] if fact.sources else []
        if fact.age_days is not None:
            trail.append(self.say("age_days", days=fact.age_days))
        trail += [fact.note] if fact.note else []
        return f"{text} ({'; '.join(trail)})" if trail else text


def source_numbers(consultation: Consultation) -> dict[str, int]:
    """Source key -> number, in the order in which the report first mentions them."""
    numbers: dict[str, int] = {}
    for key in _mentioned(consultation):
        if key:
            numbers.setdefault(key, len(numbers) + 1)
    return numbers


def _mentioned(consultation: Consultation) -> Iterator[str]:
    decision, order, forecast = consultation.decision, consultation.order, consultation.forecast
    for reason in decision.reasons:
        yield from reason.sources
    if order:
        for line in order.lines:
            yield from line.sources
        yield from (e.source for e in order.estimators)
    if forecast:
        for drug in forecast.drugs:
            for line in drug.lines:
                yield from line.sources
        for risk in forecast.risks:
            yield from risk.sources
    for alert in decision.alerts:
        yield from alert.sources
    for option in consultation.options:
        yield from option.sources
    for benefit in consultation.benefit:
        yield from benefit.sources
        for part in benefit.contributions:
            yield from part.sources
    yield from _beneath(consultation)


def _beneath(consultation: Consultation) -> Iterator[str]:
    decision = consultation.decision
    for sources in (
        *(row.sources for row in decision.positions),
        *(row.sources for row in decision.by_definition),
        *(step.sources for step in decision.trace),
    ):
        yield from sources
    for line in (*consultation.benefit_lines, *consultation.harm_lines, *consultation.assumed):
        yield from line.sources
    if forecast := consultation.forecast:
        for line in (*forecast.assumed, *forecast.warnings):
            yield from line.sources
        yield from (s.source for s in forecast.sources)
