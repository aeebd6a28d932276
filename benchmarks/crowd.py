"""A large virtual cohort in chunks: time on all cores and peak memory; run in a process of its own."""

import json
import resource
import subprocess
import sys
import time

import numpy as np

from benchmarks import course
from opentpe.kernel import march
from opentpe.simulation import cohort, physiology

CHUNK = 500


def run(patients: int, full: bool) -> dict[str, float]:
    """Draws, courses and, with `full`, every session's physiology; seconds of each and peak memory, MB."""
    bench = course.prepare(2)
    setup, columns, library = bench.run.setup, bench.run.columns, bench.library
    procedures = tuple(p for p, _ in bench.run.runs)
    spent = {"draws": 0.0, "kinetics": 0.0, "sessions": 0.0}
    lowest = np.inf
    for first in range(0, patients, CHUNK):
        rows = np.arange(first, min(first + CHUNK, patients))
        start = time.perf_counter()
        people = cohort.people(course.SUBJECT, columns, setup, library, 1, rows)
        spent["draws"] += time.perf_counter() - start
        start = time.perf_counter()
        found = march.course_all(people, bench.plan)
        spent["kinetics"] += time.perf_counter() - start
        lowest = min(lowest, float(found.after.min()))
        if full:
            start = time.perf_counter()
            physiology.attend(course.SUBJECT, setup, procedures, columns, people, found, library, 1, rows)
            spent["sessions"] += time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**spent, "memory_mb": memory, "lowest": lowest}


def measure(patients: int, full: bool) -> dict[str, float]:
    """The same in a fresh process, so that the memory is its own."""
    command = [sys.executable, "-m", "benchmarks.crowd", str(patients), str(int(full))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), bool(int(sys.argv[2])))))
