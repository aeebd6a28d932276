"""One procedure on the device clock, and a thousand on all cores."""

import os
import time

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Dose, FluidPart, Prescription
from opentpe.evidence.load import load
from opentpe.simulation import procedure
from opentpe.simulation.exchange import Exchange

_BEST_OF = 15


def _exchange():
    order = Prescription(1.0, Dose.PLASMA_VOLUMES, (FluidPart("albumin_5", 1.0),))
    return Exchange(Subject(False, 175.0, 75.0, 0.40), order)


def one():
    """Seconds of one core for a run, and the seconds of run; set-up apart."""
    state = procedure.start(_exchange(), load(), seed=1, connected=True)
    best = np.inf
    for _ in range(_BEST_OF):
        fresh = procedure.branch(state)
        start = time.process_time()
        ended = procedure.advance(fresh, procedure.LONGEST_S)
        best = min(best, time.process_time() - start)
    return best, ended.run_s


def many(count=1000):
    """Wall seconds of `count` procedures, set-up included, one patient's thresholds a seed."""
    library, what = load(), _exchange()
    procedure.crowd(what, library, range(2))
    start = time.perf_counter()
    procedure.crowd(what, library, range(count), os.cpu_count())
    return time.perf_counter() - start


def rows():
    """Rows of the benchmark page."""
    seconds, ran = one()
    return [
        ("one procedure second by second, per core", f"{1e3 * seconds:.1f} ms", f"{ran} s of run, no log", "10 ms"),
        ("1,000 procedures, all cores", f"{many():.1f} s", "set-up included", "-"),
    ]
