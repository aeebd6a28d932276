"""Laws of a session that hold for any patient and any order."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium, Course, Dose, FluidPart, Prescription, Schedule
from opentpe.errors import InputError
from opentpe.evidence.load import load
from opentpe.kernel import chair, fluid
from opentpe.kernel import session as kernel
from opentpe.simulation import bodies, refuse, session
from opentpe.simulation.setup import prepare

LIBRARY = load()
UNIT = LIBRARY.document("unit")
FLUIDS = ("albumin_5", "albumin_4", "saline", "plasma")

subjects = st.builds(
    Subject,
    female=st.booleans(),
    height_cm=st.floats(150, 195),
    weight_kg=st.floats(45, 120),
    hct=st.floats(0.28, 0.50),
    liver=st.sampled_from(["normal", "cirrhosis"]),
)
orders = st.builds(
    lambda dose, fluids, cut, grams: Prescription(
        dose,
        Dose.PLASMA_VOLUMES,
        (FluidPart(fluids[0], cut), FluidPart(fluids[1], 1 - cut)),
        calcium=Calcium(grams, "g/h"),
    ),
    st.floats(0.3, 1.5),
    st.tuples(st.sampled_from(FLUIDS), st.sampled_from(FLUIDS)),
    st.floats(0.2, 0.8),
    st.floats(0, 2),
)


def run(subject, prescription):
    """Without priors: the typical patient of this size."""
    setup = prepare(subject, Course(1, prescription, Schedule("daily")), LIBRARY, UNIT)
    person = bodies.typical(subject, setup.plasma_volume_ml, LIBRARY)
    order = session.order_of(setup, LIBRARY)
    return kernel.session_all(bodies.law(LIBRARY), person, order, session.recipes(setup, LIBRARY)[None])


def value(out, table, name):
    return float(getattr(out, table)[0, chair.QUANTITIES.index(name)])


LIGHT_MAN = Subject(female=False, height_cm=150.0, weight_kg=45.0, hct=0.5)
SALINE = Prescription(
    1.5, Dose.PLASMA_VOLUMES, (FluidPart("saline", 0.5), FluidPart("saline", 0.5)), calcium=Calcium(0.0, "g/h")
)


@settings(max_examples=25, deadline=None)
@given(subjects, orders)
@example(LIGHT_MAN, SALINE)
def test_mass_closes_and_nothing_is_negative(subject, prescription):
    """Seven balances closed to 1e-9, no negative amount, all finite; or plasma leaves the vessels, and it is refused.

    The one example: 1.5 plasma volumes of saline wash out two thirds of the albumin, and with it the plasma.
    """
    out = run(subject, prescription)
    assert np.isfinite(out.low).all()
    if out.status[0]:
        assert out.status[0] in (fluid.PLASMA_EMPTY, fluid.PLASMA_EMPTY | kernel.HAEMATOCRIT)
        setup = prepare(subject, Course(1, prescription, Schedule("daily")), LIBRARY, UNIT)
        with pytest.raises(InputError, match="plasma volume falls"):
            refuse.empties(subject, setup, LIBRARY)


def test_the_light_man_on_saline_alone_is_refused():
    """The example above is one of those that no patient could be given."""
    assert run(LIGHT_MAN, SALINE).status[0] & fluid.PLASMA_EMPTY


@settings(max_examples=10, deadline=None)
@given(subjects, orders)
def test_more_calcium_never_lowers_ionised_calcium(subject, prescription):
    """Half a gram an hour more lifts the lowest ionised calcium, or leaves it."""
    more = Calcium(prescription.calcium.amount + 0.5, "g/h")
    less = value(run(subject, prescription), "at_end", "ionised_calcium")
    from dataclasses import replace

    assert value(run(subject, replace(prescription, calcium=more)), "at_end", "ionised_calcium") > less


@settings(max_examples=10, deadline=None)
@given(subjects, st.floats(0.4, 1.2))
def test_more_exchange_washes_out_more(subject, dose):
    """A larger session leaves less globulin, less magnesium and less bicarbonate."""
    albumin = (FluidPart("albumin_5", 1.0),)
    small = run(subject, Prescription(dose, Dose.PLASMA_VOLUMES, albumin, calcium=Calcium(0.0, "g/h")))
    large = run(subject, Prescription(dose + 0.2, Dose.PLASMA_VOLUMES, albumin, calcium=Calcium(0.0, "g/h")))
    for name in ("globulin", "total_magnesium", "bicarbonate"):
        assert value(large, "at_end", name) < value(small, "at_end", name)
