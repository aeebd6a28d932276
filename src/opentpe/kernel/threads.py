"""Rows of a cohort shared out among plain threads: compiled functions that leave the interpreter lock do the work.

Safe in a web server, and one compiled function serves any count; each row is the same bits on any thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_PIECES = 8  # a thread: rows differ in length, so that small pieces end together


def share(count: int, work: Callable[[int, int], None], threads: int = 0) -> None:
    """Calls `work(first, last)` until all `count` rows are done; `threads` 0 means all cores."""
    workers = min(threads or os.cpu_count() or 1, count)
    if workers <= 1:
        work(0, count)
        return
    edges = np.linspace(0, count, min(count, _PIECES * workers) + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, edges[:-1].tolist(), edges[1:].tolist()))
