"""Risks, expected benefit, alerts, troubles of the record, and texts for people that were not sent yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from opentpe.domain.consultation import Band, Benefit, Risk
from opentpe.domain.decision import Alert
from opentpe.domain.patient import Issue
from opentpe.fhir.resources import Pen, Resource, quantity

_SEVERITY: Final = {"stop": "high", "call": "moderate", "hold": "moderate", "redose": "moderate"}
_GRAVE: Final = ("contradiction", "implausible", "unit_unknown", "other_patient")
_GROUPS: Final = ("none", "mild", "moderate", "marked")


def harms(pen: Pen, risks: Sequence[Risk]) -> Iterator[Resource]:
    """One RiskAssessment of the course: each harm with its 90 % band in per cent, and where the rate comes from."""
    predictions = [p for r in risks if r.per_course and (p := _harm(pen, r, r.per_course))]
    if predictions:
        yield _assessment(pen, "expected_harm", predictions)


def _harm(pen: Pen, risk: Risk, band: Band) -> Resource:
    condition = pen.say(f"condition.{risk.condition}", {}) if risk.condition else ""
    return {
        "outcome": pen.answer(risk.event, pen.say(f"risk.{risk.event}", {})),
        "probabilityRange": _per_cent(band),
        "rationale": "; ".join(filter(None, (condition, *risk.sources))) or "no source",
    }


def benefits(pen: Pen, rows: Sequence[Benefit]) -> Iterator[Resource]:
    """One RiskAssessment per horizon and arm: the four groups of response with their bands."""
    for row in rows:
        predictions = [
            {
                "outcome": pen.answer(f"response_{group}", pen.say(f"response.{group}", {})),
                "probabilityRange": _per_cent(getattr(row, group)),
                "rationale": "; ".join(row.sources) or "no source",
            }
            for group in _GROUPS
        ]
        yield _assessment(pen, "expected_benefit", predictions, row.horizon, row.arm)


def _assessment(pen: Pen, kind: str, predictions: list[Resource], *about: str) -> Resource:
    return {
        "resourceType": "RiskAssessment",
        "id": pen.uid("RiskAssessment", kind, *about),
        "status": "preliminary",
        "code": pen.concept("written", kind, ", ".join((pen.say(f"fhir.{kind}", {}), *about)).replace("_", " ")),
        "subject": pen.subject,
        "occurrenceDateTime": pen.on.isoformat(),
        "reasonReference": pen.reason,
        "prediction": predictions,
    }


def _per_cent(band: Band) -> Resource:
    low, high = sorted((_clipped(band.p05), _clipped(band.p95)))
    return {"low": quantity(100 * low, "%"), "high": quantity(100 * high, "%")}


def _clipped(fraction: float) -> float:
    return min(max(fraction, 0.0), 1.0)


def alerts(pen: Pen, found: Sequence[Alert]) -> Iterator[Resource]:
    """A DetectedIssue for every alert that stops, calls, holds or re-times something because of this patient."""
    for alert in found:
        severity = _SEVERITY.get(alert.kind)
        if severity is None:
            continue
        yield {
            "resourceType": "DetectedIssue",
            "id": pen.uid("DetectedIssue", "alert", alert.code, alert.when),
            "status": "preliminary",
            "code": pen.answer(alert.code),
            "severity": severity,
            "patient": pen.subject,
            "identifiedDateTime": pen.on.isoformat(),
            "detail": pen.told(alert.code, alert.facts),
            "mitigation": [{"action": {"text": " ".join(filter(None, (alert.kind, alert.when))).replace("_", " ")}}],
        }


def issues(pen: Pen, found: Sequence[Issue]) -> Iterator[Resource]:
    """A DetectedIssue for every trouble of the record: what was found, what was expected, what was done."""
    for i, issue in enumerate(found):
        yield {
            "resourceType": "DetectedIssue",
            "id": pen.uid("DetectedIssue", "record", str(i), issue.code, issue.where),
            "status": "final",
            "code": pen.answer(issue.code),
            "severity": "moderate" if issue.code in _GRAVE else "low",
            "patient": pen.subject,
            "identifiedDateTime": pen.on.isoformat(),
            "detail": f"{issue.where}: {issue.found}; expected {issue.expected}",
            "mitigation": [{"action": {"text": issue.action}}] if issue.action else [],
        }


def messages(pen: Pen, texts: Mapping[str, str]) -> Iterator[Resource]:
    """A Communication in preparation for every text, one payload a paragraph."""
    for topic, text in texts.items():
        paragraphs = [p.strip() for p in text.split("\n\n") if p.strip()]
        if paragraphs:
            yield {
                "resourceType": "Communication",
                "id": pen.uid("Communication", topic),
                "status": "preparation",
                "topic": {"text": topic.replace("_", " ")},
                "subject": pen.subject,
                "about": pen.reason,
                "payload": [{"contentString": p} for p in paragraphs],
            }
