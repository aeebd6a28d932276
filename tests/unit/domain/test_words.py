"""Course words parse, and say back what was parsed."""

from datetime import date

import pytest

from opentpe.domain import words
from opentpe.domain.therapy import Calcium, Dose, FluidPart
from opentpe.errors import WordsError


def test_a_full_sentence_sets_every_part():
    """Count, dose, schedule, fluids, ratio, calcium, balance, access and needle are all read."""
    c = words.parse(
        "5 x 1.0 PV Mon Wed Fri Mon Wed from 2026-02-20, 20 % saline then 80 % albumin 5 %, inlet:AC 10:1, "
        "calcium gluconate 10 mL/L, balance 100 %, access peripheral two needles, single needle"
    )
    p = c.prescription
    assert (c.count, p.dose, p.dose_unit) == (5, 1.0, Dose.PLASMA_VOLUMES)
    assert p.fluids == (FluidPart("saline", 0.2), FluidPart("albumin_5", 0.8))
    assert (p.inlet_ac_ratio, p.calcium, p.balance_fraction) == (10.0, Calcium(10.0, "mL/L"), 1.0)
    assert (p.access, p.single_needle) == ("peripheral_two_needles", True)


def test_weekdays_start_at_the_first_fitting_day():
    """Friday 20 February, then the weekdays as written, over the weekend."""
    c = words.parse("5 x 2500 mL Fri Mon Wed Fri Mon from 2026-02-20")
    days = c.schedule.on_dates(5, date(2026, 2, 20))
    assert [d.isoformat()[5:] for d in days] == ["02-20", "02-23", "02-25", "02-27", "03-02"]


@pytest.mark.parametrize(
    "text",
    [
        "5 x 1 PV daily",
        "5 x 2500 mL patient plasma every other day, albumin 5 %, no calcium",
        "3 x 0.7 PV every 36 h, 50 % albumin 4 % then 50 % plasma, inlet:AC 12:1",
        "3 x 1.2 PV on days 0 2 5, saline",
        "2 x 1 PV on 2026-02-20 2026-02-23, albumin 5 %, calcium gluconate 1.5 g/h, separator bowl",
        "5 x 1 PV Mon Wed Fri, albumin 5 %",
    ],
)
def test_what_is_said_parses_back(text):
    """Words to course to words is the identity, and the course is the same both times."""
    course = words.parse(text)
    assert words.say(course) == text
    assert words.parse(words.say(course)) == course


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("five sessions", "count, dose and schedule"),
        ("5 x 1 PV daily, 30 % saline then 60 % albumin 5 %", "90 %"),
        ("5 x 1 PV sometimes", "daily"),
        ("3 x 1 PV on days 0 2", "3 days"),
        ("0 x 1 PV daily", "1 to"),
        ("3 x 1 PV daily, albumin 5 %, calcium gluconate lots", "mL/L or g/h"),
        ("2 x 1 PV on 2026-02-30 2026-03-02", "a date"),
    ],
)
def test_a_wrong_part_is_named(text, names):
    """The error says which part was found and what was expected."""
    with pytest.raises(WordsError, match=names.replace("+", r"\+")):
        words.parse(text)
