"""How numbers are written."""

from datetime import date

import pytest

from opentpe.domain.consultation import Band
from opentpe.report import frequency, sentences
from opentpe.report import words_of_numbers as words

EN, DE, ES = (sentences.load(language).numbers for language in ("en", "de", "es"))


def band(median: float, low: float, high: float, unit: str = "1") -> Band:
    return Band(median, low, (low + median) / 2, (high + median) / 2, high, unit)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2560.4, "mL", "2560 mL"),
        (3.14, "L", "3.1 L"),
        (0.853, "g/L", "0.85 g/L"),
        (42.4, "g/L", "42 g/L"),
        (88.2, "mm[Hg]", "88 mmHg"),
    ],
)
def test_an_amount_has_the_digits_of_the_bedside_and_its_unit(value, unit, text):
    """Millilitres whole, litres with one decimal, a fibrinogen below 1 with two."""
    assert words.amount(value, unit, EN).replace(words.NARROW, " ") == text


def test_a_band_is_median_and_range_with_to():
    """A reader sees "1.5 g/L (1.1 to 2.0)"."""
    assert words.band(band(1.5, 1.1, 2.0, "g/L"), EN).replace(words.NARROW, " ") == "1.5 g/L (1.1 to 2.0)"


def test_a_certain_value_shows_no_band():
    """A number without spread is written alone."""
    assert words.band(band(2500, 2500, 2500, "mL"), EN).replace(words.NARROW, " ") == "2500 mL"


def test_a_share_is_per_cent_with_range():
    """The look document asks for "62 % (55 to 68)"."""
    assert words.percent(band(0.62, 0.55, 0.68), EN).replace(words.NARROW, " ") == "62 % (55 to 68)"


def test_a_negative_number_has_a_true_minus_and_nought_has_none():
    """-0.04 rounds to 0.0, not to -0.0."""
    assert (words.fixed(-3.2, 1, EN), words.fixed(-0.04, 1, EN)) == ("−3.2", "0.0")


def test_german_and_spanish_write_a_decimal_comma():
    """The decimal mark belongs to the language."""
    assert (words.fixed(2.5, 1, DE), words.fixed(2.5, 1, ES)) == ("2,5", "2,5")


def test_dates_in_three_languages():
    """Long dates name day, month and year in the order of the language."""
    on = date(2026, 2, 20)
    assert words.long_date(on, EN) == "20 February 2026"
    assert words.long_date(on, DE) == "20. Februar 2026"
    assert words.long_date(on, ES) == "20 de febrero de 2026"
    assert words.day(on, EN) == "Fri 20 Feb"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (band(0.08, 0.02, 0.25), "8 of 100 (2 to 25)"),
        (band(0.224, 0.077, 0.483), "22 of 100 (7 to 49)"),
        (band(0.017, 0.004, 0.07), "2 of 100 (fewer than 1 to 7)"),
        (band(0.0005, 0.00004, 0.006), "fewer than 1 of 1000 (up to 6)"),
        (band(0.00012, 0.00002, 0.0008), "1 of 10\u202f000 (fewer than 1 to 8)"),
    ],
)
def test_a_probability_is_people_out_of_a_group(share, text):
    """One denominator a row, the median with its range, never a nought, lower limit down and upper limit up."""
    assert frequency.written(share, sentences.load("en")) == text


def test_a_comparison_keeps_one_denominator():
    """Two options are told out of the same 1000."""
    assert frequency.written(band(0.08, 0.02, 0.25), sentences.load("en"), of=1000) == "80 of 1000 (20 to 250)"


def test_a_trace_is_written_as_below_the_last_figure_and_never_as_nought():
    """A drug that is nearly gone reads "<0.01", not "0.00"."""
    assert words.band(band(0.0612, 0.00001, 3.85, "ug/mL"), EN, bare=True) == "0.06 (<0.01 to 3.85)"
