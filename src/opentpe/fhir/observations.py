"""Findings and laboratory values: each with its date, its resource, and the canonical unit or answer of its kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from opentpe import units
from opentpe.domain.patient import Observation, When
from opentpe.errors import InputError, UnitError
from opentpe.fhir import answers, quantities, shape, when
from opentpe.fhir.bundle import Resource
from opentpe.fhir.codebook import Match
from opentpe.fhir.desk import Desk
from opentpe.fhir.shape import Node

RANK: Final = {"corrected": 4, "amended": 3, "final": 2, "preliminary": 1}
_VALUELESS: Final = {
    "entered-in-error": "entered_in_error", "cancelled": "cancelled", "registered": "no_value", "unknown": "no_value",
}  # fmt: skip


class Finding(NamedTuple):
    """An observation with what decides between two of the same moment: its status and when it was issued."""

    observation: Observation
    status: str
    issued: str

    @property
    def rank(self) -> tuple[int, str, str]:
        """Corrected before amended before final before preliminary, then the later issued, then the resource."""
        return RANK.get(self.status, 0), self.issued, self.observation.source


def read(desk: Desk) -> list[Finding]:
    """Every usable finding of the record; what is not usable is listed on the desk."""
    reports = _report_of(desk)
    found = [f for r in desk.record.of_type("Observation") for f in _of_resource(desk, r, reports.get(r.label))]
    return found + [f for r in desk.record.of_type("DiagnosticReport") for f in _of_conclusion(desk, r)]


def _report_of(desk: Desk) -> dict[str, Resource]:
    """The report each result belongs to; a result that the bundle does not hold is listed."""
    reports: dict[str, Resource] = {}
    for report in desk.record.of_type("DiagnosticReport"):
        for reference in shape.items(report.body, "result"):
            result = desk.record.resolve(report, reference)
            if result is None:
                desk.note(
                    "unresolved_reference",
                    f"{report.label}.result",
                    shape.text(reference, "reference") or "no reference",
                    "an Observation in the bundle",
                )
            elif shape.text(report.body, "status") in ("entered-in-error", "cancelled", *RANK):
                reports.setdefault(result.label, report)
    return reports


def _of_resource(desk: Desk, resource: Resource, report: Resource | None) -> Iterator[Finding]:
    known = _known(desk, resource)
    if not known:
        desk.mistyped_local("observation", resource, shape.node(resource.body, "code"))
        return
    status = _status(desk, resource, report)
    moment = _moment(desk, resource, report) if status else None
    if moment is None:
        return
    site = desk.codes.concept("site", shape.node(resource.body, "bodySite"))
    issued = shape.text(resource.body, "issued")
    for body, label, match in known:
        observation = _value(desk, body, label, match, moment, site)
        if observation is not None:
            yield Finding(observation, status, issued)


def _known(desk: Desk, resource: Resource) -> list[tuple[Node, str, Match]]:
    """The parts of a resource whose code some kind has: itself, and its components."""
    match = _match(desk, resource.body, resource.label)
    known = [(resource.body, resource.label, match)] if match else []
    if "component" in resource.body:
        for body, label in _components(resource):
            match = _match(desk, body, label)
            if match:
                known.append((body, label, match))
    return known


def _components(resource: Resource) -> Iterator[tuple[Node, str]]:
    for i, component in enumerate(shape.items(resource.body, "component")):
        yield component, f"{resource.label}.component[{i}]"


def _match(desk: Desk, body: Node, label: str) -> Match | None:
    codings = shape.codings(shape.node(body, "code"))
    match = desk.codes.meaning("observation", codings)
    if match and match.rivals:
        desk.note(
            "contradiction",
            f"{label}.code",
            f"codes of {match.kind} and {', '.join(match.rivals)}",
            "codes of one quantity",
            "ignored",
        )
        return None
    return match


def _status(desk: Desk, resource: Resource, report: Resource | None) -> str:
    status = shape.text(resource.body, "status") or "final"
    if report is None and status in RANK:
        return status
    outer = shape.text(report.body, "status") if report else ""
    for where, found in ((resource, status), (report, outer)):
        if where is not None and found in _VALUELESS:
            desk.note(_VALUELESS[found], where.label, f"status {found}", "final, amended or corrected")
            return ""
    if status not in RANK:
        desk.note("unreadable", resource.label, f"status {status[:40]!r}", "final, amended or corrected")
        return ""
    return status


def _moment(desk: Desk, resource: Resource, report: Resource | None) -> When | None:
    """When it was found: its own time, else that of its report, its encounter, or when it was issued."""
    if when.written(resource.body, "effective"):
        return desk.time(resource, "effective")
    encounter = desk.record.resolve(resource, shape.node(resource.body, "encounter"))
    for holder, element in ((report, "effective"), (encounter, ""), (resource, "issued")):
        if holder is None:
            continue
        found = when.of(holder.body, element) if element else when.period(shape.node(holder.body, "period"))[0]
        if found is not None:
            return desk.not_later(found, resource.label)
    desk.note("undated", resource.label, "no date", "effectiveDateTime")
    return None


def _value(desk: Desk, body: Node, label: str, match: Match, moment: When, site: str) -> Observation | None:
    row, kind = desk.codes.row("observation", match.kind), match.kind
    try:
        found = _observation(desk, body, label, kind, moment, site)
    except InputError as error:
        code = (
            "unit_unknown" if "unit" in error.found else "implausible" if isinstance(error, UnitError) else "unreadable"
        )
        desk.note(code, error.where, error.found, error.expected)
        if row.get("needed"):
            desk.refused[kind] = InputError(error.where, error.found, error.expected, error.remedy)
        return None
    if found is None and not shape.items(body, "component"):
        reason = shape.label(shape.node(body, "dataAbsentReason"))
        desk.note("no_value", label, f"no value for {kind}" + (f" ({reason})" if reason else ""), "a value")
    return found


def _observation(desk: Desk, body: Node, label: str, kind: str, moment: When, site: str) -> Observation | None:
    row = desk.codes.row("observation", kind)
    if kind == "visual_acuity":
        return _acuity(desk, body, label, moment, site)
    if "answers" in row:
        answer = answers.read(body, row, desk.codes, label)
        return answer and Observation(kind, None, "", moment, label, answer[0], site, answer[1])
    measured = quantities.read(body, row, kind, label)
    if measured is None:
        return None
    try:
        quantities.check(measured.value, row, kind, measured.where)
    except UnitError as error:
        if not row.get("keep_implausible"):
            raise
        desk.note(
            "implausible", error.where, error.found, error.expected, "kept in view; the pathway cannot decide on it"
        )
    if measured.comparator:
        said = f"{kind} {measured.comparator} {measured.value:g}"
        desk.note("limit_only", label, said, "a value", "the limit is used as the value")
    return Observation(kind, measured.value, str(row["unit"]), moment, label, "", site, measured.comparator)


def _acuity(desk: Desk, body: Node, label: str, moment: When, site: str) -> Observation | None:
    found = answers.acuity(body, desk.codes, desk.library, label)
    if found is None:
        return None
    window = desk.codes.row("observation", "visual_acuity")["plausible"]
    value = units.plausible(found[0], window["low"], window["high"], "visual acuity", "1", label)
    return Observation("visual_acuity", value, "1", moment, label, "", site, found[1])


def _of_conclusion(desk: Desk, report: Resource) -> Iterator[Finding]:
    """Coded conclusions of a report that are answers of a kind, as the pattern of a lesion."""
    kinds = [k for (domain, k), row in desk.codes.rows.items() if domain == "observation" and row.get("report")]
    for concept in shape.items(report.body, "conclusionCode"):
        for kind in kinds:
            body = {"valueCodeableConcept": concept}
            local = [c for c in shape.codings(concept) if shape.text(c, "system") == desk.codes.local]
            if not local:
                continue
            status = _status(desk, report, None)
            moment = _moment(desk, report, None) if status else None
            if moment is None:
                return
            observation = _value(desk, body, f"{report.label}.conclusionCode", Match(kind, ""), moment, "")
            if observation is not None:
                yield Finding(observation, status, shape.text(report.body, "issued"))
