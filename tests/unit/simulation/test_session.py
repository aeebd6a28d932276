"""From an order to the bands of one session."""

import dataclasses
import functools

import numpy as np
import pytest

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.kernel import session as kernel
from opentpe.simulation import bodies, session
from opentpe.simulation.bodies import Known
from opentpe.simulation.setup import prepare

WOMAN = Subject(female=True, height_cm=168.0, weight_kg=68.0, hct=0.38)
ORDER = "5 x 1.0 PV every other day, albumin 5 %"


def ran(library, order=ORDER, subject=WOMAN, draws=40, rows=None, **kwargs):
    setup = prepare(subject, words.parse(order), library, library.document("unit"))
    rows = np.arange(draws) if rows is None else np.asarray(rows)
    known = Known(np.full(rows.size, setup.plasma_volume_ml))
    return session.run(subject, setup, known, library, 7, rows, **kwargs)


def nadir(library, name, **kwargs):
    return dict(session.nadirs(ran(library, **kwargs), hidden=True))[name]


def test_calcium_in_the_order_lifts_ionised_calcium(library):
    """Without calcium the fall is about a quarter; with the default of 10 mL/L it is a few per cent."""
    none = nadir(library, "ionised_calcium", order=f"{ORDER}, calcium gluconate 0 g/h")
    given = nadir(library, "ionised_calcium")
    assert none.median == pytest.approx(1.22 * 0.74, abs=0.03)
    assert given.median > 1.22 * 0.94
    assert none.p05 < none.p25 < none.median < none.p75 < none.p95


def test_plasma_raises_bicarbonate_and_albumin_lowers_it(library):
    """The sign of the acid-base change follows the fluid."""
    assert nadir(library, "bicarbonate").median < 22
    assert nadir(library, "bicarbonate", order="5 x 1.0 PV every other day, plasma").median > 28


def test_potassium_is_computed_and_hidden(library):
    """It falls by a third with albumin and stands in no table until it is validated."""
    one = ran(library)
    assert "potassium" not in dict(session.nadirs(one))
    assert dict(session.nadirs(one, hidden=True))["potassium"].median < 3.5


def test_every_quantity_has_a_unit(library):
    """What the kernel computes can be told."""
    from opentpe.kernel import chair

    assert set(session.UNITS) == set(chair.QUANTITIES)


def test_a_draw_is_the_same_alone_and_in_a_batch(library):
    """Draw 17 of forty and draw 17 alone have the same bits."""
    many, alone = ran(library), ran(library, rows=[17])
    assert np.array_equal(many.outcome.low[17], alone.outcome.low[0])


def test_half_the_steps_move_no_band_by_a_thousandth(library, monkeypatch):
    """Median, 50 and 90 % of every extreme of a session, told of 60 draws."""
    coarse = session.nadirs(ran(library, draws=60), hidden=True)
    half = functools.partial(kernel.session_all, clock=kernel.Clock(0.5, 2.0, 16.0, 0.5, 0.2, 0.75))
    monkeypatch.setattr(kernel, "session_all", half)
    for (name, a), (_, b) in zip(coarse, session.nadirs(ran(library, draws=60), hidden=True), strict=True):
        for part in ("p05", "p25", "median", "p75", "p95"):
            assert getattr(a, part) == pytest.approx(getattr(b, part), rel=1e-3), (name, part)


def test_the_series_do_not_depend_on_the_step_asked(library):
    """The value at 60 min is the same in a series by minute and in one by ten minutes."""
    one = ran(library, draws=8, recorded=True)
    fine, coarse = session.series(one), session.series(one, every_min=10.0)
    for a, b in zip(fine, coarse, strict=True):
        assert dict(zip(a.time_min, a.median, strict=True))[60.0] == dict(zip(b.time_min, b.median, strict=True))[60.0]


def test_the_series_end_an_hour_after_the_session(library):
    """Fluid leaves on after the last bottle: the hour after is shown."""
    one = ran(library, draws=4, recorded=True)
    series = session.series(one)[0]
    assert series.time_min[-1] == pytest.approx(one.end_min + 60)


def test_relative_blood_volume_is_a_change_from_the_start(library):
    """-8 means a loss of 8 % since the circuit was filled, as a haematocrit monitor shows it."""
    band = nadir(library, "relative_blood_volume")
    assert -15 < band.median < -3


def test_measured_values_are_used(library):
    """Pressure, ionised calcium and proteins of the patient replace the library's."""
    measured = (("systolic_pressure", 130.0), ("diastolic_pressure", 85.0), ("ionised_calcium", 1.15),
                ("albumin", 38.0), ("total_protein", 60.0))  # fmt: skip
    one = ran(library, subject=dataclasses.replace(WOMAN, measured=measured), draws=3)
    assert one.before("systolic_pressure") == pytest.approx(130.0)
    assert one.before("ionised_calcium") == pytest.approx(1.15)
    assert one.before("globulin") == pytest.approx(22.0)


def test_less_protein_means_a_deeper_fall_of_blood_volume_reserve(library):
    """With albumin 4 % the blood volume of a well-nourished patient falls further than with 5 %."""
    five = nadir(library, "relative_blood_volume").median
    assert nadir(library, "relative_blood_volume", order="5 x 1.0 PV every other day, albumin 4 %").median < five - 3


def test_a_failing_liver_keeps_citrate(library):
    """Plasma with a clearance of 152 mL/min: twice the citrate, and a warning of accumulation or low calcium."""
    order = "5 x 1.0 PV every other day, plasma, calcium gluconate 0 g/h"
    ill = dataclasses.replace(WOMAN, liver="failure")
    assert (
        nadir(library, "citrate", order=order, subject=ill).median > 1.7 * nadir(library, "citrate", order=order).median
    )
    codes = {line.code for line in session.warnings(ran(library, order=order, subject=ill), ill, library)}
    assert codes & {"alarm_ionised_calcium", "warning_citrate_accumulation"}


def test_saline_last_is_warned_about(library):
    """Thirty per cent saline at the end crosses the alarm line of blood volume."""
    one = ran(library, order="5 x 1.0 PV every other day, 70% albumin 4 % then 30% saline")
    assert "alarm_blood_volume" in {line.code for line in session.warnings(one, WOMAN, library)}


def test_oral_calcium_and_a_warmer_can_be_entered(library):
    """Absorbed calcium lifts the nadir; a warmer keeps the temperature."""
    order = f"{ORDER}, calcium gluconate 0 g/h"
    plain = ran(library, order=order, draws=5)
    helped = ran(library, order=order, draws=5, extras=session.Extras(oral_calcium_mmol_min=0.03, warmer=True))
    assert (helped.low("ionised_calcium") > plain.low("ionised_calcium")).all()
    assert (helped.low("temperature") > 36.9).all()


def test_the_volume_profile_starts_and_ends_at_rest(library):
    """The solutes' march gets 1 at connection and a day later, and less in between."""
    knots = session.volume_ratio(ran(library), 2880.0, library)
    assert knots[0].ratio == knots[-1].ratio == 1.0
    assert knots[1].time_min == pytest.approx(2880.0)
    assert min(k.ratio for k in knots) < 0.95


def test_the_citrate_balance_adds_up(library):
    """Most of what is given is metabolised; a twentieth leaves with plasma; the rest is still there."""
    totals = dict(session.balance(ran(library)))
    given = totals["citrate_given_mmol"].median
    assert totals["citrate_metabolised_mmol"].median < given
    assert totals["citrate_removed_mmol"].median < 0.1 * given


def test_refill_closes_the_plasma_volume(library):
    """After saline fluid leaves plasma for tissue; with albumin 5 % at full balance little moves, and never a litre."""
    albumin = dict(session.balance(ran(library, draws=20)))["refill_ml"].median
    saline = dict(session.balance(ran(library, order="5 x 1.0 PV daily, 70% albumin 4 % then 30% saline", draws=20)))
    assert saline["refill_ml"].median < albumin - 200
    assert abs(albumin) < 1000


def test_the_typical_patient_carries_the_values_in_use(library):
    """No draw, no prior: the clearance of a 70-kg adult is the library's."""
    person = bodies.typical(dataclasses.replace(WOMAN, weight_kg=70.0), 3000.0, library)
    assert person.citrate.clearance_ml_min == library.value("equations/citrate.citrate_clearance_ml_min")
    assert all(not s.key.endswith("percent") or "rival" not in s.key for s in bodies.used(library))
