"""The operator's arithmetic against published figures and the regression cases of the device book."""

import pytest

from opentpe.kernel import circuit
from opentpe.kernel.circuit import Accounting, Settings

PUBLISHED_EFFICIENCY = 0.87
CHANNEL = circuit.channel_hct(0.40, 10.0)
STANDARD = Settings(
    hct=0.40,
    blood_ml=4985.0,
    inlet_ac_ratio=10.0,
    packed_hct=circuit.packed_hct(CHANNEL, PUBLISHED_EFFICIENCY),
    inlet_cap_ml_min=60.0,
    limit_ml_min_l=0.8,
    replacement_ac_fraction=0.0,
    balance_ratio=1.0,
    accounting=Accounting.BAG,
)


def test_an_anticoagulant_rate_of_5_at_ratio_9_is_an_inlet_of_45():
    """T1: AC 5 mL/min at 9:1 is an inlet flow of 45 mL/min."""
    assert circuit.inlet_flow(5.0, 9.0) == pytest.approx(45)


def test_one_plasma_volume_processes_1_15_blood_volumes():
    """T2: at an efficiency of 87 % one plasma volume needs 1.15 blood volumes."""
    run = circuit.run(4985 * 0.6, STANDARD)
    assert run.blood_processed_ml / STANDARD.blood_ml == pytest.approx(1.15, rel=0.005)


def test_a_litre_of_blood_sends_14_4_ml_of_anticoagulant_to_the_patient():
    """T3: 111 mL AC per litre of blood, of which 13 % return."""
    run = circuit.run(2991.0, STANDARD)
    litres = run.blood_processed_ml / 1000
    assert run.ac_used_ml / litres == pytest.approx(111, rel=0.005)
    assert run.ac_to_patient_ml / litres == pytest.approx(14.4, rel=0.005)


def test_the_paired_study_ran_one_plasma_volume_at_its_published_rates():
    """T4: at 30.2 mL/min one plasma volume of 3020 mL takes 100 min."""
    run = circuit.run(3020.0, STANDARD)
    scaled = STANDARD._replace(inlet_cap_ml_min=STANDARD.inlet_cap_ml_min * 30.2 / run.plasma_flow_ml_min)
    assert circuit.run(3020.0, scaled).duration_min == pytest.approx(100, rel=0.005)


CASES = [  # plasma mL, cap, AC in the fluid, inlet, bag flow, bag, AC used, AC to patient, AC rate, blood volumes, min
    ("A", 2991.0, 60.0, 0.0, 60.0, 33.4, 3545, 637, 83, 0.1565, 1.149, 106.1),
    ("B", 4486.5, 80.0, 0.0, 80.0, 44.5, 5317, 955, 124, 0.209, 1.724, 119.4),
    ("D", 2991.0, 1e6, 0.15, 41.3, 23.0, 3545, 637, 614, 0.800, 1.149, 154.1),
]


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_the_regression_cases_agree_within_half_a_percent(case):
    """Cases A (albumin), B (1.5 PV) and D (donor plasma, limited by citrate)."""
    _, plasma, cap, ac_in_fluid, *expected = case
    run = circuit.run(plasma, STANDARD._replace(inlet_cap_ml_min=cap, replacement_ac_fraction=ac_in_fluid))
    found = (
        run.inlet_flow_ml_min,
        run.bag_flow_ml_min,
        run.bag_ml,
        run.ac_used_ml,
        run.ac_to_patient_ml,
        run.ac_rate_ml_min_l,
        run.blood_processed_ml / STANDARD.blood_ml,
        run.duration_min,
    )
    assert found == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize(
    ("rule", "net"), [(Accounting.BAG, 637), (Accounting.PATIENT_PLASMA, 83), (Accounting.ALL_FLUIDS, 0)]
)
def test_the_three_accountings_differ_by_the_anticoagulant(rule, net):
    """The same balance of 100 % leaves the patient +637, +83 or 0 mL."""
    run = circuit.run(2991.0, STANDARD._replace(accounting=rule))
    assert run.net_ml == pytest.approx(net, abs=1)


def test_albumin_is_limited_by_access_and_plasma_by_citrate():
    """The infusion limit binds with donor plasma and not with albumin."""
    albumin = circuit.run(2991.0, STANDARD)
    plasma = circuit.run(2991.0, STANDARD._replace(replacement_ac_fraction=0.15))
    assert not albumin.limited
    assert plasma.limited
    assert plasma.duration_min > albumin.duration_min


@pytest.mark.parametrize(
    ("efficiency", "hct", "packed"), [(0.87, 0.30, 0.740), (0.925, 0.45, 0.901), (0.80, 0.40, 0.738)]
)
def test_packed_haematocrit_implied_by_a_published_efficiency(efficiency, hct, packed):
    """Three cells of the table of implied packed haematocrit at ratio 10."""
    assert circuit.packed_hct(circuit.channel_hct(hct, 10.0), efficiency) == pytest.approx(packed, abs=0.001)


def test_the_bag_holds_the_plasma_ordered_and_its_anticoagulant():
    """Bag minus anticoagulant in it is the patient plasma removed; nothing is counted twice."""
    run = circuit.run(2991.0, STANDARD)
    in_bag = run.ac_used_ml - run.ac_to_patient_ml
    assert run.bag_ml - in_bag == pytest.approx(2991.0)
    assert run.plasma_flow_ml_min * run.duration_min == pytest.approx(2991.0)
