"""How a kernel function is compiled: cached on disk, and a division by zero gives infinity instead of raising.

A product and a sum may be fused into one rounding (a tenth of the time of a session). Bits are therefore the same on
machines with the same instruction set; nothing is reordered, and no other freedom is given (decision 9).
"""

import sys
from importlib import import_module
from typing import Any, Final

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
_BLAS: Final = "scipy.linalg.cython_blas"


def load_without_blas() -> None:
    """Lets Numba load its functions without looking for SciPy's BLAS, which no kernel calls: a fifth of a second.

    For a process of our own: a covariance inside a function that somebody else compiles would miss it.
    """
    if _BLAS in sys.modules:
        return
    sys.modules[_BLAS] = None  # type: ignore[assignment]  # so Python says: not to be had
    try:
        import_module("numba.np.arraymath")
    finally:
        del sys.modules[_BLAS]
