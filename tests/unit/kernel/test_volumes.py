"""Blood and plasma volume: the published formulas, and the table of their spread."""

import pytest

from opentpe.evidence.load import Library
from opentpe.kernel import volumes


def _nadler(library: Library, sex: str) -> volumes.Nadler:
    return volumes.Nadler(*(library.value(f"equations/volumes.nadler.{sex}.{f}") for f in volumes.Nadler._fields))


def _lemmens(library: Library) -> volumes.Lemmens:
    return volumes.Lemmens(*(library.value(f"equations/volumes.lemmens.{f}") for f in volumes.Lemmens._fields))


SPREAD = [  # sex, m, kg, Hct, Nadler, Lemmens, Kaplan, 70 mL/kg: plasma volume, L
    ("female", 1.65, 60, 0.39, 2.30, 2.56, 2.38, 2.56),
    ("female", 1.65, 90, 0.39, 2.90, 3.14, 3.57, 3.84),
    ("female", 1.65, 120, 0.39, 3.51, 3.62, 4.76, 5.12),
    ("male", 1.78, 75, 0.44, 2.85, 2.83, 2.73, 2.94),
    ("male", 1.78, 130, 0.44, 3.84, 3.73, 4.73, 5.10),
]


@pytest.mark.parametrize(("sex", "height", "weight", "hct", "by_nadler", "by_lemmens", "by_kaplan", "by_70"), SPREAD)
def test_four_estimators_give_the_published_spread(
    library, sex, height, weight, hct, by_nadler, by_lemmens, by_kaplan, by_70
):
    """Each formula gives the plasma volume of the comparison table to 10 mL."""
    blood = (
        volumes.nadler(weight, height, _nadler(library, sex)),
        volumes.lemmens(weight, height, _lemmens(library)),
        volumes.per_weight(weight, library.value("equations/volumes.kaplan.ml_kg")),
        volumes.per_weight(weight, library.value("equations/volumes.by_weight.ml_kg")),
    )
    plasma = [volumes.plasma(b, hct) / 1000 for b in blood]
    assert plasma == pytest.approx([by_nadler, by_lemmens, by_kaplan, by_70], abs=0.01)


def test_the_standard_donor_has_a_blood_volume_of_five_litres(library):
    """175 cm and 75 kg make 4.985 L of blood and 2.991 L of plasma at haematocrit 0.40."""
    blood = volumes.nadler(75, 1.75, _nadler(library, "male"))
    assert blood == pytest.approx(4985, abs=0.5)
    assert volumes.plasma(blood, 0.40) == pytest.approx(2991, abs=0.5)


def test_red_cells_and_plasma_make_the_blood():
    """Nothing of the blood volume is lost between plasma and red cells."""
    assert volumes.plasma(5000, 0.41) + volumes.red_cells(5000, 0.41) == pytest.approx(5000)


def test_volumes_need_the_standard_library_only():
    """The pathway asks for a plasma volume without loading NumPy or Numba."""
    import subprocess
    import sys

    code = "import sys, opentpe.kernel.volumes; sys.exit('numpy' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
