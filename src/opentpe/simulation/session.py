"""One session of one subject: order and parameter draws to the kernel, and back as bands, series and warnings.

A course calls `run` once a session with what it knows of each draw (plasma volume, albumin, globulin), tells the result
with `nadirs` and `series`, and hands `volume_ratio` to the solutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from opentpe.domain.consultation import Band, Line, Series
from opentpe.domain.subject import Subject
from opentpe.errors import InputError, InvariantError
from opentpe.evidence.load import Library
from opentpe.kernel import chair, fluid, patient, segments
from opentpe.kernel import session as kernel
from opentpe.kernel.arrays import Floats, Integers
from opentpe.kernel.timeline import Volume
from opentpe.simulation import bands, bodies
from opentpe.simulation.bodies import Known
from opentpe.simulation.draws import Normal
from opentpe.simulation.setup import Setup

UNITS: Final = {
    "ionised_calcium": "mmol/L", "ionised_magnesium": "mmol/L", "citrate": "mmol/L", "total_calcium": "mmol/L",
    "total_magnesium": "mmol/L", "pth_ratio": "1", "qtc_change": "ms", "bicarbonate": "mmol/L", "ph": "1",
    "potassium": "mmol/L", "relative_blood_volume": "%", "blood_volume_change": "%", "mean_pressure": "mm[Hg]",
    "systolic_pressure": "mm[Hg]", "diastolic_pressure": "mm[Hg]", "pulse_pressure": "mm[Hg]", "heart_rate": "/min",
    "central_venous_pressure": "mm[Hg]", "cardiac_output": "L/min", "colloid_osmotic_pressure": "mm[Hg]",
    "temperature": "Cel", "haematocrit": "1", "platelets": "10*9/L", "plasma_volume": "mL", "albumin": "g/L",
    "globulin": "g/L",
}  # fmt: skip
SHOWN: Final = (
    "ionised_calcium", "ionised_magnesium", "total_calcium", "total_magnesium", "citrate", "pth_ratio", "qtc_change",
    "bicarbonate", "ph", "relative_blood_volume", "plasma_volume", "mean_pressure", "systolic_pressure",
    "diastolic_pressure", "pulse_pressure", "heart_rate", "cardiac_output", "colloid_osmotic_pressure", "temperature",
    "haematocrit", "platelets",
)  # fmt: skip
HIDDEN: Final = ("potassium",)  # computed, not shown until it is validated
_PEAK: Final = ("citrate", "pth_ratio", "qtc_change", "heart_rate")  # the extreme that matters is the highest
_EITHER: Final = ("bicarbonate", "ph")  # the farther of the two
_MMOL_PER_L: Final = "calcium_gluconate_mmol_g"
_LEAKED: Final = fluid.PLASMA_EMPTY | kernel.HAEMATOCRIT  # the order's fault, not a broken law


class Extras(NamedTuple):
    """What an order may add: oral calcium that is absorbed, magnesium and bicarbonate, a blood warmer, a lost rinse."""

    oral_calcium_mmol_min: float = 0.0
    magnesium_mmol_min: float = 0.0
    bicarbonate_mmol_min: float = 0.0
    warmer: bool = False
    rinseback: bool = True


PLAIN: Final = Extras()


class Ran(NamedTuple):
    """One session as it came out of the kernel, one row a draw, with the end of the run and of the time after it."""

    outcome: kernel.Outcome
    end_min: float
    after_min: float

    def low(self, quantity: str) -> Floats:
        """Lowest value of each draw in the session and the time after it."""
        return _column(self.outcome.low, quantity)

    def high(self, quantity: str) -> Floats:
        """Highest value of each draw."""
        return _column(self.outcome.high, quantity)

    def before(self, quantity: str) -> Floats:
        """Value of each draw before the session."""
        return _column(self.outcome.first, quantity)

    def fall_percent(self, quantity: str) -> Floats:
        """Deepest fall of each draw, per cent of its start."""
        first = self.before(quantity)
        return 100.0 * (first - self.low(quantity)) / first


def _column(table: Floats, quantity: str) -> Floats:
    found: Floats = table[:, chair.QUANTITIES.index(quantity)]
    return found


def run(
    subject: Subject,
    setup: Setup,
    known: Known,
    library: Library,
    seed: int,
    rows: Integers,
    *,
    volume_ml: Any = None,
    extras: Extras = PLAIN,
    recorded: bool = False,
    normal: Normal | None = None,
    drawn: patient.Person | None = None,
) -> Ran:
    """One session for every draw. `volume_ml`, number or (n,), is patient plasma where it is not the ordered one.

    `normal` gives the positions of the draws where they are not those of seed and rows: what a fit has learned.
    `drawn` are the draws where a session before has made them; only how they stand is then taken from `known`.
    Raises `InputError` where the order leaves a draw without plasma, `InvariantError` where a law of physics broke.
    """
    if drawn is not None:
        people = bodies.standing(drawn, known)
    elif normal is not None:
        people = bodies.people_at(subject, known, library, normal)
    else:
        people = bodies.people(subject, known, library, seed, rows)
    order = order_of(setup, library, extras)
    if volume_ml is not None:
        order = order._replace(plasma_ml=volume_ml)
    out = kernel.session_all(
        bodies.law(library),
        people,
        order,
        recipes(setup, library)[None],
        recorded=recorded,
    )
    _sound(out, subject, setup, seed, rows)
    return Ran(out, float(out.minutes.max()), order.after_min)


def run_all(people: Any, setups: Sequence[Setup], library: Library) -> kernel.Outcome:
    """Every setup for the same draws at once, setup by setup: (setups x draws) rows; ask `status` before anything."""
    n = int(np.size(people.standing.plasma_ml))
    records = (type(record)(*(np.tile(v, len(setups)) if np.ndim(v) else v for v in record)) for record in people)
    orders = [list(order_of(s, library)._replace(recipe=float(k))) for k, s in enumerate(setups)]
    fields: list[Any] = [np.repeat(column, n) for column in np.array(orders, np.float64).T]
    order = segments.Order(*fields)
    found = [recipes(s, library) for s in setups]
    table = np.zeros((len(setups), max(len(r) for r in found), found[0].shape[1]))
    for k, r in enumerate(found):
        table[k, : len(r)] = r
    return kernel.session_all(bodies.law(library), type(people)(*records), order, table, kernel.PLANNING)


def lowest(found: kernel.Outcome, quantity: str) -> Floats:
    """Lowest value of each row of an outcome."""
    return _column(found.low, quantity)


def order_of(setup: Setup, library: Library, extras: Extras = PLAIN) -> segments.Order:
    """The order as the kernel takes it: circuit as set up, calcium, prime, rinse and the hour after."""
    machine = library.values(f"equipment/{setup.separator}")
    name = str(library.document(f"equipment/{setup.separator}").get("anticoagulant", ""))
    liquid = library.values(f"fluids/{name}") if f"fluids/{name}" in library.documents else {}
    plan, settings = library.values("equations/fluid"), setup.settings
    per_g = library.value(f"equations/citrate.{_MMOL_PER_L}")
    calcium = setup.prescription.calcium
    drip = calcium.amount * per_g / 60.0 if calcium is not None and calcium.unit == "g/h" else 0.0
    return segments.Order(
        plasma_ml=setup.volume_ml,
        hct=settings.hct,
        blood_ml=settings.blood_ml,
        inlet_ac_ratio=settings.inlet_ac_ratio,
        packed_hct=settings.packed_hct,
        inlet_cap_ml_min=settings.inlet_cap_ml_min,
        limit_ml_min_l=settings.limit_ml_min_l,
        balance_ratio=settings.balance_ratio,
        accounting=settings.accounting,
        ac_citrate=liquid.get("citrate_mmol_l", 0.0),
        ac_acid_fraction=liquid.get("acid_fraction", 0.0),
        circuit_ml=machine["extracorporeal_volume_ml"],
        prime_returned_fraction=plan["prime_return_fraction"],
        draw_min=plan["draw_min"],
        rinse_ml=library.value("equipment/circuit_common.rinseback_ml") if extras.rinseback else 0.0,
        rinse_min=plan["rinseback_min"],
        rinse_plasma_fraction=plan["rinse_plasma_fraction"],
        red_cell_return_fraction=plan["red_cell_return_fraction"],
        after_min=plan["after_min"],
        drip_calcium=drip + extras.oral_calcium_mmol_min,
        drip_magnesium=extras.magnesium_mmol_min,
        drip_bicarbonate=extras.bicarbonate_mmol_min,
        cooling=library.value("equations/circulation.circuit_cooling_cel"),
        warmed_to=library.value("equations/circulation.rest_temperature_cel") if extras.warmer else -1.0,
        platelet_loss_fraction=machine.get(
            "platelet_loss_fraction", library.value("equations/cells.platelet_loss_fraction")
        ),
        recipe=0.0,
        run_hct=settings.run_hct,
    )


def recipes(setup: Setup, library: Library) -> Floats:
    """The fluids in order, (parts, 10) as `segments.Part`, with calcium per litre where the order says so.

    Calcium per litre counts for every litre replaced: beside plasma it runs through a line of its own.
    """
    calcium = setup.prescription.calcium
    added = 0.0
    if calcium is not None and calcium.unit == "mL/L":
        strength = library.value("equations/citrate.calcium_gluconate_g_ml")
        added = calcium.amount * strength * library.value(f"equations/citrate.{_MMOL_PER_L}")
    rows = []
    for key, share in setup.fluids:
        f = library.values(f"fluids/{key}")
        rows.append(
            segments.Part(
                share,
                f["albumin_g_l"],
                f["globulin_g_l"],
                f["calcium_mmol_l"] + added,
                f["magnesium_mmol_l"],
                f["citrate_mmol_l"],
                f["bicarbonate_mmol_l"],
                f["potassium_mmol_l"],
                f["temperature_cel"],
                setup.settings.replacement_ac_fraction,
            )
        )
    return np.array(rows, dtype=np.float64)


def emptied(setup: Setup, where: str) -> InputError:
    """What to say of an order after which plasma does not stay in the vessels."""
    said = " then ".join(f"{100 * share:.0f} % {key}" for key, share in setup.fluids)
    volumes = setup.volume_ml / setup.plasma_volume_ml
    return InputError(
        "course",
        f"{volumes:.2g} plasma volumes replaced by {said}: plasma volume falls below {100 * fluid.LOWEST_PLASMA:.0f} % "
        f"of its start {where}",
        "a replacement that keeps plasma in the vessels",
        "Replace more of it by albumin 5 % or plasma, or remove less.",
    )


def _sound(out: kernel.Outcome, subject: Subject, setup: Setup, seed: int, rows: Integers) -> None:
    if np.any(out.status):
        bad = np.flatnonzero(out.status)
        if not np.any(out.status & ~_LEAKED):
            raise emptied(setup, f"in {bad.size} of {out.status.size} draws")
        raise InvariantError(
            f"the session broke an invariant in {bad.size} of {out.status.size} draws and is refused",
            {
                "rows": np.asarray(rows)[bad[:5]].tolist(),
                "status": out.status[bad[:5]].tolist(),
                "subject": repr(subject),
                "prescription": repr(setup.prescription),
                "seed": seed,
            },
        )


def nadirs(ran: Ran, *, hidden: bool = False) -> tuple[tuple[str, Band], ...]:
    """The extreme of every shown quantity in the session and the hour after: lowest, or highest where that matters."""
    names = (*SHOWN, *HIDDEN) if hidden else SHOWN
    values = np.stack([_extreme(ran, name) for name in names], axis=1)
    return bands.bands(values, names, [UNITS[name] for name in names])


def _extreme(ran: Ran, name: str) -> Floats:
    low, high, first = ran.low(name), ran.high(name), ran.before(name)
    if name in _EITHER:
        return high if np.median(high - first) > np.median(first - low) else low
    return high if name in _PEAK else low


def series(ran: Ran, *, every_min: float = 1.0, hidden: bool = False) -> tuple[Series, ...]:
    """Every shown quantity over the session and the hour after, minutes from connection; needs `recorded`.

    The run's instants do not depend on `every_min`: values in between are linear.
    """
    names = (*SHOWN, *HIDDEN) if hidden else SHOWN
    end = ran.end_min + ran.after_min
    grid = np.unique([*np.arange(0.0, end, every_min), end])
    shown = ran.outcome.series[:, :, [chair.QUANTITIES.index(name) for name in names]]
    rows = np.array([_between(grid, t, s) for t, s in zip(ran.outcome.times, shown, strict=True)])
    return tuple(bands.series(rows[:, :, q], grid, name, UNITS[name]) for q, name in enumerate(names))


def _between(grid: Floats, times: Floats, values: Floats) -> Floats:
    """Values (times, quantities) at the instants of the grid: linear in between, held outside."""
    place = np.interp(grid, times, np.arange(float(times.size)))
    left = np.minimum(place.astype(int), times.size - 2)
    found: Floats = values[left] + (values[left + 1] - values[left]) * (place - left)[:, None]
    return found


def volume_ratio(ran: Ran, start_min: float, library: Library) -> tuple[Volume, ...]:
    """Plasma volume over its resting value, mean of the draws, as knots for the solutes' march.

    The exchange begins at `start_min`, after the circuit has filled. The knots follow the segments to the end of the
    hour after, then lead back to rest over a day.
    """
    out = ran.outcome
    ratio = (out.plasma_ml / _column(out.first, "plasma_volume")[:, None]).mean(axis=0)
    minutes = out.segment_min.mean(axis=0)
    ends = start_min - minutes[0] + np.cumsum(minutes)
    knots = [
        Volume(start_min - float(minutes[0]), 1.0),
        *(Volume(float(t), float(r)) for t, r in zip(ends, ratio, strict=True)),
    ]
    return (*knots, Volume(float(ends[-1]) + library.value("equations/fluid.volume_recovery_min"), 1.0))


def balance(ran: Ran) -> tuple[tuple[str, Band], ...]:
    """What was given, removed and metabolised in the session and the hour after (mmol, g), and refill (mL).

    Refill is the net flow from tissue into plasma: what plasma holds more than flows in and out explain.
    """
    found: dict[str, Floats] = {}
    for k, name in enumerate(kernel.TOTALS):
        what, _, unit = name.rpartition("_")
        total = ran.outcome.totals[:, k]
        found[f"{what}_g" if unit == "mg" else name] = total / 1000.0 if unit == "mg" else total
    out, given = found.pop("plasma_drawn_and_urine_ml"), found.pop("fluid_given_ml")
    gained = _column(ran.outcome.last, "plasma_volume") - ran.before("plasma_volume")
    found["refill_ml"] = gained + out - given
    unit_of = {"mmol": "mmol", "g": "g", "ml": "mL"}
    units = [unit_of[name.rpartition("_")[2]] for name in found]
    return bands.bands(np.stack(list(found.values()), axis=1), tuple(found), units)


def warnings(ran: Ran, subject: Subject, library: Library) -> tuple[Line, ...]:
    """What the session shows that an operator should know before it starts, by the median draw."""
    found = [*_calcium_lines(ran, subject, library), *_pressure_lines(ran, library)]
    return tuple(line for line in found if line is not None)


def _line(code: str, value: float, limit: float, source: str = "") -> Line:
    return Line(code, (("value", value), ("limit", limit)), (source,) if source else ())


def _calcium_lines(ran: Ran, subject: Subject, library: Library) -> list[Line | None]:
    law = {k: library.sourced(f"equations/citrate.{k}") for k in (
        "warn_ionised_calcium_mmol_l", "alarm_ionised_calcium_mmol_l", "overshoot_fraction", "accumulation_ratio",
        "warn_total_calcium_disagreement_fraction",
    )}  # fmt: skip
    warn, alarm, over, piled, apart = law.values()
    lowest, first = float(np.median(ran.low("ionised_calcium"))), ran.before("ionised_calcium")
    highest = float(np.median(ran.high("ionised_calcium") / first)) - 1.0
    end = ran.outcome.at_end
    ratio = float(np.median(_column(end, "total_calcium") / _column(end, "ionised_calcium")))
    entered, computed = subject.value("calcium"), float(np.median(ran.before("total_calcium")))
    odd = subject.value("ionised_calcium") is not None and entered is not None
    return [
        _line("alarm_ionised_calcium", lowest, alarm.value, alarm.source)
        if lowest < alarm.value
        else _line("warning_ionised_calcium", lowest, warn.value, warn.source)
        if lowest < warn.value
        else None,
        _line("warning_calcium_overshoot", highest, over.value, over.source) if highest > over.value else None,
        _line("warning_citrate_accumulation", ratio, piled.value, piled.source) if ratio > piled.value else None,
        _line("warning_calcium_disagrees", entered, computed)
        if odd and entered is not None and abs(entered / computed - 1.0) > apart.value
        else None,
    ]


def _pressure_lines(ran: Ran, library: Library) -> list[Line | None]:
    rbv = float(np.median(ran.low("relative_blood_volume")))
    warn, alarm = (library.value(f"equations/fluid.{n}_relative_blood_volume_percent") for n in ("warn", "alarm"))
    heart = {k: library.sourced(f"equations/circulation.{k}") for k in (
        "warn_systolic_mm_hg", "warn_diastolic_mm_hg", "mean_pressure_fall_mm_hg",
    )}  # fmt: skip
    systolic, diastolic, fall = heart.values()
    low_s, low_d = (float(np.median(ran.low(f"{n}_pressure"))) for n in ("systolic", "diastolic"))
    fell = float(np.median(ran.before("mean_pressure") - ran.low("mean_pressure")))
    return [
        _line("alarm_blood_volume", rbv, alarm)
        if rbv < alarm
        else _line("warning_blood_volume", rbv, warn)
        if rbv < warn
        else None,
        _line("warning_systolic_pressure", low_s, systolic.value, systolic.source) if low_s < systolic.value else None,
        _line("warning_diastolic_pressure", low_d, diastolic.value, diastolic.source)
        if low_d < diastolic.value
        else None,
        _line("warning_mean_pressure", fell, fall.value, fall.source) if fell > fall.value else None,
    ]
