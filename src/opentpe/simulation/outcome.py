"""What came of a procedure: journal in words, what was delivered, what display and monitor show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentpe.evidence.load import Library
from opentpe.kernel import lines
from opentpe.kernel.controller import Alarm, Phase
from opentpe.kernel.controller import Entry as Row
from opentpe.kernel.lines import LOST, PATIENT, PLASMA_BAG
from opentpe.kernel.operator import Action

if TYPE_CHECKING:
    from opentpe.simulation.procedure import State

_STOPS: Final = ("stop_run", "stop_without_rinseback")
SYMPTOMS: Final = ("tingling", "light-headedness", "hypotension", "other complaint")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: when, what kind, about what, in words."""

    at_s: int
    kind: str  # phase | raised | cleared | operator | event | symptom | fluid | retry
    subject: str
    value: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What was delivered, what it took, what is owed; volumes mL, times min."""

    plasma_removed_ml: float
    plasma_counted_ml: float  # what the display says, by the entered haematocrit
    plasma_volumes: float
    target_ml: float
    bag_ml: float
    ac_used_ml: float
    ac_to_patient_ml: float
    replaced_ml: float
    saline_ml: float
    blood_processed_ml: float
    efficiency_fraction: float
    net_ml: float
    red_cells_lost_ml: float
    platelet_loss_fraction: float
    run_min: float
    exchange_min: float
    rinsed_back: bool
    stopped_early: bool
    counts: bool
    next_step: str  # counts | repeat_next_working_day
    alarms: tuple[str, ...]  # in order of first appearance
    symptoms: tuple[str, ...]
    rinseback_ml: float
    stopped_because: str  # what was said or what alarm stood when the run was stopped; empty at the target


def journal(state: State) -> tuple[Entry, ...]:
    """The journal in words, in order of time; events as they were said."""
    rows = []
    for at_s, entry, subject, value in state.live.journal[: int(state.live.now[0]["journal_count"])]:
        kind = Row(int(entry))
        if kind is not Row.EVENT:
            rows.append(Entry(int(at_s), kind.name.lower(), _name(kind, int(subject)), float(value)))
    said = dict.fromkeys((e.at_s, e.said) for e in state.done)
    rows.extend(Entry(at_s, "event", words, 0.0) for at_s, words in said)
    return tuple(sorted(rows, key=lambda r: (r.at_s, r.kind != "event")))


def _name(kind: Row, subject: int) -> str:
    if kind is Row.PHASE:
        return Phase(subject).name.lower()
    if kind in (Row.RAISED, Row.CLEARED, Row.RETRY):
        return Alarm(subject).name.lower()
    if kind is Row.OPERATOR:
        return Action(subject).name.lower()
    if kind is Row.SYMPTOM:
        return SYMPTOMS[min(subject, len(SYMPTOMS) - 1)]
    return str(subject)


def summary(state: State, library: Library) -> Summary:
    """What was delivered; whether it counts follows the unit's rule (order.partial_counts_from_plasma_volumes)."""
    now, volume, ready = state.live.now[0], state.live.volume, state.ready
    plasma = float(volume[PLASMA_BAG, 1])
    true_pv = ready.blood_volume_ml * (1 - ready.exchange.subject.hct)
    volumes = plasma / true_pv
    counts = volumes >= library.value("order.partial_counts_from_plasma_volumes")
    entries = journal(state)
    alarms = tuple(dict.fromkeys(e.subject for e in entries if e.kind == "raised"))
    complaints = tuple(dict.fromkeys(e.subject for e in entries if e.kind == "symptom"))
    platelets = float(now["platelet_loss_ml"]) / ready.blood_volume_ml
    return Summary(
        plasma_removed_ml=plasma,
        plasma_counted_ml=float(now["plasma_counted_ml"]),
        plasma_volumes=volumes,
        target_ml=ready.target_ml,
        bag_ml=float(now["bag_ml"]),
        ac_used_ml=float(now["ac_used_ml"]),
        ac_to_patient_ml=float(now["ac_to_patient_ml"]),
        replaced_ml=float(now["replaced_ml"]),
        saline_ml=float(now["saline_bolus_ml"]),
        blood_processed_ml=float(now["blood_ml"]),
        efficiency_fraction=float(now["efficiency_fraction"]),
        net_ml=float(lines.total_ml(volume, PATIENT)),
        red_cells_lost_ml=float(volume[LOST, 0] + volume[PLASMA_BAG, 0]),
        platelet_loss_fraction=platelets,
        run_min=max(0.0, state.run_s / 60.0),
        exchange_min=float(now["since_start_s"]) / 60.0,
        rinsed_back=bool(now["rinsed_ml"] > 0.0),
        stopped_early=bool(now["abandoned_flag"]),
        counts=bool(counts),
        next_step="counts" if counts else "repeat_next_working_day",
        alarms=alarms,
        symptoms=complaints,
        rinseback_ml=float(now["rinsed_ml"]),
        stopped_because=_why_stopped(entries) if now["abandoned_flag"] else "",
    )


def _why_stopped(entries: tuple[Entry, ...]) -> str:
    """The words or the alarm behind a stop."""
    last = next(e for e in reversed(entries) if e.kind == "operator" and e.subject in _STOPS)
    said = [e.subject for e in entries if e.kind == "event" and e.at_s == last.at_s]
    if said:
        return said[-1]
    raised = [e.subject for e in entries if e.kind == "raised" and e.at_s <= last.at_s]
    return raised[-1].replace("_", " ") if raised else last.subject.replace("_", " ")


def snapshot(state: State) -> dict[str, Any]:
    """Display, monitor and laboratory as plain values; every name carries its unit."""
    now, vitals = state.live.now[0], state.vitals[0]
    names = [n for n in now.dtype.names if not n.endswith(("_flag", "_until_s")) and n not in _HIDDEN]
    shown = {n: now[n].item() for n in names}
    active = [Alarm(i).name.lower() for i in range(len(Alarm)) if state.live.alarms[i]["active"]]
    return {
        "phase": Phase(int(now["phase"])).name.lower(),
        "run_min": state.run_s / 60.0,
        **{k: v for k, v in shown.items() if k not in ("phase", "phase_before")},
        **{n: vitals[n].item() for n in vitals.dtype.names},
        "target_ml": state.ready.target_ml,
        "to_go_min": _to_go(state),
        "alarms": active,
    }


_HIDDEN: Final = frozenset({
    "journal_count", "cycle", "fluid_index", "interface_integral", "pass_bag_ml", "pass_replaced_ml",
    "rinse_red_cells_ml", "rinse_fluid_ml", "redraw_due_ml", "vein_healthy_ml_min", "expected_return_mm_hg",
})  # fmt: skip


def _to_go(state: State) -> float:
    """Minutes to the target at the average speed so far, or as planned before there is one."""
    now = state.live.now[0]
    if state.par[0]["target_s"] > 0:
        return float(max(0.0, state.par[0]["target_s"] - now["since_start_s"]) / 60.0)
    if state.par[0]["target_blood_ml"] > 0:
        left, done = state.par[0]["target_blood_ml"] - now["blood_ml"], float(now["blood_ml"])
    else:
        left, done = state.par[0]["target_ml"] - now["plasma_counted_ml"], float(now["plasma_counted_ml"])
    minutes = float(now["since_start_s"]) / 60.0
    rate = done / minutes if minutes > 1 and done > 0 else 0.0
    return float(max(0.0, left) / rate) if rate > 0 else float("nan")
