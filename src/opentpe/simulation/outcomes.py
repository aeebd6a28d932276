"""From lived arms to endpoints: one number per patient and endpoint; luck is shared by all arms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from opentpe.domain.therapy import MINUTES_PER_DAY, Dose
from opentpe.evidence.load import Library
from opentpe.kernel import crowd, response
from opentpe.kernel.arrays import Floats
from opentpe.simulation import appraise, benefit_model, harm, screen
from opentpe.simulation.draws import Stream, normals, uniforms
from opentpe.simulation.harm import Physiology
from opentpe.simulation.protocol import Spec
from opentpe.simulation.setup import Setup
from opentpe.simulation.virtual import Lived

_HARMS: Final = ("hypocalcaemia_symptoms", "hypotension", "bleeding", "mild_allergy")
_LOW_FIBRINOGEN: Final = "order.fibrinogen_albumin_from_g_l"
_UG_ML_PER_G_L: Final = 1000.0
_NO_FALL: Final = 0.1  # per cent, least fall of calcium the harm model takes
Read = Callable[[Lived, Spec, Library], Floats]


def of(lived: Lived, spec: Spec, library: Library) -> dict[str, Floats]:
    """Every endpoint the specification asks for; (patients,) each, NaN where it does not apply."""
    found: dict[str, Floats] = {}
    if any(name in _HARMS for name in spec.endpoints):
        found |= _events(lived, spec, library)
    return {name: found[name] if name in found else _READ[name](lived, spec, library) for name in spec.endpoints}


def _column(lived: Lived, key: str) -> int:
    return lived.planned.columns.column(key)


def _exchanged(lived: Lived) -> bool:
    return lived.planned.setup is not None


def _igg_fall(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    j, n = _column(lived, "igg"), lived.group.rows.size
    if not _exchanged(lived):
        return np.zeros(n)
    fall: Floats = 100 * (1 - lived.trajectory.after[:, j, -1] / lived.people.concentration[:, j])
    return fall


def _igg_day_14(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    return lived.trajectory.concentration[:, _column(lived, "igg"), lived.day_14]


def _lowest_before(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    """Lowest fibrinogen before any session from the second on."""
    j = _column(lived, "fibrinogen")
    if lived.planned.starts_min.size < 2:
        return lived.people.concentration[:, j]
    lowest: Floats = lived.trajectory.before[:, j, 1:].min(axis=1)
    return lowest


def _lab_lowest(lived: Lived, spec: Spec, library: Library) -> Floats:
    """The same as a laboratory reports it."""
    lowest = _lowest_before(lived, spec, library)
    if not spec.conduct.lab_noise:
        return lowest
    z = normals(spec.seed, lived.group.rows, Stream.MEASUREMENT, 1, "fibrinogen lowest")[:, 0]
    return lowest * np.exp(library.value("solutes/fibrinogen.assay_sd_fraction") * z)


def _below_1(lived: Lived, spec: Spec, library: Library) -> Floats:
    return np.asarray(_lowest_before(lived, spec, library) < library.value(_LOW_FIBRINOGEN), float)


def _fibrinogen_after(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    j = _column(lived, "fibrinogen")
    return lived.trajectory.after[:, j, -1] if _exchanged(lived) else lived.people.concentration[:, j]


def _drug_left(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    """Drug after the last session, per cent of the level before session 1; NaN for patients not on it."""
    j = lived.planned.drug_column
    if not _exchanged(lived):
        return np.where(lived.done.on_drug > 0, 100.0, np.nan)
    first = lived.trajectory.before[:, j, 0]
    left = np.divide(lived.trajectory.after[:, j, -1], first, out=np.full(first.size, np.nan), where=first > 0)
    percent: Floats = 100 * left
    return percent


def _drug_day_14(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    """Drug 14 days after the last planned session, ug/mL; NaN for patients not on it."""
    level = _UG_ML_PER_G_L * lived.trajectory.concentration[:, lived.planned.drug_column, lived.day_14]
    return np.where(lived.done.on_drug > 0, level, np.nan)


def _sessions(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    return np.asarray((lived.done.delivered_fraction > 0).sum(axis=1), float)


def _complete(lived: Lived, _spec: Spec, library: Library) -> Floats:
    least = library.value("order.partial_counts_from_plasma_volumes")
    whole = lived.done.plasma_ml / lived.group.plasma_volume_ml[:, None] >= np.minimum(least, 1.0) - 1e-9
    full = lived.done.delivered_fraction >= 1.0
    if not _exchanged(lived):
        return np.full(lived.group.rows.size, np.nan)
    return np.asarray((whole | full).all(axis=1), float)


def _days(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    on = lived.done.delivered_fraction > 0
    if not on.shape[1]:
        return np.zeros(on.shape[0])
    return np.asarray(np.where(on, lived.planned.starts_min, 0.0).max(axis=1) / MINUTES_PER_DAY, float)


def _plasma(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    litres: Floats = lived.done.plasma_ml.sum(axis=1) / 1000
    return litres


def _chair(lived: Lived, _spec: Spec, library: Library) -> Floats:
    on = lived.done.delivered_fraction > 0
    hours: Floats = (on * (lived.done.minutes + library.value("order.chair_overhead_min"))).sum(axis=1) / 60
    return hours


def _albumin(lived: Lived, _spec: Spec, library: Library) -> Floats:
    setup = lived.planned.setup
    if setup is None:
        return np.zeros(lived.group.rows.size)
    g_l = sum(
        share * library.value(f"fluids/{fluid}.albumin_g_l")
        for fluid, share in setup.fluids
        if not library.document(f"fluids/{fluid}")["donor_plasma"]
    )
    grams: Floats = lived.done.delivered_fraction.sum(axis=1) * lived.done.runs[crowd.REPLACED] / 1000 * g_l
    return grams


def _calcium(lived: Lived, spec: Spec, library: Library) -> Floats:
    """Lowest ionised calcium of the course: of all sessions in full, else of one (screened); at rest where none."""
    if lived.felt is not None:
        found: Floats = np.min(lived.felt.calcium_mmol_l, axis=1, initial=np.inf)
        return np.minimum(found, lived.felt.resting_calcium_mmol_l)
    body = _reaction(lived, spec, library)
    if lived.planned.setup is None:
        return body.ionised_calcium_mmol_l
    return screen.calcium_nadir(body, _ordered(lived, lived.planned.setup), library)


def _reaction(lived: Lived, spec: Spec, library: Library) -> screen.Reaction:
    def normal(stream: Stream, name: str, count: int) -> Floats:
        return normals(spec.seed, lived.group.rows, stream, count, name)

    return screen.reaction(lived.group, library, normal)


def _ordered(lived: Lived, setup: Setup) -> screen.Ordered:
    group, people, order = lived.group, lived.people, setup.prescription
    relative = order.dose_unit is Dose.PLASMA_VOLUMES
    volumes = np.full(group.rows.size, order.dose) if relative else order.dose / group.plasma_volume_ml
    blood = people.plasma_ml + people.red_cells_ml
    return screen.Ordered(setup, lived.done.runs, volumes, group.weight_kg, blood)


def _volume_loss(lived: Lived, spec: Spec, library: Library) -> Floats:
    """Deepest loss of blood volume of the course: of all sessions in full, else of one (screened)."""
    if lived.felt is not None:
        found: Floats = np.max(lived.felt.volume_loss_percent, axis=1, initial=0.0)
        return found
    setup = lived.planned.setup
    if setup is None:
        return np.zeros(lived.group.rows.size)
    return screen.volume_loss_percent(_reaction(lived, spec, library), _ordered(lived, setup), library)


def _pressure(lived: Lived, _spec: Spec, _library: Library) -> Floats:
    """Lowest mean arterial pressure of the course; NaN where no session took place."""
    assert lived.felt is not None, "refused by protocol.checked"
    treated = (lived.done.delivered_fraction > 0).any(axis=1)
    return np.where(treated, np.min(lived.felt.mean_pressure_mm_hg, axis=1, initial=np.inf), np.nan)


def _response(lived: Lived, spec: Spec, library: Library) -> Floats:
    """At least moderate response at discharge; patients who had no session respond as without exchange."""
    known = benefit_model.knowledge(library, spec.seed, lived.group.rows)
    patient = benefit_model.Covariates(lived.group.severe, lived.group.delay_days, 0.0, 0.0)
    arms = benefit_model.arms(library, known, patient)
    treated = _sessions(lived, spec, library) > 0
    p = response.expit(np.where(treated, arms["exchange"].moderate, arms["no_exchange"].moderate))
    return (_luck(spec, lived, Stream.OUTCOME, "response") < p).astype(float)


def _luck(spec: Spec, lived: Lived, stream: Stream, name: str) -> Floats:
    return uniforms(spec.seed, lived.group.rows, stream, 1, name)[:, 0]


def _events(lived: Lived, spec: Spec, library: Library) -> dict[str, Floats]:
    """The asked-for harms as events of the course, driven by what the run says; none in an arm without exchange."""
    setup, rows = lived.planned.setup, lived.group.rows
    if setup is None:
        return {name: np.zeros(rows.size) for name in _HARMS}
    facts = appraise.harm_facts(setup.prescription, lived.planned.starts_min.size, setup.volume_ml, library)
    fall, loss = _stress(lived, spec, library)
    physiology = Physiology(
        ionised_calcium_fall_pct=np.maximum(fall, _NO_FALL),
        blood_volume_loss_pct=loss,
        fibrinogen_nadir_g_l=lived.trajectory.after[:, _column(lived, "fibrinogen")],
    )
    found = harm.event_probabilities(facts, physiology, library, spec.seed, rows)
    treated = _sessions(lived, spec, library) > 0
    return {
        name: ((_luck(spec, lived, Stream.EVENT, name) < found[name].course) & treated).astype(float) for name in _HARMS
    }


def _stress(lived: Lived, spec: Spec, library: Library) -> tuple[Floats, Floats]:
    """Fall of ionised calcium and loss of blood volume, per cent, (patients, sessions); screened: all alike."""
    if lived.felt is not None:
        resting = lived.felt.resting_calcium_mmol_l[:, None]
        return 100 * (1 - lived.felt.calcium_mmol_l / resting), lived.felt.volume_loss_percent
    resting = _reaction(lived, spec, library).ionised_calcium_mmol_l
    fall: Floats = 100 * (1 - _calcium(lived, spec, library) / resting)
    sessions = np.ones((1, lived.planned.starts_min.size))
    return fall[:, None] * sessions, _volume_loss(lived, spec, library)[:, None] * sessions


_READ: Final[dict[str, Read]] = {
    "igg_fall_percent": _igg_fall,
    "igg_day_14_g_l": _igg_day_14,
    "fibrinogen_lowest_before_g_l": _lowest_before,
    "fibrinogen_lab_lowest_g_l": _lab_lowest,
    "fibrinogen_below_1_before": _below_1,
    "fibrinogen_after_last_g_l": _fibrinogen_after,
    "drug_left_percent": _drug_left,
    "drug_day_14_ug_ml": _drug_day_14,
    "sessions_done": _sessions,
    "complete": _complete,
    "days_to_last_session": _days,
    "plasma_removed_l": _plasma,
    "chair_h": _chair,
    "albumin_g": _albumin,
    "ionised_calcium_lowest_mmol_l": _calcium,
    "blood_volume_loss_percent": _volume_loss,
    "mean_pressure_lowest_mm_hg": _pressure,
    "response_moderate": _response,
}
