"""The patient in the chair of the device clock: the body of `bodies`, its thresholds by seed, and other solutes."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library
from opentpe.kernel import body, circulation, citrate, fluid, patient
from opentpe.simulation import bodies, draws
from opentpe.simulation.draws import Stream

MINUTES_PER_DAY: Final = 1440.0
_SOONEST: Final = 0.1  # %: a person whose reaction does not wait for a loss of volume
_NEVER: Final = 1e9  # a fall nobody reaches: no complaint of this kind


def laws(
    subject: Subject,
    blood_ml: float,
    library: Library,
    seed: int,
    *,
    phantom: bool,
    own: tuple[float | None, float | None] = (None, None),
) -> body.Laws:
    """How this patient reacts; thresholds are the patient's `own`, else drawn by seed (harm law: equations/harm)."""
    shared, plasma = bodies.law(library), blood_ml * (1 - subject.hct)
    person = bodies.one(subject, plasma, library)
    rested, _ = _fluid_at_rest(shared.pressure, person)
    made = body.Laws(
        pressure=shared.pressure,
        body=rested,
        binding=shared.binding,
        citrate=person.citrate,
        heart=person.circulation,
        carriage=person.carriage,
        tingling_percent=_NEVER,
        light_headed_percent=_NEVER,
        hypotension_percent=_NEVER,
        frozen=phantom,
    )
    return as_drawn(made, library, seed, own)


def as_drawn(law: body.Laws, library: Library, seed: int, own: tuple[float | None, float | None]) -> body.Laws:
    """The same body with the thresholds of a seed, where they are not the patient's own; a phantom has none."""
    if law.frozen:
        return law
    tingling, hypotension = thresholds(library, seed)
    tingling = tingling if own[0] is None else own[0]
    hypotension = hypotension if own[1] is None else own[1]
    light_headed = max(hypotension - library.value("patient_watch.light_headed.before_percent"), _SOONEST)
    return law._replace(  # as floats: a whole number of a file would be another type, and another compile
        tingling_percent=float(tingling),
        light_headed_percent=float(light_headed),
        hypotension_percent=float(hypotension),
    )


def at_rest(subject: Subject, law: body.Laws, library: Library) -> body.Patient:
    """The patient before the session, at which nothing moves."""
    at = bodies.one(subject, law.body.plasma0, library).standing
    state = fluid_at_rest(subject, law, library)
    milieu = body.milieu_of(law, state)
    chemistry, guess = citrate.rest(law.binding, law.citrate, milieu)
    blood_l = (at.plasma_ml + at.red_cells_ml) / 1000.0
    carried = circulation.Carried(at.temperature, law.carriage.potassium0, at.platelets * blood_l)
    return body.Patient(state, chemistry, guess, milieu, carried, 0.0, 0.0, 0.0, 0, False, 0.0, 0)


def fluid_at_rest(subject: Subject, law: body.Laws, library: Library) -> fluid.State:
    """Volumes (mL) and proteins (mg) before the session."""
    _, state = _fluid_at_rest(law.pressure, bodies.one(subject, law.body.plasma0, library))
    return state


def pools(subject: Subject, plasma_ml: float, library: Library, solutes: tuple[str, ...]) -> body.Pools:
    """The other solutes at rest, with how they turn over."""
    rates = _turnover(plasma_ml, library, solutes)
    amounts = np.zeros((len(solutes), 2))
    for k, name in enumerate(solutes):
        plasma = _baseline(name, subject, library) * plasma_ml
        amounts[k] = plasma, plasma * rates[k, 1] / rates[k, 2] if rates[k, 2] > 0 else 0.0
    return body.Pools(rates, amounts, np.zeros(8 + len(solutes)))


def thresholds(library: Library, seed: int) -> tuple[float, float]:
    """Falls, %, of ionised calcium and relative blood volume at which one person of a seed tingles, and collapses."""
    u, v = (float(x) for x in draws.uniforms(seed, 0, Stream.THRESHOLD, 2, "chair"))
    intercept = library.value("equations/harm.calcium_link.intercept")
    slope = library.value("equations/harm.calcium_link.slope")
    z = NormalDist().inv_cdf(u)
    tingling = 10.0 * math.exp((z - intercept) / slope)
    log_odds = library.value("equations/harm.event.hypotension.log_odds")
    per_percent = library.value("equations/harm.volume_link.slope_per_pct")
    reference = library.value("equations/harm.volume_link.reference_pct")
    hypotension = reference + (math.log(v / (1 - v)) - log_odds) / per_percent
    return tingling, max(hypotension, _SOONEST)


def _fluid_at_rest(pressure: fluid.Pressure, person: patient.Person) -> tuple[fluid.Body, fluid.State]:
    at = person.standing
    proteins, tissue = (at.albumin, at.globulin), (at.tissue_albumin_mg, at.tissue_globulin_mg)
    found: tuple[fluid.Body, fluid.State] = fluid.rest(
        pressure, person.fluid, at.plasma_ml, at.tissue_ml, at.red_cells_ml, proteins, tissue
    )
    return found


def _turnover(plasma_ml: float, library: Library, solutes: tuple[str, ...]) -> Any:
    rates = np.zeros((len(solutes), 4))
    for k, name in enumerate(solutes):
        table = library.values(f"solutes/{name}.")
        escape = table.get("escape_rate_per_d", 0.0) / MINUTES_PER_DAY
        share = table.get("intravascular_fraction", 1.0)
        out = table.get("catabolic_rate_per_d", 0.0) / MINUTES_PER_DAY
        made = out * table.get("concentration", 0.0) * plasma_ml
        rates[k] = out, escape, escape * share / (1 - share) if share < 1 else 0.0, made
    return rates


def _baseline(name: str, subject: Subject, library: Library) -> float:
    return subject.value(name) or library.values(f"solutes/{name}.").get("concentration", 0.0)
