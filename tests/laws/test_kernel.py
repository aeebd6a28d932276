"""Laws of exchange that hold for every patient and every course."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from opentpe.kernel import march
from support.solutes import KEYS, cohort, schedule, sessions, varied

ENDOGENOUS = [j for j, key in enumerate(KEYS) if key != "natalizumab"]
quick = settings(max_examples=25, deadline=None)
volumes = st.floats(200.0, 6000.0)
minutes = st.floats(20.0, 300.0)
seeds = st.integers(0, 2**31)


@quick
@given(volumes, st.floats(1.0, 1.5), minutes, seeds)
def test_more_exchange_never_leaves_more(volume, more, length, seed):
    """A larger session with fluid free of the solute leaves less of everything."""
    people = varied(3, seed)
    small, large = (
        march.course_all(people, schedule(sessions(1, volume_ml=v, minutes=length))).after[:, ENDOGENOUS, 0]
        for v in (volume, volume * more)
    )
    assert np.all(large <= small * (1 + 1e-12))


@quick
@given(volumes, minutes, seeds)
def test_exchange_with_empty_fluid_never_raises_a_concentration(volume, length, seed):
    """From rest, a session without solute in the fluid lowers every concentration."""
    found = march.course_all(varied(3, seed), schedule(sessions(1, volume_ml=volume, minutes=length)))
    assert np.all(found.after[:, ENDOGENOUS] <= found.before[:, ENDOGENOUS] * (1 + 1e-12))


@quick
@given(volumes, minutes)
def test_fluid_at_the_patients_own_level_changes_nothing(volume, length):
    """C_rep = C0 leaves C0."""
    people = cohort()
    plan = schedule(sessions(2, volume_ml=volume, minutes=length), content=people.concentration[0])
    found = march.course_all(people, plan)
    np.testing.assert_allclose(found.after[0, ENDOGENOUS, 1], people.concentration[0, ENDOGENOUS], rtol=1e-11)


@quick
@given(seeds, st.integers(1, 7), st.floats(0.3, 1.6))
def test_mass_is_conserved_in_every_course(seed, count, dose):
    """No solute is lost or made, and nothing turns negative."""
    found = march.course_all(varied(4, seed), schedule(sessions(count, volume_ml=3000 * dose), end=40 * 1440.0))
    assert not found.status.any()
    assert found.imbalance.max() < 1e-11


@quick
@given(seeds, st.integers(0, 19))
def test_one_row_is_a_slice_of_many(seed, row):
    """A patient alone is the same bits as in a cohort."""
    people, plan = varied(20, seed), schedule(sessions(3), [20 * 1440.0])
    many, alone = march.course_all(people, plan), march.course_one(people, plan, row)
    assert np.array_equal(alone.concentration[0], many.concentration[row])
