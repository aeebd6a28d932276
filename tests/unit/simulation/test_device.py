"""Where the courses of a trial run: chosen, said, never mixed; and the same numbers on a (simulated) device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opentpe.kernel import gpu
from opentpe.simulation import cluster, device, protocol, trial
from unit.simulation import learning
from unit.simulation.learning import InputError
from unit.simulation.test_trial import BASE, spec

TESTS = Path(__file__).resolve().parents[2]
_KINETIC = ["igg_fall_percent", "fibrinogen_lowest_before_g_l", "chair_h"]
_SIMULATED = """
import json, sys
from pathlib import Path
import numpy as np
from opentpe.simulation import device, protocol, summary, trial
from unit.simulation import learning
one = protocol.parse(json.loads(sys.argv[1]), learning.library())
chosen = device.choose("auto")
assert chosen.device == "gpu", chosen
found = {}
for where in ("cpu", "gpu"):
    folder = Path(sys.argv[2]) / where
    digest = trial.run(one, folder, learning.library(), learning.unit(), device=where)
    told = summary.summarise(folder, one, learning.library(), digest, device=where)
    found[where] = np.array([r.mean.value for r in told.results])
    assert trial.device_of(folder) == where and told.device == where
np.testing.assert_allclose(found["gpu"], found["cpu"], rtol=1e-9)
"""


@pytest.fixture
def no_device(monkeypatch):
    monkeypatch.setattr(gpu, "missing", lambda: "No CUDA device was found.")


@pytest.fixture
def a_device(monkeypatch):
    monkeypatch.setattr(gpu, "missing", lambda: "")
    monkeypatch.setattr(gpu, "name", lambda: "Test 1")


def test_without_a_device_auto_takes_the_processor_and_says_so(no_device):
    """One sentence: where it runs and why."""
    chosen = device.choose("auto")
    assert chosen == ("cpu", "Runs on the processor. No CUDA device was found.")


def test_a_device_that_is_not_there_is_refused(no_device):
    """Asked for by name: an error with what is missing and what to do."""
    with pytest.raises(InputError, match=r"No CUDA device was found.*--device cpu"):
        device.choose("gpu")
    with pytest.raises(InputError, match="auto, cpu, gpu"):
        device.choose("abacus")


def test_with_a_device_auto_takes_it(a_device):
    """And names it."""
    assert device.choose("auto").device == "gpu"
    assert "Test 1" in device.choose("auto").said
    assert device.choose("cpu").device == "cpu"


def test_a_trial_goes_on_where_it_was_begun(a_device):
    """Begun on the processor, auto stays there; the other device is refused, because parts never mix."""
    assert device.choose("auto", "cpu").device == "cpu"
    with pytest.raises(InputError, match="never mix"):
        device.choose("gpu", "cpu")


def test_a_trial_begun_on_a_device_needs_one(no_device):
    """On a machine without one the trial is not quietly finished elsewhere."""
    with pytest.raises(InputError, match="another --out"):
        device.choose("auto", "gpu")


def test_results_of_two_devices_have_two_names():
    """The hash of a trial holds its device."""
    one = spec()
    assert protocol.digest(one, learning.library(), "cpu") != protocol.digest(one, learning.library(), "gpu")


def test_the_manifest_says_the_device(tmp_path):
    """And a folder without one says nothing."""
    assert trial.device_of(tmp_path) is None
    trial.run(spec(patients=5, endpoints=_KINETIC), tmp_path, learning.library(), learning.unit())
    assert json.loads((tmp_path / "manifest.json").read_text())["device"] == "cpu"


def test_a_worker_without_a_device_refuses(no_device):
    """A cluster asked for graphics processors does not fall back to processors in silence."""
    with pytest.raises(InputError, match="No CUDA device"):
        cluster.work(spec(), 0, (), learning.unit(), "0" * 64, "gpu")


def test_a_trial_on_a_simulated_device_agrees_with_the_processor(tmp_path):
    """Numba's simulator runs the very kernel: every mean within 1e-9, device in manifest and summary."""
    pytest.importorskip("numba.cuda.simulator", reason="SKIPPED LOUDLY: this Numba brings no CUDA simulator")
    asked = json.dumps({**BASE, "patients": 2, "endpoints": _KINETIC, "arm": BASE["arm"][:1]})
    path = os.pathsep.join([str(TESTS), *sys.path])
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", _SIMULATED, asked, str(tmp_path)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_trial_on_a_real_device_agrees_with_the_processor(tmp_path):
    """Where there is one."""
    if gpu.missing():
        pytest.skip("SKIPPED LOUDLY: " + gpu.missing())
    one = spec(endpoints=_KINETIC)
    rows = trial.rows_of(one, 0)
    here, there = (
        trial.simulate(one, rows, learning.library(), learning.unit(), device=d) for d in (device.CPU, device.GPU)
    )
    assert all(there[name] == pytest.approx(here[name], rel=1e-9) for name in here)
