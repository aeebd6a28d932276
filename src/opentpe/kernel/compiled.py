"""How a kernel function is compiled: cached on disk, and a division by zero gives infinity instead of raising.

A product and a sum may be fused into one rounding (a tenth of the time of a session). Bits are therefore the same on
machines with the same instruction set; nothing is reordered, and no other freedom is given (decision 9).
"""

from typing import Any

from numba import njit

_CLOSED: Any = {"no_cpython_wrapper": True}

compiled = njit(cache=True, error_model="numpy", fastmath={"contract"})
unlocked = njit(
    cache=True, error_model="numpy", fastmath={"contract"}, nogil=True
)  # leaves the interpreter lock, for plain threads
inner = njit(
    cache=True, error_model="numpy", fastmath={"contract"}, **_CLOSED
)  # called by kernels alone: half the time to compile
woven = njit(
    cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True
)  # called from one hot place: no records passed through memory
