"""The same course on a graphics processor: one thread a patient, the very functions of `march` and `pools`.

Needs `numba-cuda` and a CUDA device; `missing` says what is not there. Double precision: agrees with the CPU to 1e-9.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from opentpe.kernel import march
from opentpe.kernel.arrays import (
    STATE_ROWS,
    WORK_ROWS,
    Cohort,
    Floats,
    Schedule,
    State,
    Trajectory,
    blank_result,
    pack,
    pack_schedule,
    trajectory,
)

cuda: Any
try:
    from numba import cuda
except ImportError:
    cuda = None

THREADS = 64  # in a block: the state of one patient does not fit into registers, so small blocks wait less


class Room(NamedTuple):
    """Room to work in, one slice a patient."""

    amount: Floats  # [n, 7, m]
    blocker: Floats  # [n, 2]
    work: Floats  # [n, 18, m]
    trial: Floats  # [n, 7, m]


def missing() -> str:
    """Why there is no graphics processor to run on, in one sentence; empty where there is one."""
    if cuda is None:
        return "numba-cuda is not installed."
    return "" if cuda.is_available() else "No CUDA device was found."


def name() -> str:
    """The name of the device; ask `missing` first."""
    if not hasattr(cuda, "get_current_device"):
        return "of Numba's simulator"
    found = cuda.get_current_device().name
    return found.decode() if isinstance(found, bytes) else str(found)


@lru_cache(maxsize=1)
def _threads() -> Any:
    """The compiled kernel, once a process."""
    return cuda.jit(_thread)


def _thread(packed: Any, plan: Any, result: Any, step: float, room: Any) -> None:
    """One patient; compiled when it is first launched."""
    i = cuda.grid(1)
    if i < packed.person.shape[0]:
        state = State(room.amount[i], room.blocker[i], room.work[i])
        march.one(i, packed, plan, result, step, state, room.trial[i])


def course_all(cohort: Cohort, schedule: Schedule, step: float = march.STEP) -> Trajectory:
    """Every patient of a cohort through the schedule on the graphics processor; ask `missing` first."""
    packed, plan = pack(cohort), pack_schedule(schedule)
    n, m = packed.person.shape[0], packed.law.size
    result = blank_result(n, m, plan.cells.shape[1], plan.output.size)
    rows = (STATE_ROWS, WORK_ROWS, STATE_ROWS)
    amount, work, trial = (np.zeros((n, r, m)) for r in rows)
    _threads()[-(-n // THREADS), THREADS](packed, plan, result, step, Room(amount, np.zeros((n, 2)), work, trial))
    return trajectory(result)
