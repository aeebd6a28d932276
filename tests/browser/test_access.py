"""Every page by axe in both themes, and on a phone without sideways scrolling."""

import pytest

from .conftest import AXE

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATHS = ("/board", "/consult", "/planner", "/trainer", "/evidence?q=igg", "/validation")


def violations(page):
    """What axe finds of WCAG 2.2 AA, one line each; the script is evaluated by the test, not by the page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", tags)
    return [f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0]['failureSummary']}" for v in found["violations"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(visit, path, theme):
    """WCAG 2.2 AA holds on the page as it stands."""
    page = visit(path, theme=theme)
    page.wait_for_timeout(500)
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_course(visit, theme):
    """The course page, with its forms and its forecast."""
    page = visit("/board", theme=theme)
    page.get_by_role("link", name="Ada Brandt").first.click()
    page.locator("#labs").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_an_answer(visit, theme):
    """The consultation as it is swapped into the page."""
    page = visit("/consult", theme=theme)
    page.get_by_role("button", name="Relapse that steroids did not stop").click()
    page.locator("#answer .banner").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_phone_needs_no_sideways_scrolling(visit, path):
    """At 390 px the page is as wide as the screen."""
    page = visit(path, width=390)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
