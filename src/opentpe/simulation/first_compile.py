"""The first run on a machine compiles the kernels: said out loud, done side by side, and never again.

`python -m opentpe.simulation.first_compile` does it ahead of time; the tests and the installer call that.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from opentpe.kernel import CACHE_FOLDER

JOBS: Final = ("separator", "sessions", "solutes")  # the longest first
_MARK: Final = "compiled"
_HERE: Final = "opentpe.simulation.first_compile"
_LOOK_S: Final = 0.5
_PLAIN: Final = {"NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING": "1"}  # Numba colours each rejected overload otherwise


def needed(folder: Path = CACHE_FOLDER) -> bool:
    """True until the kernels of this version have been compiled on this machine."""
    return not (folder / _MARK).exists()


def ensure(say: Callable[[str], object], folder: Path = CACHE_FOLDER, workers: int = 0) -> bool:
    """Compiles everything where that has not been done, as many parts at a time as there are cores; True if all did.

    `say` hears every half second how far it is. A part that fails is compiled when it is first used.
    """
    if not needed(folder):
        return True
    start, waiting, failed = time.monotonic(), list(JOBS), False
    running: dict[str, subprocess.Popen[bytes]] = {}
    while waiting or running:
        while waiting and len(running) < max(1, workers or os.cpu_count() or 1):
            job = waiting.pop(0)
            running[job] = _start(job)
        say(_line(time.monotonic() - start, waiting, running))
        time.sleep(_LOOK_S)
        for job in [j for j, child in running.items() if child.poll() is not None]:
            failed |= running.pop(job).returncode != 0
    if not failed:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).write_text("done\n", encoding="utf-8")
    return not failed


def _start(job: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", _HERE, job]
    return subprocess.Popen(command, env={**os.environ, **_PLAIN})  # noqa: S603 - our own module


def _line(seconds: float, waiting: list[str], running: dict[str, subprocess.Popen[bytes]]) -> str:
    ready = len(JOBS) - len(waiting) - len(running)
    return (
        f"Compiling the simulation for this machine, once (about half a minute on two cores): "
        f"{ready} of {len(JOBS)} parts ready, now {' and '.join(running)}, {seconds:.0f} s"
    )


def compile_part(job: str) -> None:
    """Runs the smallest case that touches every function of a part."""
    from opentpe.domain import words  # noqa: PLC0415 - a child process loads only what it compiles
    from opentpe.domain.subject import Subject  # noqa: PLC0415
    from opentpe.evidence.load import load  # noqa: PLC0415

    if job == "solutes":
        _solutes()
        return
    library, order = load(), words.parse("1 x 1 PV daily")
    subject = Subject(True, 168.0, 68.0, 0.38)
    if job == "separator":
        from opentpe.simulation import exchange, procedure  # noqa: PLC0415

        state = procedure.start(exchange.Exchange(subject, order.prescription), library, seed=0)
        procedure.advance(state, 1)
        return
    from opentpe.simulation import setup  # noqa: PLC0415

    _sessions(subject, setup.prepare(subject, order, library, library.document("unit")), library)


def _solutes() -> None:
    """One solute in one body for a minute: the types are those of every course."""
    import numpy as np  # noqa: PLC0415

    from opentpe.kernel import arrays, march, timeline  # noqa: PLC0415

    one, table, names = np.ones(1), np.ones((1, 1)), arrays.Cohort._fields
    fields: dict[str, Any] = {name: table if 2 <= at < 13 else one for at, name in enumerate(names)}
    body = arrays.Cohort(**{**fields, "law": np.zeros(1, np.int64)})
    march.course_all(body, timeline.build([], [], 1.0, one, table, table))


def _sessions(subject: Any, prepared: Any, library: Any) -> None:
    """A session, the crowd's arithmetic and the maps of a plan, each once."""
    import numpy as np  # noqa: PLC0415

    from opentpe.kernel import affine, crowd  # noqa: PLC0415
    from opentpe.simulation import bodies, session  # noqa: PLC0415

    known = bodies.Known(np.full(2, prepared.plasma_volume_ml))
    session.run(subject, prepared, known, library, 0, np.arange(2), recorded=True)
    one, maps, first = np.ones(1), np.ones((1, 1, 2, 3)), np.zeros((1, 1), np.int64)
    crowd.runs(one, one, one, one, prepared.settings)
    affine.stretch(one, one, one, one, one, 1.0, maps[0], maps[0].copy())
    affine.courses(np.ones((1, 2)), maps, maps, first[0], first, first[0], np.ones((1, 1)), np.ones((1, 1)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        gc.disable()  # an eighth of the time, for a third more memory
        compile_part(sys.argv[1])
    else:
        compiled = ensure(lambda text: sys.stderr.write(f"\r{text} "))
        sys.stderr.write("\n")
        sys.exit(not compiled)
