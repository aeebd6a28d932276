"""Unusable files end in one message that says what was found and what was expected."""

import json
from pathlib import Path
from typing import Any

import pytest

from opentpe.errors import InputError
from opentpe.fhir import source


def refused(path: Path, **more: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        source.load(path, **more)
    assert caught.value.where
    assert caught.value.found
    assert caught.value.expected
    return caught.value


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"  \n\t ", "an empty file"),
        (b"MSH|^~\\&|LAB", "not JSON"),
        (b"<Bundle/>", "not JSON"),
        (b'{"resourceType": "Bundle", "entry": [{"resou', "ends in the middle"),
        (b'{"resourceType": "Bundle", "entry": [{"a": 1}', "ends in the middle"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "number 1e999"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number 999"),
        (b"[1, 2]", "a list"),
        (b'"text"', "a text"),
        (b"null", "null"),
        (b'{"a": "\xe4"}', "byte 0xe4"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b'{"a": ' * 500 + b"1" + b"}" * 500, "nesting deeper"),
        (b"[" * 100_000, "nesting deeper"),
    ],
)
def test_unusable_content_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    """Every kind of broken file is named for what it is."""
    file = tmp_path / "bundle.json"
    file.write_bytes(content)
    assert found in refused(file).found


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    """A folder is called a folder, a missing file is called missing."""
    assert refused(tmp_path).found == "a folder"
    assert refused(tmp_path / "nowhere.json").found == "no such file"


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A 200 MB file is refused by its size; the limit is an argument."""
    file = tmp_path / "big.json"
    with file.open("wb") as out:
        out.truncate(200_000_000)
    assert refused(file).found == "200 MB"
    small = tmp_path / "small.json"
    small.write_text('{"a": "0123456789"}')
    assert refused(small, size_limit_bytes=10).expected.startswith("at most")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """UTF-8 with a byte order mark reads like UTF-8 without one."""
    file = tmp_path / "bom.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"name": "Ångström"}, ensure_ascii=False).encode())
    assert source.load(file)[1] == {"name": "Ångström"}


def test_brackets_inside_text_are_no_nesting(tmp_path: Path) -> None:
    """Brackets and escaped quotes in a text do not count as depth."""
    file = tmp_path / "text.json"
    file.write_text(json.dumps({"a": '[{"' * 1000 + "\\"}))
    assert source.load(file)[0] == "text.json"


def test_a_mapping_is_held_to_the_same_limits() -> None:
    """A dict that nests without end or holds NaN is refused like a file."""
    deep: dict[str, Any] = {}
    node = deep
    for _ in range(5000):
        node["a"] = node = {}
    for broken in (deep, {"a": float("nan")}):
        with pytest.raises(InputError):
            source.load(broken)
