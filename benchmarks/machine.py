"""What this machine can do: multiply-adds per second of one core, its name, its cores."""

import os
import platform
import time
from pathlib import Path

import numpy as np
from numba import njit


@njit
def _chain(n, a, b):
    """Eight independent multiply-adds a turn: what scalar code can reach at best."""
    x0, x1, x2, x3, x4, x5, x6, x7 = 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7
    for _ in range(n):
        x0, x1, x2, x3 = x0 * a + b, x1 * a + b, x2 * a + b, x3 * a + b
        x4, x5, x6, x7 = x4 * a + b, x5 * a + b, x6 * a + b, x7 * a + b
    return x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7


def operations_per_s() -> float:
    """Additions and multiplications a second, one core, best of several."""
    turns, best = 5_000_000, np.inf
    _chain(10, 0.999, 0.001)
    for _ in range(7):
        start = time.process_time()
        _chain(turns, 0.999, 0.001)
        best = min(best, time.process_time() - start)
    return 16 * turns / best


def name() -> str:
    """Processor and cores."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = found[0] if found else model
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
