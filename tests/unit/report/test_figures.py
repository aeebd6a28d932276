"""Figures: the same bytes for the same data, limits and sessions drawn in, words for those who cannot see."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from opentpe.report import build, figures
from opentpe.report.view import Measured


@pytest.fixture(scope="module")
def course(consultation, library):
    return build.view(consultation, library).forecast.course_figure


def test_the_same_figure_gives_the_same_bytes(course):
    """No date, no counter, no chance."""
    assert figures.svg(course) == figures.svg(course)


@pytest.mark.parametrize("narrow", [False, True])
def test_a_figure_is_well_formed_and_describes_itself(course, narrow):
    """Title and description are there for a screen reader."""
    root = ET.fromstring(figures.svg(course, narrow=narrow))
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text == "The course"
    assert "IgG: 9.5 g/L at the start" in root.find(f"{space}desc").text


def test_sessions_limits_units_and_day_zero_are_named(course):
    """All that a reader needs stands in the drawing."""
    texts = re.findall(r">([^<>]+)</text>", figures.svg(course))
    assert {"1", "2", "3", "4", "5", "1.0 albumin alone", "IgG, g/L"} <= set(texts)
    assert any("day 0 is Fri 20 Feb" in t for t in texts)


def test_a_measured_value_is_a_ringed_dot(course):
    """A laboratory value shows beside the forecast."""
    panel = replace(course.panels[0], measured=(Measured(4320, 5.4, 5.1, 5.7),))
    assert "<circle" in figures.svg(replace(course, panels=(panel,)))
    assert "<circle" not in figures.svg(course)


def test_an_amount_starts_at_nought(course):
    """IgG is drawn from zero, whatever its range."""
    frame = figures._frames(course, narrow=False)[0][0]
    assert frame.y_from == 0


def test_thinning_keeps_every_turn(course):
    """The lowest value before and after thinning is the same."""
    series = course.panels[0].series
    thin = figures.thinned(series, 60_000)
    assert len(thin.median) < 400
    assert min(thin.median) == min(v for t, v in zip(series.time_min, series.median, strict=True) if t <= 60_000)


def test_without_variables_no_variable_is_left(course):
    """A PDF or a loose file needs fixed ink."""
    assert "var(" not in figures.svg(course, variables=False)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 10.4, [0, 5, 10]), (0.88, 1.26, [0.9, 1.0, 1.1, 1.2]), (0, 28, [0, 10, 20])]
)
def test_ticks_are_round(low, high, expected):
    """Steps of 1, 2, 2.5 or 5."""
    assert figures.ticks(low, high, 4) == pytest.approx(expected)
