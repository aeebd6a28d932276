"""Every file of the kernel has its theory page, with figure, parameters and limits where it holds equations."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "theory"
WITH_FIGURE = (
    "benefit", "binding", "circulation", "citrate", "fluid", "harm", "march", "session", "turnover",
    "volumes-and-circuit",
)  # fmt: skip


def test_every_kernel_file_stands_in_the_table():
    """The overview names each file of the kernel once."""
    named = re.findall(r"(\w+\.py)", (PAGES / "index.md").read_text(encoding="utf-8").split("Above the kernel")[0])
    files = {file.name for file in (ROOT / "src/opentpe/kernel").glob("*.py")} - {"__init__.py"}
    assert files - set(named) == set()
    assert set(named) - files == set()


@pytest.mark.parametrize("page", WITH_FIGURE)
def test_a_page_has_a_figure_that_exists(page):
    """Drawn by a script of the repository, as SVG."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    (figure, *_) = re.findall(r"\]\(\.\./figures/([\w-]+\.svg)\)", text)
    assert (ROOT / "docs" / "figures" / figure).is_file()
    drawn = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs" / "figures").glob("*.py"))
    assert figure.removesuffix(".svg") in drawn


@pytest.mark.parametrize(
    "page", ["binding", "circulation", "citrate", "fluid", "march", "session", "volumes-and-circuit"]
)
def test_a_page_says_where_it_ends(page):
    """Limits stand under their own heading."""
    assert re.search(
        r"^## (Limits|What it cannot do)", (PAGES / f"{page}.md").read_text(encoding="utf-8"), re.MULTILINE
    )
