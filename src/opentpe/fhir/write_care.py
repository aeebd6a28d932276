"""The order as drafts: a care plan, a request a session, requests for blood, and the sessions that were done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from opentpe.domain.consultation import Estimator, Line, Order
from opentpe.domain.decision import Advice, Alert, Decision
from opentpe.domain.therapy import MINUTES_PER_DAY, Course, Measurement, Procedure
from opentpe.fhir import resources
from opentpe.fhir.events import PLASMA_REMOVED
from opentpe.fhir.resources import Pen, Resource, quantity

_DRAFT: Final = {"status": "draft", "intent": "proposal"}
_PROCEDURE_STATUS: Final = {"performed": "completed", "partial": "stopped", "missed": "not-done"}


def order(pen: Pen, written: Order, decision: Decision) -> Iterator[Resource]:
    """A draft care plan with one draft request a session, and the plasma volume it rests on."""
    requests = [_session(pen, written, decision, n, day) for n, day in enumerate(written.dates, start=1)]
    yield from requests
    yield {
        "resourceType": "CarePlan",
        "id": pen.uid("CarePlan", "course"),
        **_DRAFT,
        "title": pen.say("fhir.exchange_course", {"count": written.course.count}),
        "description": written.words,
        "subject": pen.subject,
        "period": _period(written.dates),
        "created": pen.on.isoformat(),
        "addresses": pen.reason,
        "activity": [{"reference": resources.to(r["id"])} for r in requests],
        "note": resources.notes(pen.say("fhir.needs", {"need": need}) for need in written.needs),
    }
    for estimator in written.estimators:
        if estimator.used:
            yield _volume(pen, estimator)


def _period(days: Sequence[date]) -> Resource:
    return {"start": min(days).isoformat(), "end": max(days).isoformat()} if days else {}


def _session(pen: Pen, written: Order, decision: Decision, n: int, day: date) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": pen.uid("ServiceRequest", "session", str(n)),
        **_DRAFT,
        "priority": "urgent" if decision.advice is Advice.URGENT else "routine",
        "code": pen.concept("procedure", _kind(written)),
        "orderDetail": [{"text": text} for line in written.lines if (text := _say(pen, line))],
        "quantityQuantity": quantity(written.volume_ml, "mL"),
        "subject": pen.subject,
        "occurrenceDateTime": day.isoformat(),
        "authoredOn": pen.on.isoformat(),
        "reasonReference": pen.reason,
        "note": resources.notes([pen.say("fhir.session_of", {"n": n, "count": written.course.count})]),
    }


def _kind(written: Order) -> str:
    """Exchange, or adsorption where the order's own lines say that this is the unit's modality."""
    modalities = {line.value("modality") for line in written.lines}
    return "immunoadsorption" if "immunoadsorption" in modalities else "plasma_exchange"


def _say(pen: Pen, line: Line) -> str:
    return pen.say(line.code, dict(line.values))


def _volume(pen: Pen, estimator: Estimator) -> Resource:
    return {
        "resourceType": "Observation",
        "id": pen.uid("Observation", "plasma-volume"),
        "status": "preliminary",
        "code": pen.concept("written", "plasma_volume", pen.say("fhir.plasma_volume", {})),
        "subject": pen.subject,
        "effectiveDateTime": pen.on.isoformat(),
        "valueQuantity": quantity(estimator.plasma_volume_ml, "mL"),
        "method": {"text": estimator.name},
        "note": resources.notes(pen.say("fhir.outside_validity", {"quantity": q}) for q in estimator.outside_validity),
    }


def samples(pen: Pen, alerts: Sequence[Alert]) -> Iterator[Resource]:
    """A draft request for every blood or urine sample the pathway wants."""
    for alert in alerts:
        if alert.kind == "draw":
            yield {
                "resourceType": "ServiceRequest",
                "id": pen.uid("ServiceRequest", "sample", alert.code),
                **_DRAFT,
                "priority": "routine",
                "code": pen.concept("written", "blood_sample", pen.told(alert.code, alert.facts)),
                "subject": pen.subject,
                "authoredOn": pen.on.isoformat(),
                "reasonReference": pen.reason,
            }


def course(pen: Pen, ordered: Course, days: Sequence[date]) -> Iterator[Resource]:
    """Sessions done, in part or missed, and the laboratory values of the course."""
    for procedure in ordered.performed:
        if procedure.status in _PROCEDURE_STATUS:
            yield _done(pen, procedure, days)
    if days:
        for i, measured in enumerate(ordered.measurements):
            yield from _measured(pen, measured, days[0], i)


def _done(pen: Pen, procedure: Procedure, days: Sequence[date]) -> Resource:
    day = procedure.on.date() if procedure.on else _day(days, procedure.start_min)
    removed = procedure.plasma_removed_ml
    extension = (
        [{"url": f"{pen.codes.local}:{PLASMA_REMOVED}", "valueQuantity": quantity(removed, "mL")}] if removed else []
    )
    return {
        "resourceType": "Procedure",
        "id": pen.uid("Procedure", "session", str(procedure.n)),
        "extension": extension,
        "status": _PROCEDURE_STATUS[procedure.status],
        "code": pen.concept("procedure", "plasma_exchange"),
        "subject": pen.subject,
        "performedDateTime": day.isoformat() if day else "",
        "reasonReference": pen.reason,
        "note": resources.notes([procedure.note]),
    }


def _day(days: Sequence[date], start_min: float) -> date | None:
    return days[0] + timedelta(days=int(start_min // MINUTES_PER_DAY)) if days else None


def _measured(pen: Pen, measured: Measurement, first: date, i: int) -> Iterator[Resource]:
    row = pen.codes.row("observation", measured.solute)
    if not row or "unit" not in row:
        return
    day = _day([first], measured.time_min)
    yield {
        "resourceType": "Observation",
        "id": pen.uid("Observation", "measured", str(i), measured.solute),
        "status": "final",
        "code": pen.concept("observation", measured.solute),
        "subject": pen.subject,
        "effectiveDateTime": day.isoformat() if day else "",
        "valueQuantity": {
            **quantity(measured.value, measured.unit),
            **({"comparator": "<"} if measured.below_detection else {}),
        },
    }
