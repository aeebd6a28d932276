"""The procedure on the screen: a playback of the finished run at the speed asked for, and its end in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentpe.evidence.load import Library

if TYPE_CHECKING:
    from rich.console import Console, Group

    from opentpe.simulation.procedure import Finished

_FRAMES_PER_S = 5.0
_LAST = 4  # journal lines on the screen
_ALL_BUT = 1e-4  # the pump ends within a second's flow of the target
_LEVELS = {1: ("low", "black on cyan"), 2: ("medium", "black on yellow"), 3: ("high", "white on red")}


def play(done: Finished, speed: float, console: Console) -> None:
    """Plays the run, `speed` seconds of it per second; Ctrl-C ends the playback, not the report."""
    from rich.live import Live

    step = max(1, round(speed / _FRAMES_PER_S))
    rows = len(done.log.machine)
    try:
        with Live(console=console, refresh_per_second=_FRAMES_PER_S, transient=True) as live:
            for i in (*range(0, rows, step), rows - 1):
                live.update(frame(done, i))
                time.sleep(1 / _FRAMES_PER_S)
    except KeyboardInterrupt:
        console.print("Playback ended.")


def frame(done: Finished, i: int) -> Group:
    """One moment of the run: progress, machine, patient, standing alarms, the last lines of the journal."""
    from rich.columns import Columns
    from rich.console import Group
    from rich.text import Text

    now, vitals = done.log.machine[i], done.log.vitals[i]
    second = int(now["run_s"])
    share, left = progress(done, i)
    head = Text(f"{second / 60:6.1f} min  {_phase(now)}  {share:4.0%}  {_bar(share)}  {left}")
    columns = [_machine(done, now), _volumes(now), _patient(vitals)]
    return Group(head, Columns(columns, padding=(0, 4)), _standing(done, second), *_journal(done, second))


def progress(done: Finished, i: int) -> tuple[float, str]:
    """Share of the target reached by now, and the time to go as the machine reckons it: at the pace so far."""
    par, now = done.state.par[0], done.log.machine[i]
    minutes = float(now["since_start_s"]) / 60.0
    if par["target_s"] > 0:
        reached, target = minutes, float(par["target_s"]) / 60.0
    elif par["target_blood_ml"] > 0:
        reached, target = float(now["blood_ml"]), float(par["target_blood_ml"])
    else:
        reached, target = float(now["plasma_counted_ml"]), float(par["target_ml"])
    share = min(1.0, reached / target)
    if share >= 1.0 - _ALL_BUT:
        return 1.0, "target reached"
    if minutes < 1.0 or reached <= 0.0:
        return share, "time to go not known yet"
    return share, f"{(target - reached) * minutes / reached:.0f} min to go"


def _standing(done: Finished, second: int) -> Any:
    """The alarms that stand, highest priority first, in word and colour."""
    from rich.text import Text

    standing: dict[str, int] = {}
    for entry in done.journal:
        if entry.at_s > second:
            break
        if entry.kind == "raised":
            standing[entry.subject] = int(entry.value)
        elif entry.kind == "cleared":
            standing.pop(entry.subject, None)
    if not standing:
        return Text("No alarm", style="dim")
    line = Text()
    for name, level in sorted(standing.items(), key=lambda row: -row[1]):
        word, style = _LEVELS[level]
        line.append(f" {word}: {name.replace('_', ' ')} ", style=style).append("  ")
    return line


def _bar(share: float, width: int = 24) -> str:
    full = round(share * width)
    return "█" * full + "░" * (width - full)


def _phase(now: Any) -> str:
    from opentpe.kernel.controller import Phase

    return Phase(int(now["phase"])).name.lower().replace("_", " ").ljust(15)


def _table(rows: tuple[tuple[str, str, str], ...]) -> Any:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


def _number(row: Any, field: str, digits: int = 0) -> str:
    return f"{float(row[field]):.{digits}f}"


def _machine(done: Finished, now: Any) -> Any:
    from opentpe.simulation import runsheet

    membrane = done.state.ready.exchange.separator == "membrane"
    interface = ("Transmembrane pressure", _number(now, "transmembrane_mm_hg"), "mmHg") if membrane else (
        "Interface", runsheet.interface(done, now), f"{_number(now, 'interface_fraction', 2)} full")  # fmt: skip
    return _table((
        ("Inlet", _number(now, "inlet_ml_min"), "mL/min"), ("Anticoagulant", _number(now, "ac_ml_min", 1), "mL/min"),
        ("Plasma", _number(now, "plasma_ml_min"), "mL/min"),
        ("Replacement", _number(now, "replacement_ml_min"), "mL/min"),
        ("Return", _number(now, "return_ml_min"), "mL/min"), ("Access pressure", _number(now, "access_mm_hg"), "mmHg"),
        ("Return pressure", _number(now, "return_mm_hg"), "mmHg"), interface,
        ("Centrifuge", _number(now, "speed_rpm"), "rpm"),
        ("Anticoagulant to patient", _number(now, "ac_rate_ml_min_l", 2), "mL/min/L"),
    ))  # fmt: skip


def _volumes(now: Any) -> Any:
    balance = sum(float(now[n]) for n in ("replaced_ml", "ac_used_ml", "saline_bolus_ml")) - float(now["bag_ml"])
    return _table((
        ("Plasma removed", _number(now, "plasma_counted_ml"), "mL"), ("In the bag", _number(now, "bag_ml"), "mL"),
        ("Replaced", _number(now, "replaced_ml"), "mL"), ("Anticoagulant", _number(now, "ac_used_ml"), "mL"),
        ("Saline", _number(now, "saline_bolus_ml"), "mL"), ("Blood processed", _number(now, "blood_ml"), "mL"),
        ("Outside the body", _number(now, "held_ml"), "mL"), ("Balance", f"{balance:+.0f}", "mL"),
    ))  # fmt: skip


def _patient(vitals: Any) -> Any:
    def n(field: str, digits: int = 0) -> str:
        return _number(vitals, field, digits)

    pressure = f"{n('systolic_pressure_mm_hg')}/{n('diastolic_pressure_mm_hg')}"
    return _table((
        ("Pressure", pressure, "mmHg"), ("Heart rate", n("heart_rate_per_min"), "/min"),
        ("Temperature", n("temperature_cel", 1), "°C"), ("Ionised calcium", n("ionised_calcium_mmol_l", 2), "mmol/L"),
        ("Blood volume", n("relative_blood_volume_percent", 1), "%"),
        ("Haematocrit", n("haematocrit_fraction", 2), ""), ("Albumin", n("albumin_g_l"), "g/L"),
    ))  # fmt: skip


def _journal(done: Finished, second: int) -> list[str]:
    from opentpe.simulation import runsheet

    seen = [e for e in done.journal if 0 <= e.at_s <= second and e.kind != "phase"]
    return [f"{e.at_s / 60:6.1f} min  {runsheet.say(e)}" for e in seen[-_LAST:]]


def summary(done: Finished, library: Library, console: Console) -> None:
    """The end of the run in words: what was delivered, what happened, what follows."""
    from opentpe.simulation import runsheet

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False, markup=False)

    s = done.summary
    name = library.document(f"equipment/{done.state.ready.exchange.separator}")["name"]
    say(f"{name}: {s.plasma_counted_ml / 1000:.2f} L patient plasma in {s.exchange_min:.0f} min of exchange, "
                  f"{s.run_min:.0f} min from connection to the end.")  # fmt: skip
    say(f"In the bag {s.bag_ml / 1000:.2f} L. Replaced {s.replaced_ml / 1000:.2f} L. Anticoagulant "
                  f"{s.ac_used_ml:.0f} mL, {s.ac_to_patient_ml:.0f} mL to the patient.")  # fmt: skip
    say(f"Removal efficiency {100 * s.efficiency_fraction:.1f} %. Platelets lost "
                  f"{100 * s.platelet_loss_fraction:.1f} %. Red cells lost {s.red_cells_lost_ml:.0f} mL.")  # fmt: skip
    vitals = done.log.vitals
    if len(vitals):
        say(f"Lowest: ionised calcium {vitals['ionised_calcium_mmol_l'].min():.2f} mmol/L, blood volume "
                      f"{vitals['relative_blood_volume_percent'].min():.1f} %, systolic pressure "
                      f"{vitals['systolic_pressure_mm_hg'].min():.0f} mmHg.")  # fmt: skip
    for warning in done.state.ready.warnings:
        say(f"Note: {warning}")
    for entry in done.journal:
        if entry.at_s >= 0 and entry.kind in ("raised", "event", "symptom", "operator", "fluid"):
            say(f"{entry.at_s / 60:6.1f} min  {runsheet.say(entry)}")
    say("The session counts." if s.counts else
                  f"{s.plasma_volumes:.2f} plasma volumes: below the unit's limit. Repeat on the next working day at "
                  "the normal volume, not as a make-up dose.")  # fmt: skip
