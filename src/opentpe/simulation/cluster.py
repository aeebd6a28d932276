"""The same trial on many machines: parts go to a Dask scheduler, bytes come back, this machine writes them.

A part is the same bytes wherever it is made, so a worker that dies costs its part once more and changes nothing. What
was written stays; where the scheduler goes, the same command goes on, with or without it.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from opentpe.errors import InputError, StoppedError
from opentpe.evidence.load import Library, load
from opentpe.simulation import device as devices
from opentpe.simulation import trial
from opentpe.simulation.protocol import Spec

_ANSWER_S: Final = 10
_AHEAD: Final = 4  # parts in flight per worker


@lru_cache(maxsize=2)
def _library(overlays: tuple[str, ...]) -> Library:
    return load([Path(p) for p in overlays])


def work(
    spec: Spec, chunk: int, overlays: tuple[str, ...], unit: dict[str, Any], digest: str, device: str = devices.CPU
) -> bytes:
    """One part on a worker, from the worker's own library; refused where that is another evidence or program."""
    from opentpe.simulation import protocol  # noqa: PLC0415 - on the worker

    library = _library(overlays)
    devices.choose(device)
    own = protocol.digest(spec, library, device)
    if own != digest:
        raise InputError("worker", "another program or evidence than here", "the same version on every machine")
    return trial.part(spec, chunk, library, unit, digest, threads=1, device=device)


def run(
    spec: Spec,
    folder: Path,
    library: Library,
    unit: Mapping[str, Any],
    scheduler: str,
    overlays: Sequence[Path] = (),
    progress: trial.Progress | None = None,
    device: str = devices.CPU,
) -> str:
    """Runs what is not finished on a Dask cluster; `StoppedError` where the scheduler does not answer or goes."""
    try:
        from distributed import Client  # noqa: PLC0415 - the extra `cluster`
    except ModuleNotFoundError:
        raise InputError(
            "opentpe", "no distributed", "the extra [cluster]", "Install it: pip install 'opentpe[cluster]'"
        ) from None
    digest = trial.open_folder(folder, spec, library, device)
    todo = [c for c in range(spec.chunks_count) if not trial.finished(folder, spec, c, digest)]
    done = spec.patients - sum(trial.rows_of(spec, c).size for c in todo)
    if progress:
        progress(done, spec.patients)

    def keep(chunk: int, data: bytes) -> None:
        nonlocal done
        trial.write(trial.part_path(folder, chunk), data)
        done += trial.rows_of(spec, chunk).size
        if progress:
            progress(done, spec.patients)

    def send(client: Any, chunk: int) -> Any:
        key = f"part-{digest[:16]}-{spec.chunk}-{chunk}"
        return client.submit(
            work, spec, chunk, tuple(map(str, overlays)), dict(unit), digest, device, key=key, retries=3
        )

    make: Any = Client
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it would print is told below, once
    try:
        with make(scheduler, timeout=_ANSWER_S, set_as_default=False) as client:
            _flow(client, iter(todo), send, keep)
    except (StoppedError, InputError):
        raise
    except Exception as error:
        said = str(error).partition("\n")[0].rstrip(".")
        raise StoppedError(
            f"scheduler {scheduler}: {said or type(error).__name__}. Finished parts stay valid; run the same command "
            "again, with a scheduler or without."
        ) from error
    return digest


def _flow(
    client: Any, waiting: Iterator[int], send: Callable[[Any, int], Any], keep: Callable[[int, bytes], None]
) -> None:
    """Sends a few parts a worker ahead, and one more for each that comes back."""
    from distributed import as_completed  # noqa: PLC0415 - the extra `cluster`

    follow: Any = as_completed
    ahead = _AHEAD * max(1, len(client.scheduler_info()["workers"]))
    futures = {send(client, chunk): chunk for chunk in itertools.islice(waiting, ahead)}
    flow = follow(list(futures), loop=client.loop)
    for future in flow:
        keep(futures.pop(future), future.result())
        chunk = next(waiting, None)
        if chunk is not None:
            another = send(client, chunk)
            futures[another] = chunk
            flow.add(another)
