"""The page: self-contained, in the order of the look document, safe against what a record may hold."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from opentpe.domain.consultation import Consultation
from opentpe.domain.decision import Advice, Decision
from opentpe.report import build, render, terminal


@pytest.fixture(scope="module")
def view(consultation, library):
    return build.view(consultation, library)


@pytest.fixture(scope="module")
def page(view):
    return render.html(view)


def test_the_page_needs_nothing_else(page):
    """It works offline: no address is fetched."""
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "@import" not in page
    assert "url(" not in page


def test_the_parts_stand_in_the_order_of_a_report(page):
    """Banner, order, forecast, harm, checks, options, benefit, how we know."""
    places = [
        page.index(f'id="{part}"')
        for part in ("order", "forecast", "harm", "checks", "options", "benefit", "knowledge")
    ]
    assert places == sorted(places)
    assert page.index("Offer exchange") < places[0]


def test_the_page_says_what_it_is_not(page):
    """Not a medical device, with version and library."""
    assert "not a medical device" in page
    assert "3f2a9c0d3f2a" in page


def test_ids_are_unique(page):
    """Two figures never share a name."""
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_name_with_markup_is_shown_and_not_run(consultation, library):
    """A record is text, never code."""
    patient = replace(consultation.patient, name="<script>alert(1)</script>")
    page = render.html(build.view(replace(consultation, patient=patient), library))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_refusal_is_a_page_without_order_and_forecast(consultation, library):
    """The parts that do not apply are left out, the rest stands."""
    bare = Consultation(
        consultation.on, consultation.patient, None, Decision(Advice.CANNOT_DECIDE, consultation.on, ()), ()
    )
    page = render.html(build.view(bare, library))
    assert 'id="order"' not in page
    assert 'id="knowledge"' in page


def test_terminal_and_page_show_the_same_numbers(view, page):
    """Every number of the order and of the harms stands in both."""
    console = Console(width=400, record=True, file=io.StringIO())
    terminal.print_consultation(view, console)
    told = console.export_text()
    for text in (
        view.banner.text,
        *(line.text for line in view.order.lines),
        *(h.per_course for g in view.harms for h in g.rows),
    ):
        assert text in told
        assert text.split(" (")[0] in page


def test_the_terminal_stays_within_its_width(view):
    """A ward's terminal has 80 columns."""
    console = Console(width=80, record=True, file=io.StringIO())
    terminal.print_consultation(view, console)
    assert max(len(line) for line in console.export_text().splitlines()) <= 80


@pytest.mark.slow
def test_the_report_becomes_a_pdf_where_the_extra_is_installed(view):
    """WeasyPrint lays out the same page."""
    pytest.importorskip("weasyprint")
    assert render.pdf(view).startswith(b"%PDF")
