"""Shapes of CDS Hooks messages for the OpenAPI document; the services check calls themselves, for their 4xx codes."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

_OBJECT: Final = {"type": "object"}
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 2000}


def _body(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    answers = {
        "400": {"description": "The call is misshapen."},
        "401": {"description": "The token is missing or not good."},
        "404": {"description": "There is no such service."},
        "412": {"description": "Data are missing; `missing` names the prefetch keys."},
    }
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": answers,
    }


CALL: Final = _body(
    ["hook", "hookInstance", "context"],
    {
        "hook": {"type": "string", "enum": ["patient-view", "order-select", "order-sign"]},
        "hookInstance": _TEXT,
        "fhirServer": {"type": "string"},
        "fhirAuthorization": _OBJECT,
        "context": {"type": "object", "required": ["patientId"], "properties": {"patientId": _TEXT}},
        "prefetch": _OBJECT,
    },
)
FEEDBACK: Final = _body(
    ["feedback"],
    {
        "feedback": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["card", "outcome", "outcomeTimestamp"],
                "properties": {
                    "card": _TEXT,
                    "outcome": {"type": "string", "enum": ["accepted", "overridden"]},
                    "outcomeTimestamp": _TEXT,
                },
            },
        }
    },
)


class Service(BaseModel):
    """One service as discovery tells it."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: dict[str, str]


class Discovery(BaseModel):
    """All services."""

    services: list[Service]


class Source(BaseModel):
    """Where a card is from."""

    label: str
    url: str
    topic: dict[str, str]


class Card(BaseModel):
    """One card."""

    uuid: str
    summary: str = Field(max_length=139)
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: str = ""
    suggestions: list[dict[str, Any]] = []
    selectionBehavior: Literal["at-most-one", "any"] | None = None  # noqa: N815 - CDS Hooks spells it so
    overrideReasons: list[dict[str, str]] = []  # noqa: N815
    links: list[dict[str, str]] = []


class Cards(BaseModel):
    """The answer of a service; no cards where there is nothing to say."""

    cards: list[Card]
