"""The same bytes on a cluster, with workers killed on the way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from opentpe.errors import StoppedError
from opentpe.simulation import cluster, trial
from unit.simulation import learning, test_trial
from unit.simulation.test_trial import spec, sums

distributed = pytest.importorskip("distributed")
SLOW_TO_START = {"distributed.worker.daemon": False, "distributed.scheduler.allowed-failures": 50}


@pytest.mark.slow
def test_a_cluster_with_a_killed_worker_makes_the_same_bytes(tmp_path):
    """Two processes; one is killed with -9 once parts arrive. Nothing is lost and nothing changes."""
    import dask

    one = spec(patients=300, chunk=10)
    here, there = tmp_path / "here", tmp_path / "there"
    trial.run(one, here, learning.library(), learning.unit())
    with (
        dask.config.set(SLOW_TO_START),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
    ):
        threading.Thread(target=_kill_one, args=(local, there), daemon=True).start()
        cluster.run(one, there, learning.library(), learning.unit(), local.scheduler_address)
    assert sums(here) == sums(there)


def _kill_one(local, folder):
    deadline = time.monotonic() + 120
    while len(list(folder.glob("part-*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    worker = next(iter(local.workers.values()))
    os.kill(worker.process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_scheduler_killed_on_the_way_leaves_a_trial_that_goes_on_alone(tmp_path):
    """Scheduler gone with -9 once parts arrived: a named error, and this machine alone ends with the same bytes."""
    one = spec(patients=1000, chunk=10)
    here, there = tmp_path / "here", tmp_path / "there"
    file = tmp_path / "scheduler.json"
    scheduler = _started("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    _wait_for(file.is_file)
    address = json.loads(file.read_text())["address"]
    worker = _started("dask_worker", address, "--nthreads", "1")
    try:
        _wait_for(lambda: len(_workers(address)) == 1)
        threading.Thread(target=_kill_once_two_parts, args=(scheduler, there), daemon=True).start()
        with pytest.raises(StoppedError, match="Finished parts stay valid"):
            cluster.run(one, there, learning.library(), learning.unit(), address)
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
    kept = sums(there)
    assert 2 <= len(kept) < one.chunks_count
    for folder in (here, there):
        trial.run(one, folder, learning.library(), learning.unit())
    assert sums(here) == sums(there)
    assert kept.items() <= sums(there).items()


def _started(module, *arguments):
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait_for(true, seconds=120):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "nothing came in time"
        time.sleep(0.05)


def _workers(address):
    with distributed.Client(address, set_as_default=False) as client:
        return client.scheduler_info()["workers"]


def _kill_once_two_parts(scheduler, folder):
    _wait_for(lambda: len(list(folder.glob("part-*.parquet"))) >= 2)
    scheduler.kill()


def test_a_scheduler_that_is_gone_is_named(tmp_path, monkeypatch):
    """Nobody answers: said so, and what was there stays resumable."""
    monkeypatch.setattr(cluster, "_ANSWER_S", 1)
    with pytest.raises(StoppedError, match=r"scheduler tcp://127\.0\.0\.1:9"):
        cluster.run(spec(), tmp_path, learning.library(), learning.unit(), "tcp://127.0.0.1:9")
    trial.run(spec(), tmp_path, learning.library(), learning.unit())
    assert len(sums(tmp_path)) == 5


def test_a_worker_with_other_evidence_refuses():
    """A part made with another library would not be the same trial."""
    one = spec()
    with pytest.raises(test_trial.InputError, match="another program or evidence"):
        cluster.work(one, 0, (), learning.unit(), "0" * 64)
