"""One spelling of a JSON value, so that the same content always has the same digest."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

DEEPEST: Final = 64


def canonical(value: Any) -> str:
    """The value as JSON text with sorted keys and no spaces; ValueError for what no database can keep."""
    if not depth(value, DEEPEST):
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    text.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    if "\\u0000" in text:
        raise ValueError("the text holds a NUL character; remove it")
    return text


def digest(value: Any) -> str:
    """SHA-256 of the canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def instant(at: datetime) -> str:
    """A moment as UTC text that sorts in time order; ValueError where the time zone is missing."""
    if at.tzinfo is None:
        raise ValueError("a time of the records needs its time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """The inverse of `instant`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def depth(value: object, most: int) -> bool:
    """True where no list or object in the value is nested deeper than `most`."""
    level: list[object] = [value]
    for _ in range(most):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


def text(value: str) -> str:
    """The text itself; ValueError for what no database can keep."""
    canonical(value)
    return value
