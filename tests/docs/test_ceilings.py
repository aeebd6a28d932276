"""The house rules that a tool can hold: lengths, words that must not appear, exported names."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for p in (ROOT / "src").rglob("*.py") if "migrations/versions" not in p.as_posix())


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_no_file_is_longer_than_400_lines_and_no_function_than_60(path):
    """A reader holds a file of 400 lines and a function of 60 in the head, not more."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno <= 60, f"{node.name} at line {node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_every_module_says_what_room_it_is(path):
    """Each module opens with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def _tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    ).stdout.split("\n")
    return [ROOT / n for n in names if n]


def test_nothing_is_left_to_do_and_no_machine_is_named():
    """No to-do marks, no paths of a developer's machine, no registry hosts in any tracked text."""
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|NotImplemented" r"Error)\b")
    places = re.compile(
        r"(?<![\w.])/(wo" r"rk|home/\w+|root)/|files\.python" r"hosted|registry\.npm" r"js|pypi\.or" r"g/simple"
    )
    suffixes = {".py", ".md", ".toml", ".html", ".css", ".lock", ".txt", ".yml", ".json", ""}
    for path in _tracked():
        if path.suffix in suffixes and path.is_file() and "static/vendor" not in path.as_posix():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not places.search(text), path
            if path.suffix == ".py" and "src" in path.parts:
                assert not marks.search(text), path
