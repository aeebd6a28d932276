"""Runs a published study of calcium, acid-base, blood volume or pressure through the session's own bridge and kernel.

Arms: `exchange` is an order through the product (plasma volumes, fluids, calcium); `script` gives the flows of an
experiment (bleeding, citrate infusion); `mixture` is blood mixed with a unit in a tube; `clamp` holds ionised calcium.
Times: `45min`, `end` (of the exchange or script), `lowest`, `highest`, `plateau` (last third), `alone` for a mixture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium, Course, Dose, FluidPart, Prescription, Schedule
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel import binding, chair, citrate, fluid, patient, script
from opentpe.kernel.arrays import Floats
from opentpe.simulation import bodies, session
from opentpe.simulation.bodies import Known
from opentpe.simulation.draws import Stream, normals
from opentpe.simulation.published import SEED, Asked, Table
from opentpe.simulation.setup import Setup, prepare

DRAWS: Final = 200
_CITRATE_MG_PER_MMOL: Final = 189.1  # trivalent anion
_WHEN: Final = re.compile(r"(\d+(?:\.\d+)?)min")


class Curve(NamedTuple):
    """One arm as it came out: instants (n, k), quantities (n, k, q), end of the exchange (n,)."""

    times: Floats
    series: Floats
    end: Floats

    def at(self, quantity: str, when: str) -> Floats:
        """Value of each draw at a time."""
        q, match = chair.QUANTITIES.index(quantity), _WHEN.fullmatch(when)
        if when in ("lowest", "highest"):
            inside = self._inside(q)
            extreme: Floats = inside.min(axis=1) if when == "lowest" else inside.max(axis=1)
            return extreme
        if when == "plateau":
            late: Floats = np.mean([self._moment(q, share * self.end) for share in (0.7, 0.8, 0.9, 1.0)], axis=0)
            return late
        if match is None and when != "end":
            raise InputError("observed.csv, when", repr(when), 'such as "45min", "end", "lowest" or "plateau"')
        return self._moment(q, self.end if match is None else np.full(self.end.size, float(match[1])))

    def _moment(self, q: int, minute: Floats) -> Floats:
        rows = zip(minute, self.times, self.series[:, :, q], strict=True)
        return np.array([np.interp(m, t, s) for m, t, s in rows])

    def _inside(self, q: int) -> Floats:
        """The curve up to the end of the exchange; later instants repeat the value there."""
        last = self._moment(q, self.end)[:, None]
        return np.where(self.times <= self.end[:, None] + 1e-9, self.series[:, :, q], last)


def run(study: Table, observed: Sequence[Asked], library: Library) -> list[Floats]:
    """One array of draws for each published result."""
    curves = {arm["key"]: _CURVES[arm["type"]](study, arm, library) for arm in study["arm"] if arm["type"] in _CURVES}
    arms = {arm["key"]: arm for arm in study["arm"]}
    found = []
    for o in observed:
        arm = arms[o.arm]
        if arm["type"] in curves or o.arm in curves:
            found.append(_METRICS[o.metric](curves, o))
        else:
            found.append(_TUBES[arm["type"]](study, arm, o, library))
    return found


def _subject(study: Table, arm: Table) -> Subject:
    s = {**study.get("subject", {}), **arm.get("subject", {})}
    measured = {**study.get("measured", {}), **arm.get("measured", {})}
    return Subject(
        s.get("sex", "male") == "female",
        s.get("height_cm", 175.0),
        s["weight_kg"],
        s["hct"],
        liver=s.get("liver", "normal"),
        measured=tuple((k, float(v)) for k, v in measured.items()),
    )


def _plasma_ml(study: Table, arm: Table, otherwise: float) -> Floats:
    """Plasma volume of each draw: the study's (or the estimate), within a tenth."""
    s = {**study.get("subject", {}), **arm.get("subject", {})}
    z = normals(SEED, np.arange(DRAWS), Stream.VOLUME, 1, "validation")[:, 0]
    return float(s.get("plasma_volume_ml", otherwise)) * np.exp(float(study.get("volume_cv_fraction", 0.1)) * z)


def _exchange(study: Table, arm: Table, library: Library) -> Curve:
    subject = _subject(study, arm)
    fluids = tuple(FluidPart(f, share) for f, share in arm.get("fluids", [["albumin_5", 1.0]]))
    given = Calcium(*arm["calcium"]) if "calcium" in arm else Calcium(0.0, "g/h")
    order = Prescription(
        float(arm.get("plasma_volumes", 1.0)), Dose.PLASMA_VOLUMES, fluids, arm.get("ratio"), given, arm.get("balance")
    )
    setup = prepare(subject, Course(1, order, Schedule("daily")), library, library.document("unit"))
    plasma = _plasma_ml(study, arm, setup.plasma_volume_ml)
    setup = _timed(setup, study, arm)
    own = session.Extras(bicarbonate_mmol_min=float(arm.get("bicarbonate_mmol_min", 0.0)))
    known = Known(plasma, *(_level(arm, study, name) for name in ("albumin", "globulin")))
    ran = session.run(subject, setup, known, library, SEED, np.arange(DRAWS), extras=own, recorded=True)
    parts = len(setup.fluids) + 1
    return Curve(ran.outcome.times, ran.outcome.series, ran.outcome.segment_min[:, :parts].sum(axis=1))


def _level(arm: Table, study: Table, name: str) -> Floats | None:
    value = {**study.get("proteins", {}), **arm.get("proteins", {})}.get(name)
    return None if value is None else np.full(DRAWS, float(value))


def _timed(setup: Setup, study: Table, arm: Table) -> Setup:
    """The order with the study's plasma volume and duration: the inlet flow that makes it last as long."""
    s = {**study.get("subject", {}), **arm.get("subject", {})}
    pv = float(s.get("plasma_volume_ml", setup.plasma_volume_ml))
    volume = float(arm.get("volume_ml", setup.prescription.dose * pv))
    packed = float(arm.get("packed_hct", setup.settings.packed_hct))
    settings = setup.settings._replace(blood_ml=pv / (1 - setup.settings.hct), packed_hct=packed)
    setup = replace(setup, plasma_volume_ml=pv, volume_ml=volume, settings=settings)
    if "minutes" in arm:
        flow = settings.inlet_cap_ml_min * setup.run.duration_min / float(arm["minutes"])
        free = settings._replace(inlet_cap_ml_min=flow, limit_ml_min_l=1e9)
        free = free._replace(inlet_cap_ml_min=replace(setup, settings=free).run.duration_min / arm["minutes"] * flow)
        setup = replace(setup, settings=free)
    return setup


_RATES: Final = frozenset(script.Act._fields) - {"minutes"}


def _script(study: Table, arm: Table, library: Library) -> Curve:
    """Flows as the experiment gave them; `citrate_mg_kg_min` and `citrate_mmol_kg_h` by weight."""
    subject = _subject(study, arm)
    known = Known(_plasma_ml(study, arm, 43.0 * subject.weight_kg))
    people = bodies.people(subject, known, library, SEED, np.arange(DRAWS))
    people = _changed(people, {**study.get("body", {}), **arm.get("body", {})})
    acts = np.array([[tuple(_act(a, subject.weight_kg)) for a in arm["act"]]], float)
    times, series, status = script.run(bodies.law(library), people, acts)
    if np.any(status):
        raise InputError(str(arm["key"]), f"status {int(status.max())}", "a script that leaves the patient alive")
    ends = float(sum(a["minutes"] for a in arm["act"] if not a.get("after", False)))
    return Curve(times, series, np.full(DRAWS, ends))


def _act(a: Table, weight_kg: float) -> script.Act:
    given = float(a.get("citrate_mg_kg_min", 0.0)) * weight_kg / _CITRATE_MG_PER_MMOL
    given += float(a.get("citrate_mmol_kg_h", 0.0)) * weight_kg / 60.0
    act = script.Act(
        minutes=float(a["minutes"]),
        citrate=given,
        citric_acid=given * float(a.get("acid_fraction", 0.0)),
        calcium=float(a.get("calcium_mmol_kg_h", 0.0)) * weight_kg / 60.0,
    )
    return act._replace(**{k: float(v) for k, v in a.items() if k in _RATES})


def _changed(people: patient.Person, body: Table) -> patient.Person:
    """Factors on a person's records, as `{citrate = {clearance_ml_min = 0.43}}`."""
    for record, factors in body.items():
        old = getattr(people, record)
        new = old._replace(**{name: getattr(old, name) * factor for name, factor in factors.items()})
        people = people._replace(**{record: new})
    return people


def _change(curves: Mapping[str, Curve], o: Asked) -> Floats:
    change: Floats = curves[o.arm].at(o.solute, o.when) - _first(curves[o.arm], o.solute)
    return change


def _first(curve: Curve, quantity: str) -> Floats:
    first: Floats = curve.series[:, 0, chair.QUANTITIES.index(quantity)]
    return first


def _change_percent(curves: Mapping[str, Curve], o: Asked) -> Floats:
    change: Floats = 100.0 * _change(curves, o) / _first(curves[o.arm], o.solute)
    return change


def _value(curves: Mapping[str, Curve], o: Asked) -> Floats:
    return curves[o.arm].at(o.solute, o.when)


def _ratio_to(curves: Mapping[str, Curve], o: Asked) -> Floats:
    """Peak (`highest`) or area above the start (`area`) against arm `of` named as `arm`/`of` in the metric's place."""
    arm, other = o.solute.split(">")[1].split("/")
    quantity = o.solute.split(">")[0]
    if o.when == "area":
        top, bottom = (_area(curves[name], quantity) for name in (arm, other))
    else:
        top, bottom = (curves[name].at(quantity, o.when) for name in (arm, other))
    ratio: Floats = top / bottom
    return ratio


def _area(curve: Curve, quantity: str) -> Floats:
    values = curve.series[:, :, chair.QUANTITIES.index(quantity)]
    above, dt = values - values[:, :1], np.diff(curve.times, axis=1)
    area: Floats = np.sum(0.5 * (above[:, 1:] + above[:, :-1]) * dt, axis=1)
    return area


def _lower_by(curves: Mapping[str, Curve], o: Asked) -> Floats:
    """How much lower the first arm of `quantity>a/b` comes than the second."""
    quantity, pair = o.solute.split(">")
    a, b = pair.split("/")
    less: Floats = curves[b].at(quantity, o.when) - curves[a].at(quantity, o.when)
    return less


def _removed_share(curves: Mapping[str, Curve], o: Asked) -> Floats:
    """Volume refilled from tissue: what was drawn less what the blood volume lost, mL; the amount is in the metric."""
    change = curves[o.arm].at("blood_volume_change", o.when) / 100.0
    plasma, hct = _first(curves[o.arm], "plasma_volume"), _first(curves[o.arm], "haematocrit")
    refilled: Floats = float(o.solute.split("_")[1]) + change * plasma / (1 - hct)
    return refilled


_CURVES: Final[Mapping[str, Callable[[Table, Table, Library], Curve]]] = {"exchange": _exchange, "script": _script}
_METRICS: Final[Mapping[str, Callable[[Mapping[str, Curve], Asked], Floats]]] = {
    "change": _change,
    "change_percent": _change_percent,
    "value": _value,
    "ratio": _ratio_to,
    "lower_by": _lower_by,
    "refill_ml": _removed_share,
}


def _mixture(study: Table, arm: Table, _: Asked, library: Library) -> Floats:
    """Ionised calcium of blood mixed with plasma units in a tube: chemistry alone."""
    law, unit = bodies.law(library).binding, library.values("fluids/plasma")
    base = library.values("equations/citrate")
    free = (float(arm["start"]), base["baseline_ionised_magnesium_mmol_l"], 0.0)
    own = (
        library.value("equations/fluid.baseline_albumin_g_l"),
        library.value("equations/fluid.baseline_globulin_g_l"),
    )
    strengths = binding.site_strengths(law, binding.acid_ratio(law, base["baseline_ph"]))
    z = base["baseline_citrate_mmol_l"] / (1 + law.calcium_citrate_k * free[0] + law.magnesium_citrate_k * free[1])
    start = binding.bound(law, strengths, (free[0], free[1], z), own)
    added = float(arm["plasma_percent"])
    plasma = (100.0 - added) * (1.0 - float(study["subject"]["hct"]))
    units = (start[0] * unit["plasma_fraction"], unit["magnesium_mmol_l"], unit["citrate_mmol_l"])
    share = added / (plasma + added)
    mixed = [(1 - share) * a + share * b for a, b in zip(start, units, strict=True)]
    proteins = [
        (1 - share) * a + share * unit[name] for a, name in zip(own, ("albumin_g_l", "globulin_g_l"), strict=True)
    ]
    guess = (1.7, max(z, mixed[2] / 2))
    tube = (mixed[0], mixed[1], mixed[2])
    return np.full(DRAWS, binding.equilibrium(law, strengths, tube, (proteins[0], proteins[1]), guess)[0])


def _solution(_: Table, arm: Table, __: Asked, library: Library) -> Floats:
    """Colloid osmotic pressure of a solution."""
    p = fluid.colloid_pressure(bodies.law(library).pressure, float(arm["albumin_g_l"]), float(arm["globulin_g_l"]))
    return np.full(DRAWS, p)


def _clamp(_: Table, arm: Table, o: Asked, library: Library) -> Floats:
    """Parathyroid hormone or QT of draws whose ionised calcium is led along a ramp and held, in steps of 0.05 min."""
    subject = Subject(female=False, height_cm=175.0, weight_kg=70.0, hct=0.42)
    body = bodies.people(subject, Known(np.full(DRAWS, 3000.0)), library, SEED, np.arange(DRAWS)).citrate
    start, fall, ramp, dt = float(arm["start"]), float(arm["fall"]), float(arm["ramp_min"]), 0.05
    people = [type(body)(*(np.broadcast_to(f, DRAWS)[i] for f in body)) for i in range(DRAWS)]
    pth, store, lag = np.ones(DRAWS), np.ones(DRAWS), np.zeros(DRAWS)
    hormone, qt = [], []
    for k in range(round(float(arm["minutes"]) / dt)):
        deficit = fall * min(1.0, (k + 1) * dt / ramp)
        if k * dt <= ramp:
            drive = np.array([citrate.pth_drive(one, 1.0 - deficit / start) for one in people])
        pth = pth + dt * body.pth_clearance_per_min * (drive * store - pth)
        store = store + dt * body.pth_refill_per_min * ((1 - store) - body.pth_depletion * (drive - 1) * store)
        lag = lag + dt * (deficit - lag) / body.qt_lag_min
        hormone.append(pth)
        qt.append(1000.0 * (body.qt_steady_s * deficit + body.qt_rate_s * (deficit - lag)))
    rows = np.array(hormone if o.solute == "pth_ratio" else qt)
    return _of_clamp(rows, o.when, dt)


def _of_clamp(rows: Floats, when: str, dt: float) -> Floats:
    match = _WHEN.fullmatch(when)
    found: Floats = rows[-1] if match is None else rows[round(float(match[1]) / dt) - 1]
    if when == "highest":
        found = rows.max(axis=0)
    elif when == "highest_at":
        found = dt * (1 + rows.argmax(axis=0))
    elif when == "60min/highest":
        found = rows[round(60 / dt) - 1] / rows.max(axis=0)
    return found


def _circuit(study: Table, arm: Table, o: Asked, library: Library) -> Floats:
    """The operator's arithmetic of an order: where the anticoagulant goes."""
    subject = _subject(study, arm)
    order = Prescription(1.0, Dose.PLASMA_VOLUMES, (FluidPart("albumin_5", 1.0),), arm.get("ratio"))
    setup = prepare(subject, Course(1, order, Schedule("daily")), library, library.document("unit"))
    machine = _timed(setup, study, arm).run
    if o.metric == "ac_per_litre":
        return np.full(DRAWS, 1000.0 * machine.ac_to_patient_ml / machine.blood_processed_ml)
    return np.full(DRAWS, 100.0 * machine.efficiency)


_TUBES: Final[Mapping[str, Callable[[Table, Table, Asked, Library], Floats]]] = {
    "mixture": _mixture,
    "solution": _solution,
    "clamp": _clamp,
    "circuit": _circuit,
}
