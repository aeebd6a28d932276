"""A large virtual cohort in chunks: time on all cores and peak memory; run in a process of its own."""

import contextlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from benchmarks import course
from opentpe.kernel import march, timeline
from opentpe.simulation import cohort

CHUNK = 2000


def run(patients: int, full: bool) -> dict[str, float]:
    """Draws, courses and, with `full`, every session's physiology; seconds of each and peak memory, MB.

    A full course runs its solutes up to the last session, then the sessions, then the solutes in the volume they leave.
    """
    bench = course.prepare(2)
    spent = {"draws": 0.0, "kinetics": 0.0, "sessions": 0.0}
    course_at_rest = timeline.sessions_only(bench.plan) if full else bench.plan
    lowest = np.inf
    for first in range(0, patients, CHUNK):
        rows = np.arange(first, min(first + CHUNK, patients))
        with _timed(spent, "draws"):
            people = cohort.people(course.SUBJECT, bench.run.columns, bench.run.setup, bench.library, 1, rows)
        with _timed(spent, "kinetics"):
            found = march.course_all(people, course_at_rest)
        if full:
            with _timed(spent, "sessions"):
                attended = course.felt(bench, people, found, rows)
            with _timed(spent, "kinetics"):
                found = march.course_all(people, course.in_moving_volume(bench, attended))
        lowest = min(lowest, float(found.after.min()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**spent, "memory_mb": memory, "lowest": lowest}


@contextlib.contextmanager
def _timed(spent: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent[name] += time.perf_counter() - start


def measure(patients: int, full: bool) -> dict[str, float]:
    """The same in a fresh process, so that the memory is its own."""
    command = [sys.executable, "-m", "benchmarks.crowd", str(patients), str(int(full))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), bool(int(sys.argv[2])))))
