"""The Python examples of README and docs run as they stand."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
PAGES = [p for p in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if _BLOCK.search(p.read_text("utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page, monkeypatch, capsys):
    """Copied and pasted in the folder of the repository, each example does what its page says."""
    monkeypatch.chdir(ROOT)
    held: dict = {}
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        exec(compile(block, page.name, "exec"), held)  # noqa: S102 - our own pages
    capsys.readouterr()
