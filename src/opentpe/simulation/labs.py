"""Labs of a course as the fit takes them: canonical unit, error, place in time; and what is refused or set aside.

Refused with a named error: a lab before birth, a unit nobody uses for it, a quantity the model does not know, sessions
that contradict each other, a course without sessions. Set aside with a line: a lab too old to say anything.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from opentpe import units
from opentpe.domain.consultation import Line
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Course, Measurement, Procedure
from opentpe.errors import InputError, UnitError
from opentpe.evidence.load import Library

FILE: Final = "equations/learning"
CIRCUIT: Final = "equipment/circuit_common"
HAEMATOCRIT, CALCIUM, DURATION = "haematocrit", "ionised_calcium", "duration"
OTHERS: Final = {HAEMATOCRIT: "1", CALCIUM: "mmol/L", DURATION: "min"}
DONE: Final = ("performed", "partial")
_DAYS_PER_YEAR: Final = 365.25
_OLDEST_PERSON_YEARS: Final = 130.0


class Lab(NamedTuple):
    """One lab ready to be weighed: natural logarithm of the value, log error, and which session it belongs to."""

    kind: str
    time_min: float
    log_value: float
    log_sd: float
    censored: bool
    session: int  # index of the nearest session, for durations and calcium
    measurement: Measurement


def log_sd(fraction: float) -> float:
    """Log-scale spread of a proportional standard deviation."""
    return math.sqrt(math.log1p(fraction * fraction))


def performed(course: Course) -> tuple[Procedure, ...]:
    """The sessions that took place, in order; `InputError` where records contradict each other or there are none."""
    none = InputError("course", "no session that took place or is planned", "at least one session")
    if course.count < 1:
        raise none
    seen: dict[int, Procedure] = {}
    for p in course.performed:
        if p.n in seen:
            raise InputError(f"session {p.n}", "two records", "one record", "Keep the one that is right.")
        if not 1 <= p.n <= course.count:
            raise InputError(f"session {p.n}", f"a number outside 1 to {course.count}", "a session of this course")
        _consistent(p)
        seen[p.n] = p
    _in_order([seen[n] for n in sorted(seen)])
    taken = tuple(p for p in course.procedures() if p.status != "missed")
    if not taken:
        raise none
    return taken


def _consistent(p: Procedure) -> None:
    where, volume = f"session {p.n}", p.plasma_removed_ml
    if p.status not in ("planned", "simulated", "missed", *DONE):
        raise InputError(where, f"status {p.status!r}", "performed, partial, missed or planned")
    if p.status == "missed" and volume:
        raise InputError(where, f"missed, with {volume:g} mL removed", "a status that fits the volume")
    if p.status in DONE and volume is not None and not volume > 0:
        raise InputError(where, f"{p.status}, with {volume:g} mL removed", "a volume above 0, or the status missed")
    if p.duration_min is not None and not p.duration_min > 0:
        raise InputError(where, f"a duration of {p.duration_min:g} min", "a duration above 0")
    if not math.isfinite(p.start_min):
        raise InputError(where, f"a start at {p.start_min} min", "minutes since the start of session 1")


def _in_order(sessions: Sequence[Procedure]) -> None:
    for before, after in itertools.pairwise(sessions):
        end = before.start_min + (before.duration_min or 0.0)
        if after.start_min <= before.start_min or after.start_min < end:
            raise InputError(
                f"session {after.n}",
                f"a start at {after.start_min:g} min, before session {before.n} ends at {end:g} min",
                "sessions that follow one another",
                "Correct the times or the numbers.",
            )


def read(
    subject: Subject, course: Course, sessions: Sequence[Procedure], library: Library
) -> tuple[tuple[Lab, ...], tuple[Line, ...]]:
    """The labs that count, in order of time, and one line for each that was set aside."""
    for p in sessions:
        _possible(p, library)
    labs, aside = [], []
    oldest = library.value(f"{FILE}.oldest_lab_d")
    for m in sorted(course.measurements, key=lambda m: (m.time_min, m.solute)):
        _born(m, subject)
        days = -m.time_min / MINUTES_PER_DAY
        if days > oldest:
            aside.append(Line("lab_too_old", (("solute", m.solute), ("days", round(days)), ("limit", oldest))))
            continue
        labs.append(_lab(m, sessions, library))
    labs += [_run_time(p, i, library) for i, p in enumerate(sessions) if p.status in DONE and p.duration_min]
    return tuple(labs), (*aside, *_contradictions(labs, library))


def _possible(p: Procedure, library: Library) -> None:
    """A record of more plasma than any pump moves in the time it says is refused."""
    if p.status not in DONE or not p.plasma_removed_ml or not p.duration_min:
        return
    most, flow = library.value(f"{CIRCUIT}.plasma_flow_max_ml_min"), p.plasma_removed_ml / p.duration_min
    if flow > most:
        raise InputError(
            f"session {p.n}",
            f"{p.plasma_removed_ml:g} mL removed in {p.duration_min:g} min, {flow:.0f} mL/min",
            f"at most {most:g} mL/min",
            "Correct the volume (mL) or the duration (min).",
        )


def _born(m: Measurement, subject: Subject) -> None:
    if not math.isfinite(m.time_min):
        raise InputError(f"lab {m.solute}", f"time {m.time_min}", "minutes since the start of session 1")
    age = _OLDEST_PERSON_YEARS if subject.age_years is None else subject.age_years
    if m.time_min < -age * _DAYS_PER_YEAR * MINUTES_PER_DAY:
        raise InputError(
            f"lab {m.solute}",
            f"a sample {-m.time_min / MINUTES_PER_DAY:.0f} days before session 1, before the patient was born",
            f"a sample in {age:g} years of life",
            "Correct the date of the sample.",
        )


def canonical_unit(kind: str, library: Library) -> str:
    """The unit a quantity is weighed in; `InputError` names the quantities there are."""
    if kind in OTHERS:
        return OTHERS[kind]
    solutes = library.folder("solutes")
    if kind not in solutes or solutes[kind]["group"] == "blocker":
        raise InputError(f"lab {kind}", "a quantity the model does not know", ", ".join((*OTHERS, *sorted(solutes))))
    return str(solutes[kind]["unit"])


def _lab(m: Measurement, sessions: Sequence[Procedure], library: Library) -> Lab:
    where, unit = f"lab {m.solute}", canonical_unit(m.solute, library)
    known = library.document("codes/measurements")["observation"].get(m.solute, {})
    molar = known.get("molar_mass_g_mol", {}).get("value")
    value = m.value if m.unit == unit else units.convert(m.value, m.unit, unit, where, molar)
    if not value > 0 or not math.isfinite(value):
        raise UnitError(
            where, f"{m.value:g} {m.unit}", "a value above 0", "For a value below detection give its limit."
        )
    window = known.get("plausible")
    if window and not m.below_detection:
        units.plausible(value, window["low"], window["high"], m.solute, unit, where)
    nearest = min(range(len(sessions)), key=lambda i: abs(sessions[i].start_min - m.time_min))
    return Lab(m.solute, m.time_min, math.log(value), _error(m, sessions, library), m.below_detection, nearest, m)


def _error(m: Measurement, sessions: Sequence[Procedure], library: Library) -> float:
    """Assay, model and, in the first hour after a session, posture, in quadrature on the log scale."""
    name = f"{FILE}.assay.{m.solute}_sd_fraction" if m.solute in OTHERS else f"solutes/{m.solute}.assay_sd_fraction"
    parts = [library.value(name)]
    if m.solute != DURATION:
        parts.append(library.value(f"{FILE}.model_sd_fraction"))
    if any(0 <= m.time_min - _end(p) <= library.value(f"{FILE}.posture_min") for p in sessions):
        parts.append(library.value(f"{FILE}.posture_sd_fraction"))
    return log_sd(math.hypot(*parts))


def _end(p: Procedure) -> float:
    return p.start_min + (p.duration_min or 0.0)


def _run_time(p: Procedure, i: int, library: Library) -> Lab:
    assert p.duration_min
    m = Measurement(DURATION, p.start_min, p.duration_min, "min", "session record")
    sd = log_sd(library.value(f"{FILE}.assay.duration_sd_fraction"))
    return Lab(DURATION, p.start_min, math.log(p.duration_min), sd, False, i, m)


def _contradictions(labs: Sequence[Lab], library: Library) -> list[Line]:
    """One line for each pair of labs of one quantity, drawn together, that cannot both be right."""
    apart, limit = library.value(f"{FILE}.same_time_min"), library.value(f"{FILE}.duplicate_sd")
    found = []
    for i, a in enumerate(labs):
        for b in labs[i + 1 :]:
            together = a.kind == b.kind and abs(a.time_min - b.time_min) <= apart and a.kind != DURATION
            if together and abs(a.log_value - b.log_value) > limit * math.hypot(a.log_sd, b.log_sd):
                values = (("solute", a.kind), ("first", a.measurement.value), ("second", b.measurement.value))
                found.append(Line("labs_contradict", (*values, ("day", round(a.time_min / MINUTES_PER_DAY, 1)))))
    return found
