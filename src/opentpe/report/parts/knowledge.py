"""How we know: the walk, what was assumed, what the record left open, the values used, sources and versions."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from opentpe.domain.consultation import Consultation, Versions
from opentpe.domain.decision import Step
from opentpe.domain.sourced import Citation, Sourced, Status
from opentpe.errors import EvidenceError
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.parts import argument, banner
from opentpe.report.view import Column, Knowledge, Said, Table, TraceGate, TraceStep

_LIMIT: Final = re.compile(r"@([a-z0-9_.]+)")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_WORST_FIRST: Final = list(Status)[::-1]


def build(consultation: Consultation, desk: Desk) -> Knowledge:
    """Everything needed to argue with the report."""
    return Knowledge(
        trace=_trace(consultation, desk),
        assumed=_assumed(consultation, desk),
        warnings=tuple(desk.line(w) for w in consultation.forecast.warnings) if consultation.forecast else (),
        issues=_issues(consultation, desk),
        values=_values(consultation, desk),
        sources=_sources(consultation, desk),
        versions=_versions(consultation, desk),
        guidelines=argument.guidelines(consultation, desk),
        definitions=argument.definitions(consultation, desk),
        depends=argument.depends(consultation, desk),
        changes=argument.changes(consultation, desk),
    )


def _trace(consultation: Consultation, desk: Desk) -> tuple[TraceGate, ...]:
    steps = consultation.decision.trace
    return tuple(
        TraceGate(_gate(gate, desk), tuple(_step(s, desk) for s in group))
        for gate, group in groupby(steps, key=lambda s: s.gate)
    )


def _gate(gate: str, desk: Desk) -> str:
    """The gate with its name: "G1 Infection and other triggers"."""
    code = f"gate.{gate.lower()}"
    document = desk.library.documents.get(f"pathway/{gate.lower()}", {})
    name = desk.say(code) if desk.sentences.has(code) else str(document.get("name", ""))
    return f"{gate.upper()} {name}".strip()


def _step(step: Step, desk: Desk) -> TraceStep:
    outcome = "open" if step.outcome is None else "yes" if step.outcome else "no"
    return TraceStep(
        rule=desk.sentences.plain(step.rule),
        condition=_condition(step.condition, desk),
        outcome=outcome,
        outcome_word=desk.say(f"outcome.{outcome}"),
        facts=tuple(desk.fact(f) for f in step.facts),
        effect=desk.word("advice_name", step.effect) if step.effect else "",
        cites=desk.cites(step.sources),
    )


def _condition(text: str, desk: Desk) -> str:
    """A rule's condition with its limits as numbers and its facts in words."""

    def limit(found: re.Match[str]) -> str:
        known = f"limits.{found[1]}"
        try:
            return desk.sentences.value(desk.library.value(known))
        except EvidenceError:
            return found[1]

    named = _LIMIT.sub(limit, text.replace(">=", "≥").replace("<=", "≤").replace("!=", "≠"))
    return _NAME.sub(lambda m: desk.word("fact", m[0]), named).replace("|", " or ")


def _assumed(consultation: Consultation, desk: Desk) -> tuple[Said, ...]:
    lines = list(consultation.assumed)
    if consultation.forecast:
        lines += [line for line in consultation.forecast.assumed if line not in lines]
    said = [desk.line(line) for line in lines]
    said += [Said(desk.say("assumed.fact", fact=desk.fact(f)), code=f.name) for f in consultation.decision.assumed]
    said += [banner.missing(gap, desk) for gap in consultation.decision.missing]
    return tuple(said)


def _issues(consultation: Consultation, desk: Desk) -> Table | None:
    if not consultation.issues:
        return None
    heads = ("issue", "where", "found", "expected", "done")
    columns = tuple(Column(desk.say(f"column.{h}"), numeric=False) for h in heads)
    rows = tuple((desk.word("issue", i.code), i.where, i.found, i.expected, i.action) for i in consultation.issues)
    return Table(desk.say("caption.issues"), columns, rows)


def _values(consultation: Consultation, desk: Desk) -> Table | None:
    """Every sourced value the forecast was made of, the least certain first."""
    found = consultation.forecast.sources if consultation.forecast else ()
    if not found:
        return None
    ranked = sorted(found, key=lambda s: (_WORST_FIRST.index(s.status), s.key))
    columns = (
        Column(desk.say("column.value_of"), numeric=False),
        Column(desk.say("column.value")),
        Column(desk.say("column.unit"), numeric=False),
        Column(desk.say("column.status"), numeric=False),
        Column(desk.say("column.source"), numeric=False),
    )
    return Table(desk.say("caption.values"), columns, tuple(_value(s, desk) for s in ranked))


def _value(value: Sourced, desk: Desk) -> tuple[str, ...]:
    numbers = " ".join(f"[{n}]" for n in desk.cites((value.source,)))
    origin = ", ".join(part for part in (numbers or value.source, value.locator) if part) or value.why
    status = desk.say(f"status.{value.status}")
    return value.key, words.honest(value.value, desk.sentences.numbers), words.unit(value.unit), status, origin


def _sources(consultation: Consultation, desk: Desk) -> tuple[str, ...]:
    known = {c.key: c for c in consultation.citations} | dict(desk.library.citations)
    ordered = sorted(desk.numbers, key=desk.numbers.__getitem__)
    return tuple(_source(known[key], desk) if key in known else key for key in ordered)


def _source(citation: Citation, desk: Desk) -> str:
    parts = [citation.text.rstrip(".")]
    if citation.doi:
        parts.append(f"doi:{citation.doi}")
    if citation.pmid:
        parts.append(f"PMID {citation.pmid}")
    if citation.url and not citation.doi:
        parts.append(citation.url)
    text = ". ".join(parts) + "."
    return f"{text} {desk.say('source.read', part=citation.read)}" if citation.read else text


def _versions(consultation: Consultation, desk: Desk) -> tuple[tuple[str, str], ...]:
    found = consultation.versions or (consultation.forecast.versions if consultation.forecast else None)
    made = found or Versions("", desk.library.digest, desk.library.overlaid)
    rows = [
        ("OpenTPE", made.opentpe or "–"),
        (desk.say("version.library"), made.library),
        (desk.say("version.overlays"), ", ".join(made.overlays) or desk.say("word.none")),
    ]
    if consultation.decision.guideline:
        rows.append((desk.say("version.guideline"), desk.word("guideline", consultation.decision.guideline)))
    if made.draws_count:
        rows.append((desk.say("version.draws"), f"{made.draws_count} ({desk.say('version.seed')} {made.seed})"))
    return tuple(rows)
