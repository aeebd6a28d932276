"""A course in the time loop: known courses, mass, steps, rows, threads, outputs, doses."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from opentpe.errors import InputError
from opentpe.kernel import march, timeline
from opentpe.kernel.arrays import MASS, NEGATIVE, SC
from support.solutes import BLOCKER, DAY, KEYS, cohort, index, schedule, sessions, varied


def test_the_reference_course_of_the_model_is_reproduced():
    """IgG 12 g/L, five sessions of 1.0 PV every other day: before, after and later, in per cent of the start."""
    runs = sessions(minutes=120.0)
    end = runs[-1].start_min + 120
    later = end + np.array([1, 7, 14, 21, 35]) * DAY
    found = march.course_all(cohort(), schedule(runs, later))
    assert found.before[0, 0, 1:] / 0.12 == pytest.approx([62, 49, 43, 38], abs=1)
    assert found.after[0, 0, 4] / 0.12 == pytest.approx(14.6, abs=0.2)
    assert found.concentration[0, 0] / 0.12 == pytest.approx([26, 56, 67, 75, 86], abs=1)


def test_the_relative_antibody_follows_igg():
    """An IgG autoantibody with the rates of IgG stays at the same share of its start."""
    found = march.course_all(cohort(), schedule(sessions(), [20 * DAY, 60 * DAY]))
    assert found.concentration[0, 1] == pytest.approx(found.concentration[0, 0] / 12, rel=1e-9)


def test_without_sessions_nothing_moves():
    """Drift of a resting patient stays below 1e-12 a day over two months."""
    found = march.course_all(varied(20), schedule([], np.arange(1, 60) * DAY))
    start = found.concentration[:, :, :1]
    moved = np.abs(found.concentration - start).max(2) / np.maximum(start[:, :, 0], 1e-30)
    assert moved[:, start[0, :, 0] > 0].max() < 1e-12 * 60


def test_the_whole_course_agrees_with_a_general_solver():
    """IgG, natalizumab and fibrinogen against an adaptive solver of the written equations, to 5e-6."""
    runs = sessions(3)
    times = np.array([1.0, 3.0, 5.0, 12.0, 30.0]) * DAY
    found = march.course_all(cohort(), schedule(runs, times, (timeline.Dose(2, -DAY, 300.0),)))
    reference = _integrate(runs, times)
    for row, key in enumerate(("igg", "natalizumab", "fibrinogen")):
        assert found.concentration[0, index(key)] == pytest.approx(reference[row], rel=5e-6)


def _integrate(runs, times):
    free, share, volume = 0.389 / DAY, 1 - 0.064 / 0.389, 3000.0
    k = {"igg": (0.2, 0.2 * 0.45 / 0.55), "nat": (0.3, 1.01 / 2.58), "fbg": (0.6, 0.6 * 0.72 / 0.28)}
    drug_share = 1 - 0.146 / 3.38 / 0.389
    made = (free * (1 - share)) * 12 * volume, 0.24 / DAY * 2.84 * volume

    def slope(t, y, flow):
        total = y[0] / volume + y[2] / 3380
        drive = 82 / (70 + total)
        burnt = (
            free * (1 - min(1, share * drive)) * y[0],
            (free * (1 - min(1, drug_share * drive)) + 3.0 / DAY / (3380 * 0.002 + y[2])) * y[2],
            0.24 / DAY * y[4],
        )
        out = [rates[0] / DAY * y[2 * i] - rates[1] / DAY * y[2 * i + 1] for i, rates in enumerate(k.values())]
        gain = (made[0], 0.0, made[1])
        return np.ravel([[gain[i] - burnt[i] - out[i] - flow / volume * y[2 * i], out[i]] for i in range(3)])

    y = np.array([12 * volume, 12 * volume * 0.55 / 0.45, 300.0, 0.0, 2.84 * volume, 2.84 * volume * 0.28 / 0.72])
    edges = sorted({-DAY, *times, *(r.start_min for r in runs), *(r.start_min + r.duration_min for r in runs)})
    seen = []
    for begin, end in itertools.pairwise(edges):
        flow = next((r.plasma_flow_ml_min for r in runs if r.start_min <= begin < r.start_min + r.duration_min), 0.0)
        y = solve_ivp(slope, (begin, end), y, args=(flow,), rtol=1e-11, atol=1e-9, method="DOP853").y[:, -1]
        if end in times:
            seen.append([y[0] / volume, y[2] / 3380, y[4] / volume])
    return np.array(seen).T


def test_halving_the_step_moves_no_value_by_a_thousandth():
    """Step halving, with a saturable drug, a blocker and a changing plasma volume."""
    doses = (timeline.Dose(2, -12 * DAY, 300.0), timeline.Dose(BLOCKER, 12 * DAY, 1.0))
    profile = [timeline.Volume(0.0, 1.0), timeline.Volume(106.0, 0.9), timeline.Volume(600.0, 1.0)]
    plan = schedule(sessions(), np.arange(1, 40) * DAY, doses, volume=profile)
    coarse, fine = (march.course_all(varied(10), plan, step) for step in (march.STEP, march.STEP / 2))
    assert coarse.concentration == pytest.approx(fine.concentration, rel=2e-5)
    assert coarse.after == pytest.approx(fine.after, rel=2e-5)


def test_mass_closes_for_every_solute():
    """Start plus supply is what is left, removed and catabolised, to 1e-12 of it."""
    doses = (timeline.Dose(2, -DAY, 300.0), timeline.Dose(BLOCKER, 5 * DAY, 1.0))
    found = march.course_all(varied(50), schedule(sessions(), [60 * DAY], doses, np.full(len(KEYS), 2.0)))
    assert found.imbalance.max() < 1e-12
    assert not found.status.any()


def test_a_row_of_a_cohort_is_the_patient_alone_bit_for_bit():
    """Batch, position and number of threads change nothing."""
    people = varied(33)
    plan = schedule(sessions(), np.arange(1, 40) * DAY, (timeline.Dose(2, -DAY, 300.0),))
    many = march.course_all(people, plan)
    one_thread = march.course_all(people, plan, threads=1)
    for i in (0, 7, 32):
        alone = march.course_one(people, plan, i)
        assert np.array_equal(alone.concentration[0], many.concentration[i])
        assert np.array_equal(alone.after[0], many.after[i])
    assert np.array_equal(many.concentration, one_thread.concentration)


def test_output_times_do_not_move_the_answer():
    """A value asked for alone and among hundreds of others is the same bits."""
    people, doses = varied(5), (timeline.Dose(2, -DAY, 300.0),)
    few = march.course_all(people, schedule(sessions(), [9.3 * DAY, 30 * DAY], doses))
    times = np.unique([9.3 * DAY, 30 * DAY, *np.linspace(0.013, 30, 301) * DAY])
    many = march.course_all(people, schedule(sessions(), times, doses))
    for k, t in enumerate((9.3 * DAY, 30 * DAY)):
        assert np.array_equal(few.concentration[:, :, k], many.concentration[:, :, np.searchsorted(times, t)])
    assert np.array_equal(few.after, many.after)


def test_own_schedules_equal_separate_runs():
    """Rows with different courses, stacked, give what each course gives alone."""
    people = varied(2)
    rows = [schedule(sessions(2), [30 * DAY], end=30 * DAY), schedule(sessions(5), [30 * DAY], end=30 * DAY)]
    both = march.course_all(people, timeline.stack(rows))
    for i in range(2):
        alone = march.course_one(people, rows[i], i)
        assert np.array_equal(both.concentration[i], alone.concentration[0])


def test_the_delivered_share_scales_the_exchange():
    """A patient who gets 90 % of the ordered plasma is a patient ordered 90 %."""
    short = march.course_all(cohort(delivered_ratio=np.array([0.9])), schedule(sessions(1), [DAY]))
    ordered = march.course_all(cohort(), schedule(sessions(1, volume_ml=2700.0), [DAY]))
    assert short.concentration == pytest.approx(ordered.concentration, rel=1e-12)


def test_duration_matters_little_for_igg_and_more_for_a_fast_factor():
    """1.0 PV in 1, 2 and 4 h leaves IgG 37.1, 37.4, 38.0 % and fibrinogen 37.7, 38.5, 40.1 %."""
    left = [march.course_all(cohort(), schedule(sessions(1, minutes=60.0 * h))).after[0, :, 0] for h in (1, 2, 4)]
    assert [c[0] / 0.12 for c in left] == pytest.approx([37.1, 37.4, 38.0], abs=0.1)
    assert [c[6] / 0.0284 for c in left] == pytest.approx([37.7, 38.5, 40.1], abs=0.1)


def test_albumin_fluid_brings_albumin_and_the_order_of_fluids_matters():
    """Saline first leaves more albumin than saline last, at equal shares."""
    content = np.zeros((2, len(KEYS)))
    content[0, index("albumin")] = 50.0
    first, last = (
        march.course_all(cohort(), schedule(sessions(1, fluids=parts), content=content)).after[0, index("albumin"), 0]
        for parts in (((1, 0.25), (0, 0.75)), ((0, 0.75), (1, 0.25)))
    )
    assert first > last > 30


def test_a_lost_share_of_a_dose_falls_with_the_gap():
    """Natalizumab lost to one session 1, 3, 7 and 14 days after its dose: 47, 34, 27, 20 %."""
    lost = []
    for days in (1, 3, 7, 14):
        plan = schedule(sessions(1, minutes=120.0), doses=(timeline.Dose(2, -days * DAY, 300.0),))
        lost.append(march.course_all(cohort(), plan).removed[0, 2, 0] / 3.0)
    assert lost == pytest.approx([47, 34, 27, 20], abs=1)


def test_a_blocker_halves_igg_and_leaves_other_proteins():
    """One standard dose lowers IgG by about half within a fortnight; IgA, IgM and albumin do not move."""
    found = march.course_all(cohort(), schedule([], np.arange(0, 30) * DAY, (timeline.Dose(BLOCKER, 0.0, 1.0),)))
    assert found.concentration[0, 0].min() / 12 == pytest.approx(0.493, abs=0.02)
    others = [index(k) for k in ("iga", "igm", "albumin")]
    assert found.concentration[0, others, -1] == pytest.approx(found.concentration[0, others, 0], rel=1e-12)


def test_a_depot_dose_comes_in_slowly_and_is_spared():
    """A subcutaneous dose peaks days later, its available part is all that enters, and a session takes less of it."""
    people = cohort()
    people.absorption_rate[0, 2], people.available_fraction[0, 2], people.law[2] = 0.25 / DAY, 0.8, 1 | 2 | 4
    times = np.arange(0, 20) * DAY
    depot = march.course_all(people, schedule([], times, (timeline.Dose(2, 0.0, 100.0, SC),)))
    assert 2 <= depot.concentration[0, 2].argmax() <= 7
    assert depot.imbalance[0, 2] < 1e-12
    run = schedule(sessions(1), doses=(timeline.Dose(2, -DAY, 100.0, SC),))
    assert march.course_all(people, run).removed[0, 2, 0] < 0.25 * 80


def test_platelets_and_red_cells_are_counted_per_session():
    """1.6 % of platelets and 20 mL of red cells leave with each session."""
    found = march.course_all(cohort(), schedule(sessions(2), [DAY]))
    assert found.platelets_after[0, 0] == pytest.approx(250 * (1 - 0.016))
    assert 250 * (1 - 0.016) < found.platelets_before[0, 1] < 250
    assert found.hct_after[0] == pytest.approx([1980 / 4980, 1960 / 4960])


def test_a_faulty_cohort_is_reported_and_not_hidden():
    """A negative amount and a lost mass show in the status."""
    people = cohort()
    people.concentration[0, 3] = -0.5
    assert march.course_all(people, schedule(sessions(1))).status[0] & NEGATIVE
    people = cohort()
    people.concentration[0, 3] = np.nan
    assert march.course_all(people, schedule(sessions(1))).status[0] & MASS


@pytest.mark.parametrize(
    ("runs", "doses", "end", "where"),
    [
        (sessions(2, every_d=0.01), (), 9e9, "session 2"),
        (sessions(1, fluids=((0, 0.7),)), (), 9e9, "session 1, fluids"),
        (sessions(2), (), DAY, "end of the run"),
        (sessions(1), (timeline.Dose(2, 0.0, -1.0),), 9e9, "dose"),
    ],
)
def test_a_course_that_cannot_be_run_is_refused_by_name(runs, doses, end, where):
    """Overlapping sessions, a fluid sequence that misses 1, a run cut short, a negative dose."""
    with pytest.raises(InputError) as refused:
        schedule(runs, doses=doses, end=end)
    assert refused.value.where == where


def test_a_moving_plasma_volume_agrees_with_a_general_solver():
    """A session that takes a tenth of the plasma volume, and a day of refill: fibrinogen to 1e-6."""
    minutes, flow, volume, start = 106.0, 3000.0 / 106.0, 3000.0, 2.84 * 3000.0
    profile = [timeline.Volume(0.0, 1.0), timeline.Volume(minutes, 0.9), timeline.Volume(minutes + DAY, 1.0)]
    times = np.array([50.0, minutes + 300.0, minutes + DAY])
    k10, k12, k21 = (x / DAY for x in (0.24, 0.60, 0.60 * 0.72 / 0.28))

    def slope(t, y):
        now = volume * np.interp(t, [p.time_min for p in profile], [p.ratio for p in profile])
        q = flow / now if t < minutes else 0.0
        out = k12 * volume / now * y[0] - k21 * y[1]
        return [k10 * start - (k10 + q) * y[0] - out, out]

    found = march.course_all(cohort(), schedule(sessions(1, minutes=minutes), times, volume=profile))
    y, seen = [start, start * 0.28 / 0.72], []
    for begin, end in itertools.pairwise([0.0, 50.0, minutes, *times[1:]]):
        y = solve_ivp(slope, (begin, end), y, rtol=1e-12, atol=1e-9, method="DOP853").y[:, -1]
        seen.append(y[0] / volume / np.interp(end, [p.time_min for p in profile], [p.ratio for p in profile]))
    assert found.concentration[0, index("fibrinogen")] == pytest.approx([seen[0], seen[2], seen[3]], rel=1e-6)
    assert found.imbalance.max() < 1e-12
