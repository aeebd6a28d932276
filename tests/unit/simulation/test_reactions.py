"""The patient of the machine's clock is the patient of the planning clock."""

import pytest

from opentpe.domain.subject import Subject
from opentpe.simulation import bodies, reactions

ILL = Subject(
    female=False, height_cm=178.0, weight_kg=91.0, hct=0.44, liver="cirrhosis",
    measured=(("albumin", 33.0), ("total_protein", 61.0), ("ionised_calcium", 1.11), ("heart_rate", 88.0)),
)  # fmt: skip


def test_both_clocks_start_from_one_body(library):
    """Citrate, circulation, carriage and binding are the same numbers, measured values and liver included."""
    plasma = 3100.0
    law = reactions.laws(ILL, plasma / (1 - ILL.hct), library, 1, phantom=False)
    person, shared = bodies.one(ILL, plasma, library), bodies.law(library)
    assert law.citrate == person.citrate
    assert tuple(law.heart) == pytest.approx(tuple(person.circulation), rel=1e-14)
    assert (law.binding, law.pressure) == (shared.binding, shared.pressure)
    assert law.citrate.calcium0 == 1.11
    rested = reactions.at_rest(ILL, law, library)
    assert rested.fluid.albumin / rested.fluid.plasma == pytest.approx(33.0)
    assert rested.fluid.globulin / rested.fluid.plasma == pytest.approx(28.0)
