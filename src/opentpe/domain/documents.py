"""Versioned JSON documents <-> domain values, for command line, web, records and files.

Encoding follows the type hints of the records (frozen dataclasses and named tuples): enums as their word, dates as
ISO text, and `tuple[tuple[str, T], ...]` as an object. `decode` is the inverse and names the element it cannot read.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from opentpe.domain.consultation import Band, Consultation, Estimator, Forecast, Series, SessionForecast
from opentpe.domain.therapy import Course
from opentpe.errors import InputError

T = TypeVar("T")
_PLAIN: Final = frozenset({str, float, int, bool, type(None)})
_ROWS: Final = (tuple, list)
KINDS: Final = ("patient", "course", "consult", "decide", "simulate", "run", "fit", "plan", "trial")


def schema_name(kind: str) -> str:
    """The schema word a document of this kind opens with.

    >>> schema_name("course")
    'opentpe.course/1'
    """
    return f"opentpe.{kind}/1"


def document(kind: str, body: object) -> dict[str, Any]:
    """A domain value as a JSON document of a kind."""
    encoded = encode(body)
    return {"schema": schema_name(kind), **(encoded if isinstance(encoded, dict) else {"items": encoded})}


def text(data: Any) -> str:
    """JSON as written to files: one field a line, one record of a list a line, stable, no NaN."""
    if not isinstance(data, dict):
        return _dumped(data) + "\n"
    return "{\n" + ",\n".join(f" {_dumped(name)}: {_listed(value)}" for name, value in data.items()) + "\n}\n"


def _listed(value: Any) -> str:
    """A list of records with one record a line; anything else on one line."""
    if not isinstance(value, list) or not any(isinstance(entry, dict) for entry in value):
        return _dumped(value)
    return "[\n" + ",\n".join(f"  {_dumped(entry)}" for entry in value) + "\n ]"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def encode(value: object) -> Any:
    """A domain value as plain JSON values."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if kind in _ROWS and _PLAIN.issuperset(map(type, typing.cast("Sequence[object]", value))):
        return list(typing.cast("Sequence[object]", value))
    if isinstance(value, Enum):
        return value.value
    if is_record(kind):
        return {
            name: {n: encode(child) for n, child in part}
            if paired and isinstance(part := getattr(value, name), tuple)
            else encode(getattr(value, name))
            for name, paired in _fields(kind)
        }
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    return value


@cache
def _fields(cls: Any) -> tuple[tuple[str, bool], ...]:
    """The fields of a record, each with whether it holds pairs that are written as an object."""
    hints = _hints(cls)
    return tuple((name, pairs_of(hints[name]) is not None) for name in fields_of(cls))


def is_record(hint: Any) -> bool:
    """True for a type whose values are written as objects: a dataclass or a named tuple."""
    return dataclasses.is_dataclass(hint) or hasattr(hint, "_field_defaults")


@cache
def fields_of(cls: Any) -> dict[str, bool]:
    """The fields of a record in order, each with whether it may be left out."""
    if not dataclasses.is_dataclass(cls):
        return {name: name in cls._field_defaults for name in cls._fields}
    unset = dataclasses.MISSING
    return {f.name: f.default is not unset or f.default_factory is not unset for f in dataclasses.fields(cls)}


def decode(cls: type[T], data: Any, where: str) -> T:
    """The domain value a document holds; `InputError` names the element that does not fit."""
    return typing.cast("T", _decode(cls, data, where))


def _decode(hint: Any, data: Any, where: str) -> Any:
    if is_record(hint):
        return _decode_record(hint, data, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _decode_union(args, data, where)
    if origin is tuple:
        return _decode_tuple(hint, args, data, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _guard(lambda: hint(data), hint.__name__, data, where)
    if hint in (date, datetime):
        return _guard(lambda: hint.fromisoformat(data), "a date", data, where)
    if hint is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if hint is Any or (isinstance(hint, type) and isinstance(data, hint)):
        return data
    raise InputError(where, repr(data), getattr(hint, "__name__", str(hint)))


def _decode_record(cls: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise InputError(where, type(data).__name__, f"an object with the fields of {cls.__name__}")
    hints, values = _hints(cls), {}
    for name, optional in fields_of(cls).items():
        if name in data:
            values[name] = _decode(hints[name], data[name], f"{where}.{name}")
        elif not optional:
            raise InputError(f"{where}.{name}", "nothing", f"the field {name} of {cls.__name__}")
    return cls(**values)


def _decode_union(args: tuple[Any, ...], data: Any, where: str) -> Any:
    if data is None and type(None) in args:
        return None
    dates_first = sorted((a for a in args if a is not type(None)), key=lambda a: a not in (date, datetime))
    for option in dates_first:  # an ISO date is a date, also where text would do
        try:
            return _decode(option, data, where)
        except InputError:
            continue
    names = ", ".join(getattr(a, "__name__", str(a)) for a in args)
    raise InputError(where, repr(data), f"one of {names}")


def _decode_tuple(hint: Any, args: tuple[Any, ...], data: Any, where: str) -> Any:
    child = pairs_of(hint)
    if child is not None and isinstance(data, dict):
        return tuple((name, _decode(child, value, f"{where}.{name}")) for name, value in data.items())
    if not isinstance(data, list):
        raise InputError(where, type(data).__name__, "a list")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_decode(args[0], value, f"{where}[{i}]") for i, value in enumerate(data))
    if len(args) != len(data):
        raise InputError(where, f"{len(data)} values", f"{len(args)} values")
    return tuple(_decode(a, v, f"{where}[{i}]") for i, (a, v) in enumerate(zip(args, data, strict=True)))


def _guard(read: Any, expected: str, data: Any, where: str) -> Any:
    try:
        return read()
    except (ValueError, TypeError):
        raise InputError(where, repr(data), expected) from None


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def pairs_of(hint: Any) -> Any:
    """T where the hint is tuple[tuple[str, T], ...], else None."""
    args = typing.get_args(hint)
    if typing.get_origin(hint) is tuple and len(args) == 2 and args[1] is Ellipsis:
        inner = typing.get_args(args[0])
        if typing.get_origin(args[0]) is tuple and len(inner) == 2 and inner[0] is str and inner[1] is not Ellipsis:
            return inner[1]
    return None


def read_document(path: Path, kind: str) -> dict[str, Any]:
    """The body of a document file of a kind; `InputError` where the file is something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            str(path), f"no readable file ({error.strerror})", f"an {schema_name(kind)} document"
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(str(path), f"text that is not JSON ({error})", f"an {schema_name(kind)} document") from error
    found = data.get("schema") if isinstance(data, dict) else None
    if found != schema_name(kind):
        raise InputError(str(path), f"schema {found!r}", schema_name(kind), "Use the file that `opentpe` wrote.")
    return typing.cast("dict[str, Any]", data)


def read_course(path: Path) -> Course:
    """The course of a course.json."""
    return decode(Course, read_document(path, "course"), path.name)


def consult_document(consultation: Consultation) -> dict[str, Any]:
    """The consult.json of a consultation."""
    return document("consult", consultation)


def simulate_document(
    patient: dict[str, Any], forecast: Forecast, estimators: Sequence[Estimator] = ()
) -> dict[str, Any]:
    """The reply of `opentpe simulate`: sessions, moments asked for, trajectory, and what it rests on.

    `estimators` are the plasma volumes by each rule, the one in use marked.
    """
    return {
        "schema": schema_name("simulate"),
        "patient": encode(patient),
        "course": {"words": forecast.words, **encode(forecast.course)},
        "plasma_volume_ml": encode(forecast.plasma_volume_ml),
        "estimators": encode(tuple(estimators)),
        "sessions": [_session(s) for s in forecast.sessions],
        "at": [{"label": m.label, "min": m.time_min, "values": _bands(m.values)} for m in forecast.moments],
        "trajectory": _trajectory(forecast.series),
        "session_trajectory": _trajectory(forecast.session_series),
        "drugs": encode(forecast.drugs),
        "risks": encode(forecast.risks),
        "assumed": encode(forecast.assumed),
        "warnings": encode(forecast.warnings),
        "sources": [
            {"key": s.key, "value": s.value, "status": s.status.value, "source": s.source} for s in forecast.sources
        ],
        "versions": encode(forecast.versions),
    }


def _session(session: SessionForecast) -> dict[str, Any]:
    return typing.cast("dict[str, Any]", encode(session))


def _bands(values: tuple[tuple[str, Band], ...]) -> dict[str, Any]:
    return {name: encode(band) for name, band in values}


def _trajectory(series: tuple[Series, ...]) -> dict[str, Any]:
    if not series:
        return {"time_min": [], "values": {}}
    return {
        "time_min": list(series[0].time_min),
        "values": {
            s.name: {
                "unit": s.unit,
                **({} if s.time_min == series[0].time_min else {"time_min": list(s.time_min)}),
                **{p: list(getattr(s, p)) for p in ("median", "p05", "p25", "p75", "p95")},
            }
            for s in series
        },
    }
