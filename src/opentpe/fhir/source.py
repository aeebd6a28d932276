"""From a file to one JSON object, or a refusal: size, encoding, syntax and depth are checked here and nowhere else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from opentpe.errors import InputError

SIZE_LIMIT_BYTES: Final = 64 * 1024 * 1024  # a large record is about 10 MB
DEPTH_LIMIT: Final = 64  # R4 resources nest about 15 deep
_EXPECTED: Final = "a FHIR R4 Bundle as JSON in UTF-8"
_TOKENS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_HALF_CHARACTER: Final = re.compile(r"\\u[dD][89a-fA-F]")


def load(
    source: Path | str | Mapping[str, Any], size_limit_bytes: int = SIZE_LIMIT_BYTES, *, sound: bool = False
) -> tuple[str, dict[str, Any]]:
    """The name of the source for messages, and the JSON object in it.

    `sound`: who decoded the object has made sure already that it holds no infinity and nests within `DEPTH_LIMIT`.

    Raises `InputError` for a folder, an empty, oversized, truncated or wrongly encoded file, for text that is not
    JSON, for the same element twice in one object, for NaN and infinity, and for nesting deeper than any record.
    """
    if isinstance(source, Mapping):
        return "bundle", dict(source) if sound else _from_mapping(source)
    path = Path(source)
    name = path.name or str(path)
    return name, parse(name, _text(name, _bytes(path, name, size_limit_bytes)))


def parse(name: str, text: str) -> dict[str, Any]:
    """The JSON object in a text that was handed over; `name` says in messages where it came from. Raises as `load`."""
    if not text.strip():
        raise InputError(name, "an empty text", _EXPECTED)
    _check_depth(name, text)
    return _parse(name, text)


def _bytes(path: Path, name: str, limit: int) -> bytes:
    try:
        if path.is_dir():
            raise InputError(name, "a folder", _EXPECTED, "Name the file inside it.")
        size = path.stat().st_size
        if size > limit:
            raise InputError(
                name,
                f"{size / 1e6:.0f} MB",
                f"at most {limit / 1e6:.0f} MB",
                "Export this one patient, without images and claims.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(name, "no such file", _EXPECTED) from None
    except (OSError, ValueError) as error:
        raise InputError(name, f"a file that cannot be read ({error})", _EXPECTED) from None


def _text(name: str, raw: bytes) -> str:
    if not raw.strip():
        raise InputError(name, "an empty file", _EXPECTED)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(name, "UTF-16 text", _EXPECTED, "Save it as UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            name, f"byte 0x{raw[error.start]:02x} at position {error.start}", "UTF-8 text", "Save it as UTF-8."
        ) from None


def _check_depth(name: str, text: str) -> None:
    depth = 0
    for token in _TOKENS.finditer(text):
        mark = text[token.start()]
        if mark in "[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                raise InputError(name, f"nesting deeper than {DEPTH_LIMIT} levels", "nesting as in a FHIR resource")
        elif mark in "]}":
            depth -= 1


def _parse(name: str, text: str) -> dict[str, Any]:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        node = dict(found)
        if len(node) != len(found):
            twice = next(key for i, (key, _) in enumerate(found) if key in {k for k, _ in found[:i]})
            where = f"{name}, {node.get('resourceType', 'object')} {node.get('id', '')}".rstrip()
            raise InputError(where, f"element {twice!r} twice", "each element once", "Export the bundle again.")
        return node

    def constant(found: str) -> NoReturn:
        raise InputError(name, found, "a number", "JSON knows no such value; remove it.")

    def decimal(found: str) -> float:
        value = float(found)
        if not math.isfinite(value):
            raise InputError(name, f"number {found[:40]}", "a number a record can hold")
        return value

    def integer(found: str) -> int:
        if len(found) > 30:
            raise InputError(name, f"number {found[:40]}…", "a number a record can hold")
        return int(found)

    try:
        node = json.loads(
            text, object_pairs_hook=pairs, parse_constant=constant, parse_float=decimal, parse_int=integer
        )
    except json.JSONDecodeError as error:
        raise InputError(name, _broken(error, text), _EXPECTED, _remedy(error, text)) from None
    if _HALF_CHARACTER.search(text):
        _check_characters(name, node)
    return _object(name, node)


def _broken(error: json.JSONDecodeError, text: str) -> str:
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return f"a file that ends in the middle (line {error.lineno}, column {error.colno})"
    near = text[error.pos : error.pos + 20].split("\n", maxsplit=1)[0]
    return f"text that is not JSON at line {error.lineno}, column {error.colno} ({near!r})"


def _remedy(error: json.JSONDecodeError, text: str) -> str:
    return "Copy the whole file again." if error.pos >= len(text.rstrip()) else ""


def _object(name: str, node: Any) -> dict[str, Any]:
    if isinstance(node, dict):
        return node
    kind = {list: "a list", str: "a text", bool: "a yes or no", type(None): "null"}.get(type(node), "a number")
    raise InputError(name, f"{kind}", _EXPECTED)


def _check_characters(name: str, node: Any) -> None:
    for leaf in _leaves(node, name):
        if isinstance(leaf, str) and any("\ud800" <= c <= "\udfff" for c in leaf):
            raise InputError(name, f"half a character in {leaf.encode('utf-8', 'replace').decode()!r}", "UTF-8 text")


def _from_mapping(source: Mapping[str, Any]) -> dict[str, Any]:
    """The object, after every number in it was found finite and nothing nested too deeply; one level at a time."""
    level: list[Any] = [source]
    for _ in range(DEPTH_LIMIT + 1):
        below: list[Any] = []
        for node in level:
            for child in node.values() if type(node) is dict or isinstance(node, Mapping) else node:
                kind = type(child)
                if kind is str or kind is int or kind is bool or child is None:  # most of a record
                    continue
                if kind is dict or kind is list or isinstance(child, Mapping | list | tuple):
                    below.append(child)
                elif isinstance(child, float) and not math.isfinite(child):
                    raise InputError("bundle", str(child), "a number")
        if not below:
            return dict(source)
        level = below
    raise InputError("bundle", f"nesting deeper than {DEPTH_LIMIT} levels", "nesting as in a FHIR resource")


def _leaves(node: Any, name: str) -> Iterator[Any]:
    """Every text, number and key below a node, without recursion; `InputError` for nesting past the limit."""
    stack: list[tuple[Any, int]] = [(node, 0)]
    while stack:
        here, depth = stack.pop()
        if depth > DEPTH_LIMIT:
            raise InputError(name, f"nesting deeper than {DEPTH_LIMIT} levels", "nesting as in a FHIR resource")
        if here is None or isinstance(here, str | int | float):  # first: most nodes are leaves
            yield here
        elif isinstance(here, Mapping):
            yield from here
            stack += [(child, depth + 1) for child in here.values()]
        elif isinstance(here, list | tuple):
            stack += [(child, depth + 1) for child in here]
        else:
            yield here
