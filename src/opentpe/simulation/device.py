"""On what the courses of a trial run: the processor, or a graphics processor where there is one."""

from __future__ import annotations

from typing import Final, NamedTuple

from opentpe.errors import InputError
from opentpe.kernel import gpu, march
from opentpe.kernel.arrays import Cohort, Schedule, Trajectory

AUTO, CPU, GPU = "auto", "cpu", "gpu"
DEVICES: Final = (AUTO, CPU, GPU)


class Chosen(NamedTuple):
    """The device a trial runs on, and why, in one sentence."""

    device: str
    said: str


def choose(asked: str, held: str | None = None) -> Chosen:
    """The device for what was asked; `held` is that of a trial already begun, which it goes on with.

    `InputError` where a graphics processor is asked for, or was begun on, and none is there.
    """
    if asked not in DEVICES:
        raise InputError("--device", repr(asked), ", ".join(DEVICES))
    if held is not None and asked not in (AUTO, held):
        raise InputError(
            "--device", f"{asked} for a trial begun on {held}", held,
            "Parts of two devices never mix: go on with the first, or give another --out.",
        )  # fmt: skip
    missing = gpu.missing()
    wanted = held or asked
    if wanted == GPU and missing:
        remedy = "Give another --out to start again on the processor." if held else "Use --device cpu or auto."
        raise InputError("--device", f"gpu ({missing.rstrip('.')})", "a CUDA device and numba-cuda", remedy)
    if wanted == CPU or missing:
        return Chosen(CPU, f"Runs on the processor. {missing if asked == AUTO else ''}".strip())
    return Chosen(GPU, f"Runs on the graphics processor {gpu.name()}, in double precision.")


def march_on(device: str, people: Cohort, table: Schedule, threads: int = 1) -> Trajectory:
    """Every patient through the schedule on a device; the two agree to 1e-9."""
    if device == GPU:
        return gpu.course_all(people, table)
    return march.course_all(people, table, threads=threads)
