"""Every page by axe in both themes, and on a phone without sideways scrolling."""

import pytest

from .conftest import AXE

pytestmark = pytest.mark.browser
PATHS = ("/board", "/patients", "/consult", "/planner", "/trainer", "/evidence?q=igg", "/validation")


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
    """The course with its forms and forecast, its run sheet, its planner, and its patient."""
    page = visit("/board", theme=theme)
    page.get_by_role("link", name="Ada Brandt").first.click()
    page.wait_for_url("**/courses/*")
    course = page.url
    patient = page.request.get(f"{course}.json").json()["patient"]["id"]
    for address in (
        course,
        f"{course}/run-sheet",
        f"/planner?course={course.rsplit('/', 1)[1]}",
        f"/patients/{patient}",
    ):
        page.goto(address)
        page.wait_for_timeout(300)
        assert violations(page) == [], address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_a_running_trainer(visit, theme):
    """Circuit, strips, alarms and debrief as they move."""
    page = visit("/trainer", role="trainee", theme=theme)
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator("#desk").wait_for()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Debrief").click()
    page.locator("#points").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way_in_and_in_a_refusal(visit, theme):
    """The sign-in form, and the page that says no."""
    page = visit("/board", role="trainee", theme=theme, wrong=("403",))
    assert violations(page) == []
    page.context.clear_cookies()
    page.goto("/sign-in")
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


def test_a_phone_shows_a_course_without_sideways_scrolling(visit):
    """Forms, tables and charts of a course and its run sheet fit 390 px."""
    page = visit("/board", width=390)
    page.get_by_role("link", name="Ada Brandt").first.click()
    page.wait_for_url("**/courses/*")
    for address in (page.url, f"{page.url}/run-sheet"):
        page.goto(address)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


@pytest.mark.parametrize("path", ["/consult", "/planner", "/trainer", "/board"])
def test_every_control_is_reached_by_keyboard_with_visible_focus(visit, path):
    """Tab visits each control once around, and each shows where it is."""
    page = visit(path)
    page.wait_for_timeout(300)
    script = "[...document.querySelectorAll('a[href],button,input,select,textarea,summary')]"
    wanted = page.evaluate(f"{script}.filter(e => e.checkVisibility() && !e.disabled && e.tabIndex >= 0).length")
    seen = set()
    for _ in range(2 * wanted + 40):  # a date takes a step for each of its parts
        if len(seen) == wanted:
            break
        page.keyboard.press("Tab")
        told = page.evaluate(
            "() => { const e = document.activeElement; if (e === document.body) return null;"
            " e.dataset.n ??= Math.random(); return [e.dataset.n, getComputedStyle(e).outlineStyle]; }"
        )
        if told:
            seen.add(told[0])
            assert told[1] != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
    assert len(seen) == wanted
