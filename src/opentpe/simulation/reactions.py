"""The patient in the chair as numbers: bodies of the kernel from size and measured values, and thresholds by seed."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library
from opentpe.kernel import body, circulation, citrate, fluid
from opentpe.kernel.binding import Binding, acid_ratio
from opentpe.simulation import draws
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
    pressure = _pressure(library)
    resting = _fluid_body(subject, blood_ml, library)
    plasma = blood_ml * (1 - subject.hct)
    rested, _ = fluid.rest(
        pressure, resting, plasma, plasma / _ratio(library), blood_ml * subject.hct, _proteins(subject, library)
    )
    made = body.Laws(
        pressure=pressure,
        body=rested,
        binding=_binding(library),
        citrate=_citrate_body(subject, library),
        heart=_heart(subject, blood_ml, library),
        carriage=_carriage(subject, plasma, library),
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
    return law._replace(tingling_percent=tingling, light_headed_percent=light_headed, hypotension_percent=hypotension)


def at_rest(subject: Subject, law: body.Laws, library: Library) -> body.Patient:
    """The patient before the session, at which nothing moves."""
    b = law.body
    _, state = fluid.rest(law.pressure, b, b.plasma0, b.tissue0, b.red_cells0, _proteins(subject, library))
    milieu = body.milieu_of(law, state)
    chemistry, guess = citrate.rest(law.binding, law.citrate, milieu)
    platelets = subject.value("platelets") or library.value("equations/cells.baseline_platelets_10_9_l")
    carried = circulation.Carried(
        library.value("equations/circulation.rest_temperature_cel"),
        law.carriage.potassium0,
        platelets * (b.plasma0 + b.red_cells0) / 1000.0,
    )
    return body.Patient(state, chemistry, guess, milieu, carried, 0.0, 0.0, 0.0, 0, False, 0.0, 0)


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


def _values(library: Library, file: str, *names: str) -> tuple[float, ...]:
    return tuple(library.value(f"equations/{file}.{name}") for name in names)


def _ratio(library: Library) -> float:
    return library.value("equations/fluid.plasma_interstitium_ratio")


def _proteins(subject: Subject, library: Library) -> tuple[float, float]:
    albumin = subject.value("albumin") or library.value("equations/fluid.baseline_albumin_g_l")
    total = subject.value("total_protein")
    globulin = total - albumin if total else library.value("equations/fluid.baseline_globulin_g_l")
    return albumin, globulin


def _pressure(library: Library) -> fluid.Pressure:
    return fluid.Pressure(*_values(
        library, "fluid", "albumin_pressure_linear_mm_hg", "albumin_pressure_square_mm_hg",
        "albumin_pressure_cube_mm_hg", "globulin_pressure_linear_mm_hg", "globulin_pressure_square_mm_hg",
        "globulin_pressure_cube_mm_hg", "albumin_pressure_scale",
    ))  # fmt: skip


def _fluid_body(subject: Subject, blood_ml: float, library: Library) -> Any:
    k, vascular, tissue, reference_blood, reference_tissue = _values(
        library, "fluid", "filtration_ml_min_mm_hg", "vascular_elastance_mm_hg_ml", "interstitial_elastance_mm_hg_ml",
        "reference_blood_volume_ml", "reference_interstitial_volume_ml",
    )  # fmt: skip
    interstitium = blood_ml * (1 - subject.hct) / _ratio(library)
    urine, reflection, globulin, globulin_share = _values(
        library, "fluid", "excess_urine_per_min", "reflection_coefficient_fraction", "globulin_escape_per_d",
        "globulin_intravascular_fraction",
    )  # fmt: skip
    albumin = library.value("solutes/albumin.escape_rate_per_d")
    albumin_share = library.value("solutes/albumin.intravascular_fraction")
    return fluid.Body(
        k * blood_ml / reference_blood, vascular * reference_blood / blood_ml, tissue * reference_tissue / interstitium,
        urine, reflection, albumin / MINUTES_PER_DAY, albumin_share, globulin / MINUTES_PER_DAY, globulin_share,
        0.0, 0.0, 0.0, 0.0, 0.0,
    )  # fmt: skip


def _binding(library: Library) -> Binding:
    logs = _values(
        library, "citrate", "albumin_log_k", "globulin_log_k", "calcium_citrate_log_k", "magnesium_citrate_log_k"
    )
    rest = _values(library, "citrate", "albumin_sites_mmol_g", "globulin_sites_mmol_g", "site_pka", "small_anion_ratio")
    return Binding(*(10**x * 1e-3 for x in logs), *rest)


def _citrate_body(subject: Subject, library: Library) -> Any:
    named = {"normal": "", "cirrhosis": "_cirrhosis", "failure": "_liver_failure"}[subject.liver]
    clearance, transfer, buffer, exponent = _values(
        library, "citrate", f"citrate_clearance{named}_ml_min", "transfer_ml_min", "calcium_buffer_ml_min",
        "clearance_weight_exponent",
    )  # fmt: skip
    size = (subject.weight_kg / 70.0) ** exponent  # the constants are those of a 70-kg adult (model-citrate 4)
    pool, space = _values(library, "citrate", "second_pool_ml_kg", "bicarbonate_volume_ml_kg")
    hormone = _values(
        library, "citrate", "pth_max_ratio", "pth_min_ratio", "pth_slope", "pth_depletion", "pth_refill_per_min",
        "pth_clearance_per_min", "qt_steady_s_per_mmol_l", "qt_rate_s_per_mmol_l", "qt_lag_min",
    )  # fmt: skip
    base = {
        kind: subject.value(kind) or library.value(f"equations/citrate.{name}")
        for kind, name in (
            ("ionised_calcium", "baseline_ionised_calcium_mmol_l"),
            ("bicarbonate", "baseline_bicarbonate_mmol_l"),
        )
    }
    magnesium, citrate0, ph, pco2 = _values(
        library, "citrate", "baseline_ionised_magnesium_mmol_l", "baseline_citrate_mmol_l", "baseline_ph",
        "baseline_pco2_mm_hg",
    )  # fmt: skip
    release, alkali, per_citrate, breathing = _values(
        library, "citrate", "pth_calcium_release_mmol_min", "alkali_release_min", "bicarbonate_per_citrate",
        "pco2_mm_hg_per_mmol_l",
    )  # fmt: skip
    values: list[Any] = [
        clearance * size, transfer * size, pool * subject.weight_kg, buffer * size, release, citrate0,
        base["ionised_calcium"], magnesium, *hormone, space * subject.weight_kg, alkali, per_citrate,
        base["bicarbonate"], ph, pco2, breathing,
        acid_ratio(_binding(library), ph),
    ]  # fmt: skip
    return citrate.Body(*values)


def _heart(subject: Subject, blood_ml: float, library: Library) -> Any:
    rate, stroke, mean, pulse, venous = _values(
        library, "circulation", "baseline_heart_rate_min", "baseline_stroke_volume_ml",
        "baseline_mean_pressure_mm_hg", "baseline_pulse_pressure_mm_hg", "baseline_central_venous_pressure_mm_hg",
    )  # fmt: skip
    systolic, diastolic = subject.value("systolic_pressure"), subject.value("diastolic_pressure")
    share = library.value("equations/circulation.pulse_share_above_mean")
    if systolic and diastolic:
        pulse = systolic - diastolic
        mean = diastolic + (1 - share) * pulse
    reference = library.value("equations/fluid.reference_blood_volume_ml")
    elastance = library.value("equations/fluid.vascular_elastance_mm_hg_ml") * reference / blood_ml
    gains = _values(
        library, "circulation", "stroke_slope", "stroke_floor_fraction", "stroke_saturation", "rate_gain",
        "resistance_gain", "reflex_min", "reflex_low", "reflex_high", "autonomic_ratio",
    )  # fmt: skip
    values: list[Any] = [
        subject.value("heart_rate") or rate,
        stroke,
        mean,
        pulse,
        venous,
        elastance,
        blood_ml,
        *gains,
        share,
    ]
    return circulation.Body(*values)


def _carriage(subject: Subject, plasma_ml: float, library: Library) -> circulation.Carriage:
    heat, water, blood = _values(library, "circulation", "body_heat_j_kg_k", "water_heat_j_ml_k", "blood_heat_j_ml_k")
    space, recovery = _values(library, "fluid", "potassium_space_ratio", "potassium_recovery_min")
    potassium = subject.value("potassium") or library.value("equations/fluid.baseline_potassium_mmol_l")
    return circulation.Carriage(heat * subject.weight_kg, water, blood, space * plasma_ml, potassium, 1.0 / recovery)


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
