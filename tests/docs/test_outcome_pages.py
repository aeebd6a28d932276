"""The examples on the benefit, harm and EDSS pages run as printed."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[2] / "docs" / "theory"


@pytest.mark.parametrize("page", ["benefit", "harm", "edss"])
def test_the_example_of_the_page_runs(page):
    """Each Python block executes; its assertions hold."""
    blocks = re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", ["benefit", "harm"])
def test_the_figure_of_the_page_is_there(page):
    """The page shows a figure that is in the repository."""
    names = re.findall(r"\]\(\.\./figures/([\w.]+)\)", (PAGES / f"{page}.md").read_text(encoding="utf-8"))
    assert names
    assert all((PAGES.parent / "figures" / name).is_file() for name in names)
