"""The course on a graphics processor: the same numbers as on the CPU, and a clear line where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from opentpe.kernel import gpu, march, timeline
from support.solutes import DAY, schedule, sessions, varied

TESTS = Path(__file__).resolve().parents[2]
_SIMULATED = """
import numpy as np
from support.solutes import DAY, schedule, sessions, varied
from opentpe.kernel import gpu, march, timeline
people, plan = varied(3), schedule(sessions(1), [2 * DAY, 5 * DAY], (timeline.Dose(2, -DAY, 300.0),))
assert gpu.missing() == ""
np.testing.assert_allclose(
    gpu.course_all(people, plan).concentration, march.course_all(people, plan).concentration, rtol=1e-9
)
"""


def test_the_device_gives_the_numbers_of_the_cpu():
    """Every concentration within 1e-9, in double precision."""
    if gpu.missing():
        pytest.skip("SKIPPED LOUDLY: " + gpu.missing())
    people = varied(100)
    plan = schedule(sessions(), np.arange(1, 40) * DAY, (timeline.Dose(2, -DAY, 300.0),))
    found = gpu.course_all(people, plan)
    np.testing.assert_allclose(found.concentration, march.course_all(people, plan).concentration, rtol=1e-9)
    assert not found.status.any()


def test_what_is_missing_is_one_sentence():
    """No device, no traceback."""
    assert gpu.missing() == "" or gpu.missing().endswith(".")


def test_numbas_simulator_of_a_device_gives_the_same_numbers():
    """The thread that runs one patient reads and writes the right rows, where there is no device to show it."""
    pytest.importorskip("numba.cuda.simulator", reason="SKIPPED LOUDLY: this Numba brings no CUDA simulator")
    path = os.pathsep.join([str(TESTS), *sys.path])
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", _SIMULATED], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
