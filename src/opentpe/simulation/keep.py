"""A procedure kept on disk and taken up again: one file with the arrays of the moment and what was set.

The file is a NumPy archive without pickles. It carries the hash of the evidence library: another library would be
another machine, so it is refused.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from opentpe.domain.documents import decode, encode
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel import body, circulation, citrate, fluid, records
from opentpe.simulation import procedure
from opentpe.simulation.events import Event
from opentpe.simulation.exchange import Exchange
from opentpe.simulation.procedure import State

_SCHEMA: Final = "opentpe.state/1"


def save(state: State, path: Path, library: Library) -> None:
    """Writes a state to a file."""
    told = {
        "schema": _SCHEMA,
        "library": library.digest,
        "seed": state.seed,
        "exchange": encode(state.ready.exchange),
        "pending": [encode(e) for e in state.pending],
        "done": [encode(e) for e in state.done],
    }
    live = state.live
    with path.open("wb") as file:
        np.savez_compressed(
            file, told=np.array(json.dumps(told)), now=live.now, volume=live.volume, mass=live.mass,
            alarms=live.alarms, journal=live.journal, vitals=state.vitals, person=np.array(_flat(state.person)),
            amounts=state.pools.amounts, pending=state.pools.pending,
        )  # fmt: skip


def load(path: Path, library: Library) -> State:
    """A state from a file, on the same evidence library; `InputError` names what does not fit."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
            told = json.loads(str(arrays["told"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(str(path), f"no saved run ({error})", "a file written with --save") from error
    if told.get("schema") != _SCHEMA or told.get("library") != library.digest:
        raise InputError(str(path), "a run saved on another evidence library", f"library {library.digest[:12]}",
                         "Run it again on this library.")  # fmt: skip
    exchange = decode(Exchange, told["exchange"], "exchange")
    state = procedure.start(exchange, library, seed=int(told["seed"]))
    live = records.Machine(*(arrays[n] for n in ("now", "volume", "mass", "alarms", "journal")))
    return replace(
        state, live=live, vitals=arrays["vitals"], person=_person(arrays["person"]),
        pools=body.Pools(state.pools.rates, arrays["amounts"], arrays["pending"]),
        pending=tuple(decode(Event, e, "pending") for e in told["pending"]),
        done=tuple(decode(Event, e, "done") for e in told["done"]),
    )  # fmt: skip


def _flat(value: Any) -> list[float]:
    """A nested record of numbers as one list."""
    if isinstance(value, tuple):
        return [x for part in value for x in _flat(part)]
    return [float(value)]


def _person(flat: Any) -> body.Patient:
    """The patient from its numbers, in the order of `_flat`."""
    rest = [float(x) for x in flat]

    def take(count: int) -> list[float]:
        part = rest[:count]
        del rest[:count]
        return part

    state = fluid.State(*take(len(fluid.State._fields)))
    chemistry = citrate.State(*take(len(citrate.State._fields)))
    a, b, c, d = take(4)
    milieu = citrate.Milieu(*take(len(citrate.Milieu._fields)))
    carried = circulation.Carried(*take(len(circulation.Carried._fields)))
    drive, zero, lowest, felt, failing, rate, until = take(7)
    guess = citrate.Guess((a, b), (c, d))
    return body.Patient(
        state, chemistry, guess, milieu, carried, drive, zero, lowest, int(felt), bool(failing), rate, int(until)
    )


def same(a: State, b: State) -> bool:
    """True where two states are the same to the last bit."""
    return (
        all(np.array_equal(x, y) for x, y in zip(a.live, b.live, strict=True))
        and _flat(a.person) == _flat(b.person)
        and all(np.array_equal(x, y) for x, y in zip(a.pools, b.pools, strict=True))
        and dataclasses.astuple(a.ready.exchange.subject) == dataclasses.astuple(b.ready.exchange.subject)
    )
