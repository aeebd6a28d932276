"""`opentpe run`: one procedure, second by second, on a chosen separator, with faults and interventions in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opentpe.cli import common
from opentpe.errors import InputError

if TYPE_CHECKING:
    from opentpe.evidence.load import Library
    from opentpe.simulation.events import Event
    from opentpe.simulation.exchange import Exchange
    from opentpe.simulation.procedure import Finished, State

Number = Annotated[float | None, typer.Option()]
Happens = Annotated[list[str] | None, typer.Option("--event", help='As "at 35 min access pressure fault"; repeat it.')]
Order = Annotated[str, typer.Option("--course", help='The order as "1 x 1.0 PV daily, albumin 5 %", or a course.json.')]
Entered = Annotated[float | None, typer.Option("--hct-entered", help="What was typed in at the machine.")]
Manual = Annotated[bool, typer.Option("--manual", help="Settings up to the absolute limits, not the safe ones.")]
Performed = Annotated[
    Path | None, typer.Option("--performed", help="Write the course.json with this session as it ran.")
]
ACCOUNTINGS = ("bag", "patient_plasma", "all_fluids")


def command(
    course: Order = "1 x 1.0 PV daily, albumin 5 %",
    scenario: Annotated[str | None, typer.Option("--scenario", help="A teaching scenario instead of an order.")] = None,
    patient: Annotated[Path | None, typer.Option("--patient", help="A FHIR bundle with the size.")] = None,
    session: Annotated[int, typer.Option("--session", min=1, help="Which session of the course.")] = 1,
    on: common.On = None,
    unit: common.UnitFile = None,
    sex: Annotated[str | None, typer.Option("--sex", help="F or M.")] = None,
    height_cm: Number = None,
    weight_kg: Number = None,
    hct: Annotated[float | None, typer.Option("--hct", help="Haematocrit as a fraction, such as 0.39.")] = None,
    hct_entered: Entered = None,
    separator: Annotated[str | None, typer.Option("--separator", help="A file of evidence/equipment.")] = None,
    access: Annotated[str | None, typer.Option("--access", help="As peripheral_two_needles.")] = None,
    inlet_flow: Annotated[float | None, typer.Option("--inlet-flow", help="Set inlet flow, mL/min.")] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", help="Run target in minutes instead of volume.")] = None,
    blood_ml: Annotated[float | None, typer.Option("--blood-ml", help="Run target in blood processed, mL.")] = None,
    ac_limit: Annotated[float | None, typer.Option("--ac-limit", help="mL/min per L of blood volume.")] = None,
    accounting: Annotated[str, typer.Option("--accounting", help=", ".join(ACCOUNTINGS))] = "patient_plasma",
    manual: Manual = False,
    unattended: Annotated[bool, typer.Option("--unattended", help="Nobody answers the alarms.")] = False,
    warmer: Annotated[bool, typer.Option("--warmer", help="With a blood warmer in the return line.")] = False,
    divert_prime: Annotated[bool, typer.Option("--divert-prime", help="The prime saline goes to waste.")] = False,
    event: Happens = None,
    events: Annotated[Path | None, typer.Option("--events", help="A TOML file with a list `events`.")] = None,
    seed: common.Seed = 20_260_101,
    speed: Annotated[float, typer.Option("--speed", min=0, help="Seconds of run per second on the screen.")] = 0.0,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the run sheet as CSV.")] = None,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Write the run sheet as a page (Markdown).")] = None,
    log: Annotated[Path | None, typer.Option("--log", help="Write the one-second log as Parquet.")] = None,
    performed: Performed = None,
    save: Annotated[Path | None, typer.Option("--save", help="Keep the state at --at for a later --resume.")] = None,
    at: Annotated[float, typer.Option("--at", min=0, help="Minute of the run for --save.")] = 0.0,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on from a kept state.")] = None,
    evidence: common.Overlay = None,
    as_json: common.AsJson = False,
) -> None:
    """Run one procedure second by second: flows, pressures, interface, vital signs, alarms and the run sheet."""
    from opentpe.simulation import keep, procedure

    common.compile_once()
    library = common.library(evidence)
    happens = _events(event or [], events)
    if resume is not None:
        state = keep.load(resume, library)
        state = procedure.branch(state, happens) if happens else state
    else:
        whose = (patient, on, sex, None, height_cm, weight_kg, hct)
        what, told, drawn = _exchange(scenario, (course, session), whose, library, unit, seed, separator)
        what = _machine(what, separator, access, accounting, inlet_flow_ml_min=inlet_flow, minutes=minutes,
                        blood_ml=blood_ml, hct_entered=hct_entered, ac_limit_ml_min_l=ac_limit,
                        manual_mode=manual or None, operator="manual" if unattended else None, warmer=warmer or None,
                        prime_to_patient=False if divert_prime else None)  # fmt: skip
        state = procedure.start(what, library, seed=drawn, happenings=(*told, *happens))
    if save is not None:
        _save(state, save, at, library)
        return
    done = procedure.finish(state, library)
    _write(done, library, csv, sheet, log)
    _perform(done, course, session, performed)
    _tell(done, library, scenario, speed, as_json)


def _save(state: State, file: Path, at_min: float, library: Library) -> None:
    """Keeps the state at a minute of the run for a later --resume."""
    from opentpe.simulation import keep, procedure

    state = procedure.advance(state, round(60 * at_min) - state.run_s)
    keep.save(state, file, library)
    print(f"Kept at {state.run_s / 60:.1f} min: {file}")


def _tell(done: Finished, library: Library, scenario: str | None, speed: float, as_json: bool) -> None:
    """The end of the run, or its document; a scenario says what is to be learnt."""
    from opentpe.simulation import scenarios

    lesson = scenarios.read(scenario, library).learning_point if scenario else ""
    if as_json:
        common.print_json(_document(done, library) | ({"learning_point": lesson} if lesson else {}))
    else:
        _show(done, library, speed, lesson)


def _events(words: list[str], file: Path | None) -> tuple[Event, ...]:
    from opentpe.simulation import events

    told = events.read(file) if file is not None else ()
    return tuple(sorted((*told, *events.parse_all(words)), key=lambda e: e.at_s))


def _exchange(
    scenario: str | None,
    course: tuple[str, int],
    whose: tuple[Path | None, str | None, str | None, float | None, float | None, float | None, float | None],
    library: Library,
    unit: Path | None,
    seed: int,
    separator: str | None,
) -> tuple[Exchange, tuple[Event, ...], int]:
    """The exchange of a scenario with its events and seed, or of an order for a patient, as planning completes it."""
    from dataclasses import replace

    from opentpe.cli import learning, simulate
    from opentpe.domain.subject import check
    from opentpe.simulation import exchange, scenarios, setup
    from opentpe.simulation.exchange import Exchange

    if scenario is not None:
        chosen = scenarios.read(scenario, library)
        return chosen.exchange, chosen.happenings, chosen.seed
    words, n = course
    ordered = simulate.read_course(words, [])
    if words.endswith(".json"):
        subject = learning.subject(Path(words), whose[0], whose[1], library, *whose[2:])
    elif whose[0] is not None:
        subject = simulate.from_bundle(whose[0], whose[1], library)
    else:
        subject = simulate.from_size(*whose[2:], "normal", [])
    if n > ordered.count:
        raise InputError("--session", str(n), f"1 to {ordered.count}, the sessions of the course")
    wanted = ordered.procedures()[n - 1].prescription
    if separator is not None:
        exchange.values(library, separator)
        wanted = replace(wanted, separator=separator)
    made = setup.prepare(
        check(subject), replace(ordered, prescription=wanted), library, common.unit_settings(library, unit)
    )  # fmt: skip
    order = replace(made.prescription, access=wanted.access)  # not said: what fits the separator
    return Exchange(check(subject), order, separator=made.separator, access=made.access), (), seed


def _machine(
    what: Exchange, separator: str | None, access: str | None, accounting: str, **given: Any
) -> Exchange:  # fmt: skip
    """The exchange with what was said on the command line."""
    from dataclasses import replace

    from opentpe.kernel.circuit import Accounting

    if accounting not in ACCOUNTINGS:
        raise InputError("--accounting", repr(accounting), ", ".join(ACCOUNTINGS))
    if separator is not None:
        what = replace(what, separator=separator, access=access or "")
    elif access is not None:
        what = replace(what, access=access)
    said = {name: value for name, value in given.items() if value is not None}
    return replace(what, accounting=Accounting[accounting.upper()], **said)


def _write(done: Finished, library: Library, csv: Path | None, page: Path | None, log: Path | None) -> None:
    from opentpe.simulation import runsheet

    if csv is not None or page is not None:
        made = runsheet.sheet(done, library)
        if csv is not None:
            csv.write_text(runsheet.rows_csv(made), encoding="utf-8")
        if page is not None:
            page.write_text(runsheet.markdown(made), encoding="utf-8")
    if log is not None:
        runsheet.write_log(done.log, log)


def _perform(done: Finished, course: str, n: int, out: Path | None) -> None:
    """The course with what was delivered: fit, plan and simulate go on from there (a part counts as what it was)."""
    from dataclasses import replace

    from opentpe.cli import simulate
    from opentpe.domain import documents

    if out is None:
        return
    ordered, s = simulate.read_course(course, []), done.summary
    session = ordered.procedures()[n - 1]
    ran = replace(
        session, status="partial" if s.stopped_because else "performed", duration_min=s.exchange_min,
        plasma_removed_ml=s.plasma_removed_ml, note=s.stopped_because,
    )  # fmt: skip
    others = tuple(p for p in ordered.performed if p.n != n)
    told = documents.document("course", replace(ordered, performed=tuple(sorted((*others, ran), key=lambda p: p.n))))
    told["subject"] = documents.encode(done.state.ready.exchange.subject)
    common.write_whole(out, documents.text(told))


def _document(done: Finished, library: Library) -> dict[str, Any]:
    from opentpe.simulation import runsheet

    return runsheet.document(done, library)


def _show(done: Finished, library: Library, speed: float, lesson: str) -> None:
    from rich.console import Console

    from opentpe.cli import run_live

    console = Console()
    if speed > 0 and console.is_terminal:
        run_live.play(done, speed, console)
    run_live.summary(done, library, console)
    if lesson:
        console.print(f"To learn: {lesson}", soft_wrap=True, highlight=False, markup=False)
