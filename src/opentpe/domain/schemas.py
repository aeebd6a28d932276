"""JSON Schemas of the documents, made from the types they are written from, so that they cannot drift apart."""

from __future__ import annotations

import types
import typing
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from opentpe.domain.consultation import Consultation
from opentpe.domain.documents import fields_of, is_record, pairs_of, schema_name
from opentpe.domain.patient import Patient
from opentpe.domain.therapy import Course
from opentpe.errors import InputError

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
KINDS: Final[dict[str, type[Any]]] = {
    "patient": Patient,
    "course": Course,
    "consult": Consultation,
    "decide": Consultation,
}
_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
    Any: {},
}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of a document kind; `InputError` names the kinds there are."""
    if kind not in KINDS:
        raise InputError("kind", repr(kind), f"one of {', '.join(KINDS)}")
    definitions: dict[str, Any] = {}
    body = _record(KINDS[kind], definitions)
    body["properties"] = {"schema": {"const": schema_name(kind)}, **body["properties"]}
    body["required"] = ["schema", *body["required"]]
    return {"$schema": DRAFT, "title": schema_name(kind), **body, "$defs": definitions}


def _record(cls: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    fields = fields_of(cls)
    return {
        "type": "object",
        "description": (cls.__doc__ or "").split("\n", 1)[0],
        "properties": {name: _of(hints[name], definitions) for name in fields},
        "required": list(fields),
    }


def _of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if is_record(hint):
        return _named(hint, definitions)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(arg, definitions) for arg in args]}
    if origin is tuple:
        return _tuple(hint, args, definitions)
    return {}


def _named(cls: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """A reference to a record, described once."""
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # a record may hold itself
        definitions[cls.__name__] = _record(cls, definitions)
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _tuple(hint: Any, args: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    child = pairs_of(hint)
    if child is not None:
        return {"type": "object", "additionalProperties": _of(child, definitions)}
    if len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": _of(args[0], definitions)}
    return {
        "type": "array",
        "prefixItems": [_of(a, definitions) for a in args],
        "minItems": len(args),
        "maxItems": len(args),
    }
