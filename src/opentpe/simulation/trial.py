"""Virtual trials in parts: every part is one file, made once, checked when read, and the same on any machine.

A folder holds `manifest.json` (specification, seed, code and evidence hash) and one Parquet file a part, one row a
patient, one column an arm and endpoint. A part is written beside its place and moved there whole: a kill leaves
finished parts valid, and the same command goes on. Memory holds one part.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from opentpe import __version__
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.errors import InputError, StoppedError
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats, Integers
from opentpe.simulation import outcomes, population, protocol, virtual
from opentpe.simulation.device import CPU
from opentpe.simulation.protocol import Spec
from opentpe.simulation.virtual import Planned

MANIFEST: Final = "manifest.json"
_MARK: Final = b"opentpe"
Progress = Callable[[int, int], None]  # patients done, patients in all


class Replay(NamedTuple):
    """One virtual patient in one arm in full detail, with the same numbers as in the trial."""

    arm: str
    subject: Subject
    delivered_fraction: tuple[float, ...]
    plasma_removed_ml: tuple[float, ...]
    duration_min: tuple[float, ...]
    before: tuple[tuple[str, tuple[float, ...]], ...]  # solute, level before each session
    after: tuple[tuple[str, tuple[float, ...]], ...]
    within: tuple[tuple[str, tuple[float, ...]], ...]  # what each session did, where the detail is full
    endpoints: tuple[tuple[str, float], ...]


def column(arm: str, endpoint: str) -> str:
    """The name of a column."""
    return f"{arm}{protocol.SEPARATOR}{endpoint}"


def part_path(folder: Path, chunk: int) -> Path:
    """The file of a part."""
    return folder / f"part-{chunk:06d}.parquet"


def rows_of(spec: Spec, chunk: int) -> Integers:
    """The patient numbers of a part."""
    return np.arange(chunk * spec.chunk, min((chunk + 1) * spec.chunk, spec.patients))


def simulate(
    spec: Spec, rows: Integers, library: Library, unit: Mapping[str, Any], threads: int = 0, device: str = CPU
) -> dict[str, Any]:
    """Every column for the patients of these numbers; row i is the same in any call on the device."""
    found: dict[str, Any] = {"patient": rows}
    for plan in _plans(spec, library, unit):
        lived = virtual.live(plan, spec, library, rows, threads, device)
        for name, values in outcomes.of(lived, spec, library).items():
            found[column(plan.arm.name, name)] = values
    return found


def _plans(spec: Spec, library: Library, unit: Mapping[str, Any]) -> tuple[Planned, ...]:
    return _kept_plans(spec, library.digest, _Held(library, dict(unit)))


class _Held:
    """Library and unit, alike for the cache where the library's hash is the same."""

    def __init__(self, library: Library, unit: dict[str, Any]) -> None:
        self.library, self.unit = library, unit
        self.key = json.dumps(unit, sort_keys=True, default=str)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.key == self.key


@lru_cache(maxsize=8)
def _kept_plans(spec: Spec, _digest: str, held: _Held) -> tuple[Planned, ...]:
    return tuple(virtual.planned(arm, spec, held.library, held.unit) for arm in spec.arms)


def part(
    spec: Spec,
    chunk: int,
    library: Library,
    unit: Mapping[str, Any],
    digest: str,
    *,
    threads: int = 0,
    device: str = CPU,
) -> bytes:
    """One part as the bytes of its Parquet file; the same bytes for the same trial on the same kind of device."""
    found = simulate(spec, rows_of(spec, chunk), library, unit, threads, device)
    table = pa.table(found).replace_schema_metadata({_MARK: f"{digest}/{spec.chunk}/{chunk}".encode()})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", version="2.6")
    return sink.getvalue()


def finished(folder: Path, spec: Spec, chunk: int, digest: str) -> bool:
    """True where a part lies there whole and belongs to this trial."""
    try:
        metadata = pq.read_schema(part_path(folder, chunk)).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return False
    return bool(metadata.get(_MARK) == f"{digest}/{spec.chunk}/{chunk}".encode())


def write(path: Path, data: bytes) -> None:
    """A file written whole or not at all; `StoppedError` where the disk does not take it."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoppedError(
            f"{path}: {error.strerror or error}. Finished parts stay valid; make room and run the same command again."
        ) from error


def device_of(folder: Path) -> str | None:
    """The device a trial was begun on; None for a folder without one."""
    try:
        held = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(held.get("device", CPU))


def open_folder(folder: Path, spec: Spec, library: Library, device: str = CPU) -> str:
    """The trial's hash, with its manifest in place; `InputError` where the folder holds another trial."""
    digest = protocol.digest(spec, library, device)
    path = folder / MANIFEST
    if path.is_file():
        held = json.loads(path.read_text(encoding="utf-8"))
        if held.get("digest") != digest or held.get("chunk") != spec.chunk:
            raise InputError(
                str(folder),
                "another trial, program or evidence",
                "an empty folder, or the same specification, program and evidence",
                "Give another --out, or finish the old trial with what it was started with.",
            )
        return digest
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoppedError(f"{folder}: {error.strerror or error}. Nothing was begun.") from error
    manifest = {
        "schema": "opentpe.trial-manifest/1",
        "digest": digest,
        "spec": asdict(spec),
        "chunk": spec.chunk,
        "seed": spec.seed,
        "device": device,
        "opentpe": __version__,
        "code": protocol.code_digest(),
        "evidence": library.digest,
    }
    write(path, (json.dumps(manifest, indent=1) + "\n").encode())
    return digest


def run(
    spec: Spec,
    folder: Path,
    library: Library,
    unit: Mapping[str, Any],
    progress: Progress | None = None,
    device: str = CPU,
) -> str:
    """Runs what is not finished yet, part by part, and returns the trial's hash."""
    digest = open_folder(folder, spec, library, device)
    todo = [c for c in range(spec.chunks_count) if not finished(folder, spec, c, digest)]
    done = spec.patients - sum(rows_of(spec, c).size for c in todo)
    if progress:
        progress(done, spec.patients)
    for chunk in todo:
        write(part_path(folder, chunk), part(spec, chunk, library, unit, digest, device=device))
        done += rows_of(spec, chunk).size
        if progress:
            progress(done, spec.patients)
    return digest


def values(folder: Path, spec: Spec, name: str) -> Iterator[Floats]:
    """One column of a finished trial, part by part in order; `StoppedError` where a part is missing."""
    for chunk in range(spec.chunks_count):
        try:
            table = pq.read_table(part_path(folder, chunk), columns=[name])
        except (OSError, pa.ArrowInvalid) as error:
            raise StoppedError(
                f"{part_path(folder, chunk)} is missing or broken. Run the same command again."
            ) from error
        yield table.column(0).to_numpy()


def replay(spec: Spec, i: int, library: Library, unit: Mapping[str, Any], device: str = CPU) -> tuple[Replay, ...]:
    """Patient `i` in every arm in full detail; the endpoints are those of the trial, bit for bit."""
    if not 0 <= i < spec.patients:
        raise InputError("patient", str(i), f"0 to {spec.patients - 1}")
    return tuple(_replayed(plan, spec, i, library, device) for plan in _plans(spec, library, unit))


def _replayed(plan: Planned, spec: Spec, i: int, library: Library, device: str) -> Replay:
    lived = virtual.live(plan, spec, library, np.array([i]), 1, device)
    keys, scale = plan.columns.keys, plan.columns.scale

    def levels(found: Floats) -> tuple[tuple[str, tuple[float, ...]], ...]:
        return tuple((k, tuple(float(v) for v in found[0, j] * scale[j])) for j, k in enumerate(keys))

    return Replay(
        plan.arm.name,
        population.person(lived.group, 0),
        tuple(map(float, lived.done.delivered_fraction[0])),
        tuple(map(float, lived.done.plasma_ml[0])),
        tuple(map(float, lived.done.minutes[0])),
        levels(lived.trajectory.before),
        levels(lived.trajectory.after),
        _within(lived),
        tuple((name, float(v[0])) for name, v in outcomes.of(lived, spec, library).items()),
    )


def _within(lived: virtual.Lived) -> tuple[tuple[str, tuple[float, ...]], ...]:
    if lived.felt is None:
        return ()
    table = lived.felt._asdict()
    return tuple((name, tuple(float(v) for v in np.atleast_1d(values[0]))) for name, values in table.items())


def days(plan: Planned) -> tuple[float, ...]:
    """Days on which the sessions of an arm are planned."""
    return tuple(float(t) / MINUTES_PER_DAY for t in plan.starts_min)
