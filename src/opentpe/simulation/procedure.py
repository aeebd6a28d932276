"""One procedure on the device clock: start it, advance it by seconds, look at it, or run it through.

    state = procedure.start(exchange, library, seed=1)
    state = procedure.advance(state, 60, ("slow inlet 20 %",))
    procedure.snapshot(state)["inlet_flow_ml_min"]

A `State` never changes: `advance` works on a copy, so that a kept state is a branch for what-if. The same exchange,
seed and events give the same log, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from opentpe.errors import InputError, InvariantError
from opentpe.evidence.load import Library
from opentpe.kernel import bedside, body, records
from opentpe.kernel.controller import Phase
from opentpe.simulation import bags, events, exchange, happen, outcome, planned, reactions
from opentpe.simulation.events import Event
from opentpe.simulation.exchange import Exchange, Ready

LONGEST_S: Final = 12 * 3600  # a run that is not over by then is stopped: no unit sits that long
_BALANCE: Final = 1e-9
_CODES: Final = {1: "the calcium equilibrium did not converge", 2: "an amount fell below zero", 4: "plasma ran out"}


@dataclass(frozen=True, slots=True)
class State:
    """A procedure at one second: what was set, the machine, the patient, and the events still to come."""

    ready: Ready
    seed: int
    par: Any
    table: Any  # WATCH
    bag: records.Fluids
    laws: body.Laws
    live: records.Machine
    person: body.Patient
    pools: body.Pools
    vitals: Any
    pending: tuple[Event, ...] = ()
    done: tuple[Event, ...] = ()
    calcium_mmol_g: float = 0.0

    @property
    def ended(self) -> bool:
        """True once the set is off the patient and the machine stands."""
        return bool(self.live.now[0]["phase"] == Phase.ENDED)

    @property
    def run_s(self) -> int:
        """Seconds since the connection of the patient; negative while the machine is made ready."""
        return int(self.live.now[0]["run_s"])


@dataclass(frozen=True, slots=True)
class Log:
    """One row a second: machine, vitals, solutes (mg/mL), as structured arrays."""

    machine: Any
    vitals: Any
    solutes: Any
    solute_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """A procedure run through: its last state, its log, and what came of it."""

    state: State
    log: Log
    summary: outcome.Summary
    journal: tuple[outcome.Entry, ...]


def start(
    what: Exchange, library: Library, *, seed: int, happenings: Iterable[Event] = (), connected: bool = False
) -> State:
    """A procedure before its self-test, or with `connected` at the moment the patient is connected.

    Raises `InputError` for what no machine can run.
    """
    ready, happenings = exchange.get_ready(what, library), tuple(happenings)
    events.fit(happenings, exchange.principle(library, what.separator))
    par = exchange.parameters(ready, library)
    plan = planned.plan(ready, library)
    ready = replace(ready, warnings=(*ready.warnings, *planned.plan_warnings(plan, ready)))
    bag = bags.fluids(ready, library, plan.run.replaced_ml)
    own = (what.tingling_percent, what.hypotension_percent)
    laws = reactions.laws(what.subject, ready.blood_volume_ml, library, seed, phantom=what.phantom, own=own)
    person = reactions.at_rest(what.subject, laws, library)
    pools = reactions.pools(what.subject, laws.body.plasma0, library, what.solutes)
    state = State(
        ready, seed, par, bags.watch_table(library), bag, laws, bags.fresh(ready, par, bag), person, pools,
        np.zeros(1, dtype=bedside.VITALS), events.check(tuple(sorted(happenings, key=lambda e: e.at_s))),
        calcium_mmol_g=library.value("equations/citrate.calcium_gluconate_mmol_g"),
    )  # fmt: skip
    return advance(state, -state.run_s) if connected else state


def copy(live: records.Machine) -> records.Machine:
    """The machine as independent arrays."""
    return records.Machine(
        live.now.copy(), live.volume.copy(), live.mass.copy(),
        live.alarms.copy(), live.journal.copy(),
    )  # fmt: skip


def branch(state: State, happenings: Iterable[Event] | None = None) -> State:
    """The same moment with independent arrays; with `happenings`, another future from here on."""
    pools = body.Pools(*(a.copy() for a in state.pools))
    pending = state.pending if happenings is None else _future(state, happenings)
    return replace(state, live=copy(state.live), pools=pools, vitals=state.vitals.copy(), pending=pending)


def _future(state: State, happenings: Iterable[Event]) -> tuple[Event, ...]:
    found = tuple(sorted(happenings, key=lambda e: e.at_s))
    events.check((*state.done, *found))
    code = int(state.par[0]["principle_code"])
    events.fit(found, next(name for name, number in exchange.PRINCIPLES.items() if number == code))
    for event in found:
        if event.at_s < state.run_s:
            raise InputError(
                "event", repr(event.said), f"a time after {state.run_s / 60:.1f} min, where the run stands"
            )
    return found


def advance(state: State, seconds: int, operator_actions: Iterable[str] = ()) -> State:
    """The procedure `seconds` later, after the given actions were carried out now; `state` itself does not change.

    Actions are event words without a time ("slow inlet 20 %", "reposition the needle"). Raises `WordsError` for one
    that is not understood, `InvariantError` where a law of physics broke.
    """
    after = branch(state)
    wanted = [e for words in operator_actions for e in events.parse(f"at 0 s {words}")]
    for event in wanted:
        after = _apply(after, replace(event, at_s=after.run_s))
    return _march(after, seconds, _no_log(0))[0]


def _apply(state: State, event: Event) -> State:
    person = happen.apply(event, state.par, state.live, state.bag, state.person, state.calcium_mmol_g)
    return replace(state, person=person, done=(*state.done, event))


def _no_log(rows: int, solutes: int = 0) -> tuple[Any, Any, Any]:
    return np.zeros(rows, records.NOW), np.zeros(rows, bedside.VITALS), np.zeros((rows, solutes))


def _march(state: State, seconds: int, log: tuple[Any, Any, Any]) -> tuple[State, int]:
    """Runs on, stopping at each event to apply it; returns the state and the seconds run."""
    ran = 0
    while ran < seconds and not state.ended:
        while state.pending and state.pending[0].at_s <= state.run_s:
            first, *rest = state.pending
            state = replace(_apply(state, first), pending=tuple(rest))
        ahead = state.pending[0].at_s - state.run_s if state.pending else seconds - ran
        step = max(1, min(seconds - ran, ahead))
        machine, vitals, solutes = (a[ran : ran + step] for a in log)
        person, did, status = bedside.march(
            state.par,
            state.live,
            state.table,
            state.bag,
            state.laws,
            state.person,
            state.pools,
            step,
            machine,
            vitals,
            solutes,
            state.vitals,
        )
        state = replace(state, person=person)
        ran += did
        if status:
            raise InvariantError(
                f"the run broke off {state.run_s / 60:.1f} min after connection: {_CODES.get(status, status)}",
                {"seed": state.seed, "exchange": repr(state.ready.exchange), "run_s": state.run_s},
            )
        if did < step:
            break
    return state, ran


def run(what: Exchange, library: Library, *, seed: int, happenings: Iterable[Event] = (), log: bool = True) -> Finished:
    """A procedure from self-test to the end, with its one-second log.

    Raises `InvariantError` where fluid or mass did not balance at any second.
    """
    state = start(what, library, seed=seed, happenings=happenings)
    return finish(state, library, log=log)


def finish(state: State, library: Library, *, log: bool = True) -> Finished:
    """The rest of a procedure, from where it stands."""
    state = branch(state)
    rows = LONGEST_S if log else 0
    arrays = _no_log(rows, len(state.ready.exchange.solutes))
    state, ran = _march(state, LONGEST_S, arrays)
    state = _never_came(state)
    table = Log(arrays[0][:ran], arrays[1][:ran], arrays[2][:ran], state.ready.exchange.solutes)
    if log:
        _sound(table, state)
    return Finished(state, table, outcome.summary(state, library), outcome.journal(state))


def _never_came(state: State) -> State:
    """The state with a warning for each event that was set for later than the end of the run."""
    late = tuple(
        f"event {event.said!r} never came: the run ended at {state.run_s / 60:.0f} min." for event in state.pending
    )
    return replace(state, ready=replace(state.ready, warnings=(*state.ready.warnings, *late))) if late else state


def crowd(what: Exchange, library: Library, seeds: Sequence[int], workers: int = 1) -> tuple[outcome.Summary, ...]:
    """What came of one exchange in patients who differ by their thresholds, one a seed; set up once, run on threads.

    Each is the same as `run` with that seed, whatever `workers` is.
    """
    state = start(what, library, seed=0)
    own = (what.tingling_percent, what.hypotension_percent)

    def one(seed: int) -> outcome.Summary:
        person = replace(state, seed=seed, laws=reactions.as_drawn(state.laws, library, seed, own))
        ended, _ = _march(branch(person), LONGEST_S, _no_log(0, len(what.solutes)))
        return outcome.summary(ended, library)

    if workers == 1:
        return tuple(one(seed) for seed in seeds)
    with ThreadPoolExecutor(workers) as pool:
        return tuple(pool.map(one, seeds))


def _sound(log: Log, state: State) -> None:
    worst = max(
        float(np.max(np.abs(log.vitals["ledger_imbalance_ratio"]), initial=0.0)),
        0.0 if state.ready.exchange.phantom else float(np.max(np.abs(log.vitals["volume_imbalance_ml"]), initial=0.0)),
    )
    if not worst < 1000 * _BALANCE:
        raise InvariantError(f"fluid or mass did not balance: {worst:g}", {"seed": state.seed})


def snapshot(state: State) -> dict[str, Any]:
    """What display, monitor and laboratory show now; every name carries its unit."""
    return outcome.snapshot(state)
