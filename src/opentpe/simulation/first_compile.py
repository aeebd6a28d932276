"""The first run on a machine compiles the kernels: said out loud, done side by side, and never again.

`python -m opentpe.simulation.first_compile` does it ahead of time; the tests and the installer call that.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from opentpe.kernel import CACHE_FOLDER

_MARK: Final = "compiled"
_JOBS: Final = ("solutes", "sessions")
_HERE: Final = "opentpe.simulation.first_compile"


def needed(folder: Path = CACHE_FOLDER) -> bool:
    """True until the kernels of this version have been compiled on this machine."""
    return not (folder / _MARK).exists()


def ensure(say: Callable[[str], object], folder: Path = CACHE_FOLDER) -> None:
    """Compiles what a forecast needs where that has not been done; the two halves at the same time."""
    if not needed(folder):
        return
    say("Compiling the simulation for this machine, once (about half a minute on two cores) …")
    children = [subprocess.Popen([sys.executable, "-m", _HERE, job]) for job in _JOBS[1:]]  # noqa: S603 - our own module
    _compile(_JOBS[0])
    for child in children:
        child.wait()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("done\n", encoding="utf-8")


def _compile(job: str) -> None:
    """Runs the smallest course that touches every function of a job."""
    from opentpe.domain import words  # noqa: PLC0415 - a child process loads only what it compiles
    from opentpe.domain.subject import Subject  # noqa: PLC0415
    from opentpe.evidence.load import load  # noqa: PLC0415
    from opentpe.simulation import bodies, course, session, setup  # noqa: PLC0415

    library = load()
    unit, subject, order = library.document("unit"), Subject(True, 168.0, 68.0, 0.38), words.parse("1 x 1 PV daily")
    if job == "solutes":
        course.simulate(subject, order, library, unit, seed=0, draws=2, kinetics_only=True)
    else:
        import numpy as np  # noqa: PLC0415

        prepared, rows = setup.prepare(subject, order, library, unit), np.arange(2)
        known = bodies.Known(np.full(2, prepared.plasma_volume_ml))
        session.run(subject, prepared, known, library, 0, rows, recorded=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _compile(sys.argv[1])
    else:
        ensure(lambda text: sys.stderr.write(text + "\n"))
