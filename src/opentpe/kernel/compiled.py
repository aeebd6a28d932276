"""How a kernel function is compiled: cached on disk, and a division by zero gives infinity instead of raising."""

from numba import njit

compiled = njit(cache=True, error_model="numpy")
unlocked = njit(cache=True, error_model="numpy", nogil=True)  # leaves the interpreter lock, for plain threads
