"""Every sentence of fit, plan and trial is written, and the pages hold their figures without the command line."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from opentpe.domain.consultation import Band, Line
from opentpe.domain.learning import ArmResult, Contrast, Estimated, Influence, TrialSummary
from opentpe.report import learning, learning_text, plots, sentences
from opentpe.simulation import choice, endpoints, population, verify

ENGLISH = sentences.load("en")
SIMULATION = Path(learning.__file__).parents[1] / "simulation"
FILES = ("labs", "judge", "rank", "summary")


def test_every_line_of_fit_plan_and_trial_has_its_sentence():
    """A code that logic can say is a code that a person can read."""
    codes = set()
    for name in FILES:
        text = (SIMULATION / f"{name}.py").read_text(encoding="utf-8")
        codes |= set(re.findall(r'(?:Line|choice\.line)\(\s*"([a-z_0-9]+)"', text))
        codes |= set(re.findall(r'\("(lab_[a-z_]+)", ', text))
    codes |= {f"plan_best_{goal}" for goal in choice.GOALS}
    assert len(codes) > 20
    assert sorted(c for c in codes if not ENGLISH.has(c)) == []


def test_every_limit_endpoint_and_population_has_a_name(library):
    """Tables never show a key of the program."""
    wanted = [f"limit_name.{n}" for n in choice.LIMITS] + [f"endpoint.{n}" for n in endpoints.ENDPOINTS]
    wanted += [f"population.{n}" for n in population.names(library)] + [f"screened_name.{n}" for n in verify.SCREENED]
    assert [w for w in wanted if not ENGLISH.has(w)] == []


@pytest.fixture
def trial():
    one = Estimated(0.4, 0.3, 0.5)
    result = ArmResult("a", "igg_fall_percent", "%", 10, one, 1.0, 0.1, 0.4, 0.9)
    contrast = Contrast("b", "a", "igg_fall_percent", "%", one, 40, ((50, 0.8),))
    return TrialSummary(
        "t", "ms_relapse", 10, (("a", "x"), ("b", "y")), (result, ArmResult("b", *result_rest(result))), (contrast,),
        (Influence("igg_fall_percent", "plasma_volume", one, one),), 100.0, "0" * 64, (Line("trial_common_numbers"),),
    )  # fmt: skip


def result_rest(r):
    return (r.endpoint, r.unit, r.patients_count, r.mean, r.sd, r.p05, r.median, r.p95)


def test_a_trial_page_holds_forest_bars_and_tables(trial, library):
    """Contrast and influence are drawn, each for a page and for a phone; the size of a real trial is told."""
    page = learning.html(learning.trial_view(trial, library))
    assert page.count("<svg") == 4
    names = re.findall(r'<title id="([^"]+)"', page)
    assert len(set(names)) == 4
    assert ">40<" in page
    assert "Not a medical device" in page


def test_a_plot_without_variables_has_fixed_ink(trial, library):
    """For PDF every variable is replaced by ink on white."""
    page = learning.html(learning.trial_view(trial, library), fixed=True)
    drawings = "".join(re.findall(r"<svg.*?</svg>", page))
    assert "var(--igg)" not in drawings


def test_a_single_point_can_be_drawn():
    """No room between lowest and highest still gives axes."""
    band = Band(1, 1, 1, 1, 1, "g/L")
    row = plots.Row("one", (plots.Interval(band.p05, band.median, band.p95, "accent"),))
    assert "<circle" in plots.intervals("k", "t", "d", [row], "g/L")
    assert "<circle" in plots.scatter("k", "t", "d", [plots.Scatter("s", "g/L", (plots.Point(1, 1),))], "days")


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_a_terminal_shows_every_cell(trial, library, width):
    """No line is wider than the terminal, and the last column of the widest table is whole."""
    powers = tuple((n, 0.123 + n / 1000) for n in (50, 100, 200, 400))
    view = learning.trial_view(replace(trial, contrasts=(replace(trial.contrasts[0], power_at=powers),)), library)
    console = Console(width=width, record=True, file=io.StringIO())
    learning_text.print_view(view, console)
    said = console.export_text()
    assert max(map(len, said.splitlines())) <= width
    assert all(f"{100 * p:.0f} %" in said for _, p in powers)


def test_the_parameters_that_matter_are_written_too(trial, library):
    """The shares of the variance stand in a table, in the terminal as on the page."""
    part = learning.trial_view(trial, library).parts[-1]
    assert part.table.rows == (("Plasma volume", "40 (30 to 50)", "40 (30 to 50)"),)


def test_a_drawing_for_a_phone_keeps_inside_it():
    """Labels stand above their bars, nothing lies beyond 358, and the caption is broken into lines."""
    rows = [
        plots.Row("a", (plots.Interval(1, 2, 3, "accent"),), "note"),
        plots.Row("", (plots.Interval(2, 3, 9, "ink"),)),
    ]
    panels = [plots.Scatter("s", "g/L", (plots.Point(1, 1), plots.Point(9, 2, chosen=True)))] * 2
    for svg in (
        plots.intervals("k", "t", "d", rows, "long words " * 12, narrow=True),
        plots.bars("k", "t", "d", [("a", 0.3, 0.5)], "long words " * 12, narrow=True),
        plots.scatter("k", "t", "d", panels, "long words " * 12, narrow=True),
    ):
        assert 'viewBox="0 0 358 ' in svg
        assert all(float(v) <= 358 for v in re.findall(r'\b(?:x|cx|x2)="(-?[\d.]+)"', svg))
        assert svg.count("long words") == 12
        assert max(len(t) for t in re.findall(r">([^<]*long words[^<]*)<", svg)) <= 58
