"""The problem list: diagnoses with their onset, whether they are going on, and how sure the record is of them."""

from __future__ import annotations

from typing import Final, NamedTuple

from opentpe.domain.patient import Condition, When
from opentpe.fhir import shape, when
from opentpe.fhir.bundle import Resource
from opentpe.fhir.desk import Desk

_ACTIVE: Final = ("active", "recurrence", "relapse")
_ENDED: Final = ("inactive", "remission", "resolved")
_DOUBTED: Final = ("unconfirmed", "provisional", "differential")


class Diagnosis(NamedTuple):
    """A condition with what only the assembly of the attack needs."""

    condition: Condition
    status: str  # clinicalStatus
    recorded: When | None
    rivals: tuple[str, ...]  # kinds that other codes of the same entry named


def read(desk: Desk, female: bool | None, age_years: int | None) -> list[Diagnosis]:
    """Every diagnosis of the record that is not withdrawn."""
    found = [_of_resource(desk, r) for r in desk.record.of_type("Condition")]
    return [_believed(desk, d, female, age_years) for d in found if d is not None]


def _of_resource(desk: Desk, resource: Resource) -> Diagnosis | None:
    body, code = resource.body, shape.node(resource.body, "code")
    match = desk.codes.meaning("condition", shape.codings(code))
    if match is None and desk.mistyped_local("condition", resource, code):
        return None
    kind = match.kind if match else "other"
    verification = shape.first_code(shape.node(body, "verificationStatus"))
    if verification in ("refuted", "entered-in-error"):
        if kind != "other":
            desk.note(
                verification.replace("-", "_"),
                resource.label,
                f"{_name(kind)}, {verification}",
                "a confirmed diagnosis",
            )
        return None
    if match is None and not shape.codings(code) and shape.label(code):
        desk.note(
            "uncoded",
            resource.label,
            f"text only: {shape.label(code)[:60]!r}",
            "a coded diagnosis",
            "not used; add a code",
        )
    recorded = when.of(body, "recordedDate")
    attack = match is not None and bool(desk.codes.row("condition", kind).get("attack"))
    onset = _onset(desk, resource, recorded if attack else None)
    if onset == "future":
        return None
    abated = when.of(body, "abatement")
    status = shape.first_code(shape.node(body, "clinicalStatus"))
    condition = Condition(
        kind=kind,
        code=match.code if match else shape.first_code(code),
        text=shape.label(code),
        active=_active(desk, resource, status, abated),
        source=resource.label,
        onset=onset if isinstance(onset, When) else None,
        abated=abated,
        site=_site(desk, resource),
        severity=desk.codes.concept("severity", shape.node(body, "severity")),
        verified=verification not in _DOUBTED,
    )
    return Diagnosis(condition, status, recorded, match.rivals if match else ())


def _onset(desk: Desk, resource: Resource, recorded: When | None) -> When | str | None:
    """When it began: a day, a period by its start, None where unknown, "future" where after the day of consultation.

    An attack that was recorded before its onset has a wrong date: it stays in view, and the pathway stops at it.
    """
    start = when.period(shape.node(resource.body, "onsetPeriod"))[0]
    found = start or when.of(resource.body, "onset") or when.parse(shape.text(resource.body, "onsetString"))
    if found is None:
        written = when.written(resource.body, "onset")
        if written:
            desk.note(
                "unreadable",
                f"{resource.label}.onset",
                repr(written[:60]),
                "a date such as 2026-02-02",
                "the onset is unknown",
            )
        return None
    if recorded is not None and recorded.first_day <= desk.on < found.first_day:
        said = f"onset {found.first_day.isoformat()}, recorded {recorded.first_day.isoformat()}"
        desk.note("contradiction", resource.label, said, "a record after the onset", "kept; confirm the onset")
        return found
    return desk.not_later(found, f"{resource.label}.onset") or "future"


def _active(desk: Desk, resource: Resource, status: str, abated: When | None) -> bool:
    over = abated is not None and abated.latest.date() <= desk.on
    if status in _ACTIVE and over and abated is not None:
        desk.note(
            "contradiction",
            resource.label,
            f"{status}, but ended on {abated.first_day.isoformat()}",
            "either active or ended",
            "taken as ended",
        )
    if status and status not in (*_ACTIVE, *_ENDED):
        desk.note(
            "unreadable",
            f"{resource.label}.clinicalStatus",
            repr(status[:40]),
            ", ".join((*_ACTIVE, *_ENDED)),
            "taken as active",
        )
    return not over and status not in _ENDED


def _site(desk: Desk, resource: Resource) -> str:
    sites = {desk.codes.concept("site", s) for s in shape.items(resource.body, "bodySite")} - {""}
    if len(sites) > 1:
        return "both"
    return next(iter(sites), "")


def _believed(desk: Desk, diagnosis: Diagnosis, female: bool | None, age_years: int | None) -> Diagnosis:
    """The diagnosis as it stands: an entry left open past the time such a thing lasts counts as ended."""
    c = diagnosis.condition
    row = desk.codes.row("condition", c.kind)
    days = shape.number(row, "lasting_days", "value")
    began = c.onset or diagnosis.recorded
    doubt = ""
    if c.active and days is not None and began is not None and (desk.on - began.latest.date()).days > days:
        doubt = f"open since {began.first_day.isoformat()}; such an entry lasts at most {days:g} days"
    elif c.active and c.kind == "pregnancy":
        doubt = _pregnancy_doubt(desk, female, age_years)
    if not doubt:
        return diagnosis
    desk.note(
        "stale" if began else "contradiction",
        c.source,
        f"{_name(c.kind)}, {doubt}",
        "a current entry",
        "taken as ended",
    )
    ended = Condition(
        c.kind,
        c.code,
        c.text,
        active=False,
        source=c.source,
        onset=c.onset,
        abated=c.abated,
        site=c.site,
        severity=c.severity,
        verified=c.verified,
    )
    return diagnosis._replace(condition=ended)


def _pregnancy_doubt(desk: Desk, female: bool | None, age_years: int | None) -> str:
    if female is False:
        return "in a man"
    low, high = desk.number("ages.person.pregnancy_youngest_years"), desk.number("ages.person.pregnancy_oldest_years")
    return f"at {age_years} years" if age_years is not None and not low <= age_years <= high else ""


def _name(kind: str) -> str:
    return kind.replace("_", " ")
