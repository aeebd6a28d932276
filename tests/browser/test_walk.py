"""A new user's first hour without a manual: consult, plan, sign, rehearse, record, enter a lab, see a forecast move."""

import pytest

from .test_pages import until

pytestmark = pytest.mark.browser


def test_from_a_consultation_to_a_forecast_that_learned(visit, picture):
    """Each step is found on the page before it; nothing is typed into an address."""
    page = visit("/board")
    page.get_by_role("link", name="New consultation").click()
    page.get_by_role("button", name="Relapse that steroids did not stop").click()
    page.locator("#answer .banner").wait_for()
    picture(page, "walk-1-consult")
    page.get_by_role("button", name="Keep patient and plan this course").click()
    page.wait_for_url("**/courses/*")
    course = page.url
    _plan(page, picture)
    _sign(page, picture)
    _rehearse(page, picture)
    _record(page, course)
    _lab(page, picture)


def _plan(page, picture):
    page.get_by_role("link", name="Plan anew").click()
    page.locator("#chart-igg canvas").wait_for()
    page.locator("input[name=count]").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda p: p.input_value("#plan-words").startswith("6 x"))
    picture(page, "walk-2-plan")
    page.get_by_label("Why", exact=True).fill("one session more")
    page.get_by_role("button", name="Save as the plan").click()
    page.wait_for_url("**/courses/*")
    assert "6 x" in page.inner_text("main")


def _sign(page, picture):
    page.get_by_role("button", name="Write the order of today").click()
    page.get_by_role("button", name="Sign as").click()
    assert "Signed" in page.inner_text("#order")
    page.locator("#chart-fibrinogen canvas").wait_for()
    picture(page, "walk-3-sign")


def _rehearse(page, picture):
    page.get_by_role("link", name="Rehearse session 1").click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator("#desk").wait_for()
    page.select_option("#speed", "120")
    until(page, lambda p: float(p.evaluate("document.body.dataset.runMin || 0")) > 12, 120)
    picture(page, "walk-4-rehearse")
    page.get_by_role("button", name="Hold time").click()
    # The rest of the run by the page's own steps, ten minutes each, so that the test need not wait for the clock.
    page.evaluate("async () => { for (let i = 0; i < 30 && !now.ended; i++) await step(600); }")
    page.get_by_role("button", name="Debrief").click()
    page.locator("#points", has_text="points").wait_for()
    picture(page, "walk-5-debrief")


def _record(page, course):
    page.get_by_role("button", name="Put it into the run sheet").click()
    page.wait_for_url("**/courses/*")
    assert float(page.input_value("#sheet-form input[name=plasma_removed_ml]")) > 2000
    page.get_by_role("button", name="Keep the run sheet").click()
    until(page, lambda p: "performed" in p.inner_text("#sessions tbody"))
    assert page.url.startswith(course)


def _lab(page, picture):
    page.fill("#labs input[name=value]", "1.5")
    page.get_by_role("button", name="Keep the value").click()
    until(page, lambda p: "measured" in p.inner_text("#forecast-state"), 120)
    page.evaluate("document.querySelector('#forecast').scrollIntoView()")
    picture(page, "walk-6-forecast")
