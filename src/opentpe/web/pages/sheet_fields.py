"""The run sheet field by field: what stands on the page, what is typed in, and how it comes back as a run sheet."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from opentpe.errors import InputError
from opentpe.records.run_sheet import RunSheet

# Part of the sheet, its heading, in the order of device book 7.4.
PARTS: Final = (
    ("identity", "Order and identity"), ("before", "Before"), ("planned", "Plan"),
    ("machine", "Device and disposables"), ("issued", "Fluids issued"), ("end", "End"),
)  # fmt: skip
SPARE_ROWS: Final = 3  # empty rows for containers and products
_UNITS: Final = {
    "_mmol_l": "mmol/L", "_g_l": "g/L", "_10_9_l": "10⁹/L", "_ml_min_l": "mL/min per L", "_ml_min": "mL/min",
    "_per_min": "/min", "_mmhg": "mmHg", "_ml": "mL", "_min": "min", "_kg": "kg", "_cm": "cm", "_cel": "°C",
    "_fraction": "%", "_ratio": "to 1",
}  # fmt: skip
_WORDS: Final = {
    "inr_ratio": ("INR", ""), "asfa_category": ("ASFA category", ""), "abo_rh": ("ABO and Rh", ""),
    "ace_inhibitor_last_dose_at": ("ACE inhibitor, last dose", ""), "ac_used_ml": ("Anticoagulant used", "mL"),
    "ac_to_patient_ml": ("Anticoagulant to the patient", "mL"), "inlet_ac_ratio": ("Inlet to anticoagulant", "to 1"),
    "ac_infusion_limit_ml_min_l": ("Anticoagulant limit", "mL/min per L"), "bag_ml": ("In the plasma bag", "mL"),
    "identifiers_checked": ("Two identifiers checked", ""), "stopped_early_because": ("Ended early because", ""),
    "maintained_on": ("Last maintenance", ""), "hung_at": ("Hung at", ""), "consent_on": ("Consent of", ""),
}  # fmt: skip
_YES_NO: Final = frozenset(("identifiers_checked", "warmer", "self_test_passed", "rinseback_given"))


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the form, label, unit, value as text, and how it is typed in; `known` if not yet kept."""

    name: str
    label: str
    unit: str
    value: str
    kind: str  # text | number | date | datetime-local | yes-no | choice | lines
    choices: tuple[str, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the sheet: fields, or rows of fields."""

    key: str
    title: str
    fields: tuple[Field, ...] = ()
    rows: tuple[tuple[Field, ...], ...] = ()


def groups(sheet: RunSheet, known: Mapping[str, str]) -> tuple[Group, ...]:
    """The whole sheet; `known` fills fields that nobody has written yet, by name."""
    return tuple(_group(key, title, getattr(sheet, key), known) for key, title in PARTS)


def _group(key: str, title: str, part: Any, known: Mapping[str, str]) -> Group:
    if isinstance(part, tuple):
        kind = get_args(RunSheet.model_fields[key].annotation)[0]
        return Group(key, title, rows=_rows(key, kind, part))
    fields: list[Field] = []
    rows: tuple[tuple[Field, ...], ...] = ()
    for name, about in type(part).model_fields.items():
        value = getattr(part, name)
        inner = _row_kind(about.annotation)
        if inner is not None:
            rows = _rows(f"{key}.{name}", inner, value)
        elif isinstance(about.annotation, type) and issubclass(about.annotation, BaseModel):
            fields += [_field(f"{key}.{name}.{n}", n, a.annotation, getattr(value, n), known) for n, a in
                       about.annotation.model_fields.items()]  # fmt: skip
        elif _inner_model(about.annotation) is not None:
            fields += list(_lot(f"{key}.{name}", name, value))
        else:
            fields.append(_field(f"{key}.{name}", name, about.annotation, value, known))
    return Group(key, title, tuple(fields), rows)


def _row_kind(annotation: Any) -> type[BaseModel] | None:
    """The model of a list of rows; None for anything else."""
    inner = get_args(annotation)[:1] if get_origin(annotation) is tuple else ()
    return inner[0] if inner and isinstance(inner[0], type) and issubclass(inner[0], BaseModel) else None


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model of an optional part."""
    found = [a for a in get_args(annotation) if isinstance(a, type) and issubclass(a, BaseModel)]
    return found[0] if found and get_origin(annotation) in (Union, types.UnionType) else None


def _lot(name: str, own: str, value: Any) -> Iterator[Field]:
    title = own.replace("_lot", "").replace("_", " ").capitalize()
    for part, kind in (("product", "text"), ("lot", "text"), ("expires_on", "date")):
        text = _text(getattr(value, part)) if value else ""
        yield Field(
            f"{name}.{part}", f"{title}, {part.replace('_on', '').replace('expires', 'expiry')}", "", text, kind
        )


def _rows(key: str, kind: type[BaseModel], kept: tuple[Any, ...]) -> tuple[tuple[Field, ...], ...]:
    made = []
    for i in range(len(kept) + SPARE_ROWS):
        row = kept[i] if i < len(kept) else None
        made.append(
            tuple(
                _field(f"{key}.{i}.{n}", n, a.annotation, getattr(row, n) if row else None, {})
                for n, a in kind.model_fields.items()
            )
        )
    return tuple(made)


def _field(name: str, own: str, annotation: Any, value: Any, known: Mapping[str, str]) -> Field:
    label, unit = _label(own)
    kind, choices = _kind(own, annotation)
    text = _text(value, percent=unit == "%")
    text = "" if value is False and own == "identifiers_checked" else text  # not yet checked is an open box
    if text == "":
        text, used = known.get(name, text), name in known
    else:
        used = False
    return Field(name, label, unit, text, kind, choices, used)


def _label(name: str) -> tuple[str, str]:
    if name in _WORDS:
        return _WORDS[name]
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return name.removesuffix(ending).replace("_", " ").capitalize(), unit
    return name.removesuffix("_on").removesuffix("_at").replace("_", " ").capitalize(), ""


def _kind(name: str, annotation: Any) -> tuple[str, tuple[str, ...]]:
    inner = {a for a in _leaves(annotation) if a is not type(None)}
    literal = next((a for a in _origins(annotation) if get_origin(a) is Literal), None)
    if literal is not None:
        return "choice", tuple(str(a) for a in get_args(literal))
    for of, kind in ((bool, "yes-no"), (datetime, "datetime-local"), (date, "date"), (float, "number")):
        if of in inner:
            return kind, ()
    return ("lines" if name in ("medicines", "assessment") else "text"), ()


def _origins(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _origins(inner)


def _leaves(annotation: Any) -> Iterator[Any]:
    return (a for a in _origins(annotation) if isinstance(a, type))


def _text(value: Any, *, percent: bool = False) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ", ".join(str(v) for v in value)
    return f"{100 * value if percent else value:.10g}" if isinstance(value, float | int) else str(value)


def sheet_of(said: Mapping[str, str]) -> RunSheet:
    """The run sheet that was typed in; `InputError` names the field that does not fit."""
    tree: dict[str, Any] = {}
    for name, text in said.items():
        part = name.split(".", 1)[0]
        if part in dict(PARTS) and text.strip():
            _plant(tree, name.split("."), _value(name, text.strip()))
    try:
        return RunSheet.model_validate(_listed(tree))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise InputError(where, repr(first["input"]), first["msg"]) from error


def _value(name: str, text: str) -> Any:
    own = name.rsplit(".", 1)[-1]
    if own == "signed_by":
        return [part.strip() for part in text.split(",") if part.strip()]
    _, unit = _label(own)
    if own in _YES_NO and text in ("yes", "no"):
        return text == "yes"
    if own.endswith("_at"):
        return _moment(name, text)
    if unit or own == "inr_ratio":
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            raise InputError(name, repr(text), "a number") from None
        return number / 100 if unit == "%" else number
    return text


def _moment(name: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise InputError(name, repr(text), "a day and time such as 2026-02-18T09:30") from None


def _plant(tree: dict[str, Any], path: list[str], value: Any) -> None:
    *branches, leaf = path
    for branch in branches:
        tree = tree.setdefault(branch, {})
    tree[leaf] = value


def _listed(tree: Any) -> Any:
    """Branches that are numbered, as lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        return [_listed(tree[key]) for key in sorted(tree, key=int)]
    return {key: _listed(value) for key, value in tree.items()}
