"""How kernels are compiled: cached, and a division by zero gives infinity, because a kernel raises nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """A kernel that Python and other kernels call."""
    made: Function = njit(**_OPTIONS)(function)
    return made


def inner(function: Function) -> Function:
    """A kernel that only other kernels call: half the time to compile, because no door to Python is built."""
    made: Function = njit(no_cpython_wrapper=True, **_OPTIONS)(function)
    return made
