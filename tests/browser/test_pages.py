"""Each page's main task, done as a person does it."""

import re
import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def until(page, seen, seconds=60):
    """Waits until `seen(page)` is true; the policy forbids waiting inside the page."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if seen(page):
            return
        page.wait_for_timeout(100)
    pytest.fail("it did not happen in time")


def course_of(page, name="Ada Brandt"):
    """The page of a demo patient's course, from the board."""
    page.get_by_role("link", name=name).first.click()
    page.wait_for_url("**/courses/*")
    return page


def test_a_new_user_consults_on_an_example(visit, picture):
    """One click on an invented patient gives advice, order and forecast."""
    page = visit("/consult")
    page.get_by_role("button", name="Relapse that steroids did not stop").click()
    page.locator("#answer .banner").wait_for()
    assert "Offer exchange" in page.inner_text("#answer .banner")
    assert page.locator("#answer dl.order dd").count() > 10
    picture(page, "consult")


def test_the_short_form_decides_as_well(visit):
    """Sex, birth, onset, steroids and response are enough for an advice."""
    page = visit("/consult")
    page.fill("input[name=birth]", "1991-05-20")
    page.fill("input[name=onset]", "2026-02-02")
    page.fill("input[name=steroid_from]", "2026-02-09")
    page.fill("input[name=steroid_days]", "5")
    page.fill("input[name=edss_before]", "2.5")
    page.fill("input[name=edss_now]", "4.0")
    page.get_by_role("button", name="Consult").last.click()
    page.locator("#answer .banner").wait_for()
    assert page.inner_text("#answer .advice")


def test_moving_a_slider_redraws_the_fan(visit, picture):
    """The forecast follows the slider, and a held course stays beside it."""
    page = visit("/planner")
    page.locator("#chart-igg canvas").wait_for()
    page.get_by_role("button", name="Hold to compare").click()
    page.locator("input[name=count]").focus()
    before = page.inner_text("#said")
    page.keyboard.press("ArrowRight")
    until(page, lambda p: p.inner_text("#said") != before and p.locator(".compare th").all_inner_texts()[-1])
    until(page, lambda p: "Held A" in p.inner_text(".compare"))
    print("redrawn in ms:", page.evaluate("document.body.dataset.redrawMs"))
    page.wait_for_timeout(1500)
    picture(page, "planner")


def test_a_lab_moves_the_forecast(visit, picture):
    """A fibrinogen entered on the course page is drawn and the forecast says it learned."""
    page = course_of(visit("/board"))
    page.locator("#chart-igg canvas").wait_for()
    page.fill("#labs input[name=value]", "1.4")
    page.get_by_role("button", name="Keep the value").click()
    until(page, lambda p: "measured" in p.inner_text("#forecast-state"), 240)
    picture(page, "course")


def test_a_changed_weight_voids_the_signature(visit):
    """Written, signed, then another weight: the page says what changed."""
    page = course_of(visit("/board"), "Noor Haddad")
    page.get_by_role("button", name=re.compile("Write")).click()
    page.get_by_role("button", name=re.compile("Sign as")).click()
    assert "Signed" in page.inner_text("#order")
    page.select_option("#lab-kind", "weight")
    page.fill("#labs input[name=value]", "81")
    page.get_by_role("button", name="Keep the value").click()
    assert "Signature void" in page.inner_text("#order")


def test_a_run_sheet_moves_the_course_on(visit):
    """A session that ended early is shown beside the plan."""
    page = course_of(visit("/board"), "Emil Sandberg")
    page.get_by_text("Enter a run sheet").click()
    page.select_option("select[name=status]", "partial")
    page.fill("input[name=plasma_removed_ml]", "1200")
    page.fill("input[name=run_min]", "40")
    page.get_by_role("button", name="Keep the run sheet").click()
    assert "partial" in page.inner_text("#sessions")
    assert "repeat on the next working day" in page.inner_text("#sessions")


def test_a_trainee_runs_a_session(visit, picture):
    """The vein fails, the needle is repositioned, the debrief gives points."""
    page = visit("/trainer", role="trainee")
    page.select_option("select[name=scenario]", "needle")
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator("#desk").wait_for()
    page.select_option("#speed", "60")
    until(page, lambda p: float(p.evaluate("document.body.dataset.runMin || 0")) > 10, 120)
    page.get_by_role("button", name="Hold time").click()
    page.get_by_role("button", name="Reposition needle").click()
    picture(page, "trainer")
    page.get_by_role("button", name="Debrief").click()
    page.locator("#points", has_text="points").wait_for()


@pytest.mark.parametrize("path", ["/board", "/consult", "/planner", "/trainer", "/evidence", "/validation"])
def test_every_page_has_a_json_twin(visit, path):
    """The same content, for a program."""
    page = visit(path)
    answer = page.request.get(f"{path}.json")
    assert answer.ok
    assert answer.json()
