"""Visual acuity in every notation of the ward."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentpe.domain import acuity
from opentpe.errors import InputError


@pytest.fixture(scope="module")
def grades(library):
    return acuity.visual_grades(library.document("scales/acuity"))


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("20/20", 1.0),
        ("20/200", 0.1),
        ("6/12", 0.5),
        ("6 / 9", 2 / 3),
        ("0.5", 0.5),
        ("0,8", 0.8),
        ("logMAR 0.3", 0.501),
        ("1.0 logMAR", 0.1),
        ("logmar -0,1", 1.259),
        ("CF", 0.01),
        ("cf at 1 m", 0.01),
        ("Hand motion", 0.005),
        ("HM", 0.005),
    ],
)
def test_every_notation_reads_to_one_number(text, decimal):
    """Snellen in feet and metres, decimal with point or comma, logMAR, fingers and hand motion."""
    assert acuity.read(text, 2.0, 2.3).decimal == pytest.approx(decimal, rel=0.01)


def test_fingers_and_motion_name_their_convention():
    """The number is a convention and says so; letters have none."""
    assert acuity.read("CF", 1.9, 2.3).convention == "counting fingers as logMAR 1.9"
    assert acuity.read("HM", 1.9, 2.3).logmar == pytest.approx(2.3)
    assert acuity.read("20/40", 1.9, 2.3).convention == ""


@pytest.mark.parametrize("text", ["", "blurred", "20/0", "LP", "nlp", "-0.5", "60", "0"])
def test_what_cannot_be_read_is_refused(text):
    """Light perception has no number; a bare 60 is no decimal acuity; the error says what is accepted."""
    with pytest.raises(InputError, match="visual acuity"):
        acuity.read(text, 2.0, 2.3)


@given(st.floats(0.001, 2.9))
def test_decimal_and_logmar_are_each_others_inverse(decimal):
    """Back and forth gives the same acuity."""
    there = acuity.from_decimal(decimal)
    assert acuity.from_logmar(there.logmar).decimal == pytest.approx(decimal)
    assert there.logmar == pytest.approx(-math.log10(decimal))


def test_more_than_two_lines_is_more_than_two():
    """From 20/200 exactly two lines is not yet improvement; three lines is."""
    before = acuity.from_logmar(1.0)
    assert acuity.lines_gained(before, acuity.from_logmar(0.8), 0.1) == pytest.approx(2.0)
    assert not acuity.improved(before, acuity.from_logmar(0.8), 0.1, 2.0)
    assert acuity.improved(before, acuity.from_logmar(0.7), 0.1, 2.0)
    assert acuity.lines_gained(acuity.from_logmar(0.2), before, 0.1) == pytest.approx(-8.0)


def test_loss_is_a_share_of_the_decimal():
    """1.0 to 0.7 is 30 % lost; an eye that sees better has lost nothing."""
    full = acuity.from_decimal(1.0)
    assert acuity.loss_fraction(full, acuity.from_decimal(0.7)) == pytest.approx(0.3)
    assert acuity.loss_fraction(acuity.from_decimal(0.5), full) == 0


@pytest.mark.parametrize(
    ("worse", "better", "grade"),
    [
        ("20/20", "20/20", 0),
        ("20/25", "20/20", 1),
        ("20/30", "20/20", 2),
        ("20/59", "20/20", 2),
        ("20/60", "20/20", 3),
        ("20/99", "20/20", 3),
        ("20/100", "20/20", 4),
        ("20/200", "20/200", 4),
        ("20/201", "20/20", 5),
        ("CF", "20/59", 5),
        ("CF", "20/60", 6),
        ("CF", None, 5),
    ],
)
def test_the_visual_system_follows_the_worse_eye(grades, worse, better, grade):
    """Each band and its corners; grade 6 only where the better eye sees 20/60 or less."""
    eyes = [None if t is None else acuity.read(t, 2.0, 2.3) for t in (worse, better)]
    assert acuity.visual_system(eyes[0], eyes[1], grades) == grade


def test_snellen_is_written_in_feet_and_metres():
    """Decimal 0.1 is 20/200 and 6/60."""
    eye = acuity.from_decimal(0.1)
    assert (eye.snellen_20, eye.snellen_6) == ("20/200", "6/60")
