"""How a kernel function is compiled: cached on disk, and a division by zero gives infinity instead of raising."""

from typing import Any

from numba import njit

_CLOSED: Any = {"no_cpython_wrapper": True}

compiled = njit(cache=True, error_model="numpy")
unlocked = njit(cache=True, error_model="numpy", nogil=True)  # leaves the interpreter lock, for plain threads
inner = njit(cache=True, error_model="numpy", **_CLOSED)  # called by kernels alone: half the time to compile
woven = njit(
    cache=True, error_model="numpy", forceinline=True
)  # called from one hot place: no records passed through memory
