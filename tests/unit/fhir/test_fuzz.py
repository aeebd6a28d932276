"""Any damaged bundle either reads or is refused with one message; nothing else ever comes out."""

import copy
import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.fhir.read import Reading, read

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "examples").glob("*.json"))
ON = date(2026, 4, 20)
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(min_value=10**30, max_value=10**400), st.floats(),
    st.sampled_from(["", " ", "G35", "2026-02-30", "9999-12-31", "0001", "2026", "-1e9", "1,5", "\x00", "#", "#a",
                     "Patient/x", "urn:uuid:", "active", "final", "NaN", "%", "mg", "http://loinc.org", "?", "|"]),
    st.text(max_size=12),
    st.lists(st.integers() | st.text(max_size=3) | st.none(), max_size=3),
    st.dictionaries(st.sampled_from(["coding", "value", "unit", "code", "text", "reference", "start", "repeat"]),
                    st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=2), max_size=3),
)  # fmt: skip


@cache
def bundle(i: int) -> Any:
    return json.loads(EXAMPLES[i].read_text(encoding="utf-8"))


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a node."""
    found: list[tuple[Any, Any]] = []
    stack = [node]
    while stack:
        here = stack.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        for key in keys:
            found.append((here, key))
            stack.append(here[key])
    return found


def reads_or_refuses(library: Library, source: Any, on: date = ON) -> None:
    try:
        found: Reading | InputError = read(source, on, library)
    except InputError as error:
        found = error
    if isinstance(found, InputError):
        assert all((found.where, found.found, found.expected))
    else:
        assert all(o.when.first_day <= on for o in found.patient.observations)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_example_reads_or_is_refused(library: Library, data: Any) -> None:
    """Values replaced, removed, doubled and moved at random: a reading or one message, no other fault."""
    broken = copy.deepcopy(bundle(data.draw(st.integers(0, len(EXAMPLES) - 1))))
    for _ in range(data.draw(st.integers(1, 6))):
        spots = places(broken)
        where, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        match data.draw(st.sampled_from(["replace", "remove", "move", "wrap"])):
            case "replace":
                where[key] = data.draw(JUNK)
            case "remove":
                del where[key]
            case "move":
                other, name = spots[data.draw(st.integers(0, len(spots) - 1))]
                where[key] = copy.deepcopy(other[name]) if name in other or isinstance(other, list) else None
            case "wrap":
                where[key] = [where[key]]
        if not isinstance(broken, dict) or not places(broken):
            break
    reads_or_refuses(library, broken)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_reads_or_is_refused(library: Library, tmp_path: Path, data: Any) -> None:
    """Bytes cut off, changed, doubled or inserted: a reading or one message."""
    raw = bytearray(EXAMPLES[data.draw(st.integers(0, len(EXAMPLES) - 1))].read_bytes())
    spot = data.draw(st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(["cut", "change", "insert", "double"])):
        case "cut":
            del raw[spot:]
        case "change":
            raw[spot] = data.draw(st.integers(0, 255))
        case "insert":
            raw[spot:spot] = data.draw(st.binary(min_size=1, max_size=8))
        case "double":
            raw[spot:spot] = raw[spot : spot + 200]
    file = tmp_path / "damaged.json"
    file.write_bytes(raw)
    reads_or_refuses(library, file)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(on=st.dates())
def test_any_day_of_consultation_is_a_day(library: Library, on: date) -> None:
    """The same record on any day from the year 1 to 9999 reads or is refused."""
    reads_or_refuses(library, bundle(on.toordinal() % len(EXAMPLES)), on)
