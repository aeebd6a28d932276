"""Orders nobody could be given, and those that carry a warning."""

import dataclasses

import pytest

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium, Dose, FluidPart, Prescription
from opentpe.errors import InputError
from opentpe.evidence import load as evidence
from opentpe.simulation import refuse
from opentpe.simulation.course import simulate
from opentpe.simulation.setup import prepare

MAN = Subject(female=False, height_cm=178.0, weight_kg=80.0, hct=0.42)
ONE = Prescription(1.0, Dose.PLASMA_VOLUMES)


def codes(library, order, subject=MAN):
    setup = prepare(subject, words.parse(order), library, library.document("unit"))
    return {line.code for line in refuse.session(subject, setup, library)}


@pytest.mark.parametrize(
    "order",
    [
        dataclasses.replace(ONE, dose=-1.0),
        dataclasses.replace(ONE, dose=float("nan")),
        dataclasses.replace(ONE, calcium=Calcium(-2.0, "g/h")),
        dataclasses.replace(ONE, inlet_ac_ratio=1.0),
        dataclasses.replace(ONE, balance_fraction=-0.1),
        dataclasses.replace(ONE, fluids=(FluidPart("albumin_5", 0.7), FluidPart("saline", 0.2))),
        dataclasses.replace(ONE, fluids=(FluidPart("albumin_5", 1.2), FluidPart("saline", -0.2))),
    ],
)
def test_an_impossible_order_is_refused_with_its_remedy(order, library):
    """Negative doses, shares that do not add up and the like: a message with what was found and expected."""
    with pytest.raises(InputError) as error:
        refuse.order(order, library)
    assert error.value.expected
    assert error.value.remedy


def test_a_sound_order_passes(library):
    """The default order is neither refused nor warned about."""
    assert codes(library, "5 x 1.0 PV every other day, albumin 5 %") == set()


def test_a_session_that_bleeds_the_patient_is_refused(library):
    """1.5 plasma volumes at a balance of 70 % would leave 45 % of plasma unreplaced."""
    with pytest.raises(InputError, match="unreplaced"):
        codes(library, "5 x 1.5 PV daily, albumin 5 %, balance 70 %")


def test_saline_alone_that_empties_the_vessels_is_refused(library):
    """Two plasma volumes of saline: said in the words of the order, with its remedy, not as a fault of ours."""
    course = words.parse("1 x 2.0 PV daily, saline")
    with pytest.raises(InputError, match="100 % saline") as error:
        simulate(MAN, course, library, library.document("unit"), seed=1, draws=3)
    assert "albumin" in error.value.remedy


def test_calcium_in_a_plasma_bag_is_refused(library, tmp_path):
    """A hospital's fluid with calcium added to plasma: it clots."""
    (tmp_path / "fluids").mkdir()
    (tmp_path / "fluids" / "plasma.toml").write_text('[calcium_mmol_l]\nvalue = 6.0\nstatus = "design"\n')
    own = evidence.load((tmp_path,))
    with pytest.raises(InputError, match="clots"):
        refuse.order(dataclasses.replace(ONE, fluids=(FluidPart("plasma", 1.0),)), own)


def test_calcium_beside_plasma_is_a_named_warning(library):
    """Calcium in an order with plasma: only through a line of its own."""
    assert "warning_calcium_beside_plasma" in codes(library, "5 x 1.0 PV daily, plasma, calcium gluconate 10 mL/L")


def test_plasma_at_full_speed_with_a_failing_liver_is_a_named_warning(library):
    """Citrate above what is left of the clearance; albumin passes."""
    ill = dataclasses.replace(MAN, liver="failure")
    assert "warning_liver_failure_plasma" in codes(library, "5 x 1.0 PV daily, plasma", ill)
    assert "warning_liver_failure_plasma" not in codes(library, "5 x 1.0 PV daily, albumin 5 %", ill)


def test_more_calcium_than_the_model_was_tested_for_is_a_named_warning(library):
    """20 mL of gluconate per litre overshoots in the model: measure."""
    assert "warning_calcium_dose" in codes(library, "5 x 1.0 PV daily, albumin 5 %, calcium gluconate 20 mL/L")
