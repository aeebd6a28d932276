"""A long rest after a course must not run away, however fast the pools are."""

import numpy as np
import pytest

from opentpe.kernel import march
from support.solutes import DAY, cohort, index, schedule, sessions


@pytest.mark.parametrize("escape_per_d", [0.8, 2.4, 6.0])
def test_fast_pools_stay_sound_over_eight_weeks(escape_per_d):
    """Escape of 2.4 per day is far out in the prior; its IgG comes back to rest and never below zero."""
    one = cohort(1)
    j = index("igg")
    escape, back = one.escape_rate.copy(), one.return_rate.copy()
    escape[:, j], back[:, j] = escape_per_d / DAY, escape_per_d * 0.45 / 0.55 / DAY
    fast = one._replace(escape_rate=escape, return_rate=back)
    times = np.arange(0.0, 56.0 * DAY, DAY / 2)
    plan = schedule(sessions(5), times, end=60 * DAY)
    coarse, fine = (march.course_all(fast, plan, step) for step in (march.STEP, march.STEP / 4))
    assert coarse.status[0] == 0
    assert coarse.concentration[0, j] == pytest.approx(fine.concentration[0, j], rel=1e-3)
