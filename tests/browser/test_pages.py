"""Each page's main task, done as a person does it."""

import re
import time
from pathlib import Path
from statistics import median

import pytest

pytestmark = pytest.mark.browser
EXAMPLES = Path(__file__).parents[2] / "examples"


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


def test_a_dropped_bundle_is_read_on_the_day_that_was_chosen(visit):
    """The file stays in the browser until Consult is pressed; the advice is that of the example."""
    page = visit("/consult")
    page.set_input_files("#bundle-file", EXAMPLES / "scenario-a.json")
    page.get_by_text("scenario-a.json is read").wait_for()
    page.get_by_role("button", name="Consult").first.click()
    page.locator("#answer .banner").wait_for()
    assert "Offer exchange" in page.inner_text("#answer .banner")


def test_units_change_at_a_click(visit):
    """From g/L to mg/dL in the chart and in the table, and back."""
    page = visit("/planner")
    page.locator("#chart-igg canvas").wait_for()
    page.get_by_role("button", name="Units: g/L").click()
    page.get_by_role("heading", name="IgG, mg/dL").wait_for()
    assert "mg/dL" in page.inner_text(".compare")
    page.get_by_role("button", name="Units: mg/dL").click()
    page.get_by_role("heading", name="IgG, g/L").wait_for()


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
    page.wait_for_timeout(1500)
    picture(page, "planner")


def test_the_fan_follows_a_moving_slider(visit, capsys):
    """Twenty moves: the median redraw, request and drawing included, is told; it stays below half a second anywhere."""
    page = visit("/planner")
    page.locator("#chart-igg canvas").wait_for()
    page.locator("input[name=dose]").focus()
    took, served = [], []
    for n in range(20):
        page.evaluate("delete document.body.dataset.redrawMs")
        page.keyboard.press("ArrowRight" if n % 2 else "ArrowLeft")
        until(page, lambda p: p.evaluate("document.body.dataset.redrawMs"))
        took.append(float(page.evaluate("document.body.dataset.redrawMs")))
        served.append(float(page.evaluate("document.body.dataset.serverMs")))
    with capsys.disabled():
        print(f"\n  a slider redraws in {median(took):.0f} ms, {median(served):.0f} of them on the server (aim 100)")
    assert median(took) < 500


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
    until(page, lambda p: "Signature void" in p.inner_text("#order"))


def test_a_run_sheet_moves_the_course_on(visit):
    """A session that ended early is shown beside the plan."""
    page = course_of(visit("/board"), "Emil Sandberg")
    page.get_by_text("Enter a run sheet").click()
    page.select_option("select[name=status]", "partial")
    page.fill("input[name=plasma_removed_ml]", "1200")
    page.fill("input[name=run_min]", "40")
    page.get_by_role("button", name="Keep the run sheet").click()
    until(page, lambda p: "partial" in p.inner_text("#sessions tbody"))
    assert "repeat on the next working day" in page.inner_text("#sessions")


def test_a_value_that_does_not_fit_is_told_beside_its_field(visit):
    """A fibrinogen of 300 g/L: the message stands at the number, and what was typed is still there."""
    page = course_of(visit("/board", wrong=("422",)))
    page.fill("#labs input[name=value]", "300")
    page.get_by_role("button", name="Keep the value").click()
    page.locator("#labs .wrong").wait_for()
    assert page.input_value("#labs input[name=value]") == "300"


def test_two_people_editing_meet_a_conflict_and_not_a_lost_change(visit):
    """Both opened the sheet; the slower one sees both sides."""
    slow, quick = course_of(visit("/board", wrong=("409",)), "Noor Haddad"), course_of(visit("/board"), "Noor Haddad")
    for page, volume in ((quick, "2400"), (slow, "2100")):
        page.get_by_text("Enter a run sheet").click()
        page.fill("input[name=plasma_removed_ml]", volume)
        page.get_by_role("button", name="Keep the run sheet").click()
        page.wait_for_timeout(700)
    slow.get_by_role("heading", name="somebody was first").wait_for()
    assert "2400" in slow.inner_text("main")
    assert "2100" in slow.inner_text("main")


def test_a_setting_is_changed_on_the_board(visit, picture):
    """Another opening day, with who and why."""
    page = visit("/board")
    row = page.locator("#settings tr", has_text="Opening days")
    row.locator("summary").click()
    row.get_by_label("Sat").check()
    row.get_by_label("Why").fill("weekend service begins")
    row.get_by_role("button", name="Keep").click()
    page.get_by_text("weekend service begins").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    picture(page, "board")


def test_the_run_sheet_prints_and_is_filled_in(visit, picture):
    """Blank but for what the records know; then kept with a volume."""
    page = course_of(visit("/board"), "Emil Sandberg")
    page.get_by_role("link", name="Run sheet", exact=True).click()
    page.get_by_role("heading", name="Run log").wait_for()
    page.emulate_media(media="print")
    picture(page, "run-sheet", whole=True)
    page.emulate_media(media="screen")
    page.get_by_label("How it went").select_option("performed")
    page.get_by_label("Plasma removed, mL").fill("2450")
    page.get_by_role("button", name="Keep the run sheet").click()
    until(page, lambda p: p.input_value("input[name=version]") != "0")
    assert page.get_by_label("Plasma removed, mL").input_value() == "2450"


def test_a_number_is_looked_up_in_the_evidence(visit, picture):
    """Escape of IgG: its value, its rivals, where it is used."""
    page = visit("/evidence?q=igg+escape")
    page.locator("details.value summary").first.click()
    assert "Rivals" in page.inner_text("details.value[open]")
    picture(page, "evidence")


def test_the_leaflet_prints_in_three_languages(visit):
    """From the course's papers."""
    page = course_of(visit("/board"))
    for language, word in (("en", "plasma"), ("de", "Plasma"), ("es", "plasma")):
        answer = page.request.get(f"{page.url}/papers/leaflet.{language}")
        assert answer.ok
        assert word in answer.text()


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
    page.evaluate("scrollTo(0, 0)")
    picture(page, "trainer")
    page.get_by_role("button", name="Debrief").click()
    page.locator("#points", has_text="points").wait_for()


@pytest.mark.parametrize(
    "path", ["/board", "/patients", "/consult", "/planner", "/trainer", "/evidence", "/validation"]
)
def test_every_page_has_a_json_twin(visit, path):
    """The same content, for a program."""
    page = visit(path)
    answer = page.request.get(f"{path}.json")
    assert answer.ok
    assert answer.json()
