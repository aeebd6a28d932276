"""The benefit model as arrays: one row per draw of what is known, or per virtual patient.

`knowledge` draws the parameters, `Covariates` says what differs between patients, `arms` gives log-odds of response.
Parameters: `evidence/equations/benefit.toml`; equations: `kernel/response.py`; theory: docs/theory/benefit.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from opentpe.evidence.load import Library
from opentpe.kernel import response
from opentpe.kernel.response import Array, Levels
from opentpe.simulation import draws as random
from opentpe.simulation.draws import Stream

FILE: Final = "equations/benefit"
ARMS: Final = ("exchange", "no_exchange", "immunoadsorption", "second_pulse", "ivig")
_CORRELATED: Final = ("intercept", "ln_gap_mild", "ln_gap_marked", "severity")


class Knowledge(NamedTuple):
    """One row per draw: parameters of the model as far as they are known, and one centre. Shapes (rows,)."""

    intercept: Array
    gap_mild: Array
    gap_marked: Array
    severity: Array
    six_months: Array
    centre: Array
    effect: Array
    loss_per_week: Array
    effect_share: Array
    immunoadsorption: Array
    second_pulse: Array
    ivig: Array
    half_session: Array
    steepness: Array
    predictor: Mapping[str, Array]  # log-odds of each predictor, not below 0


class Covariates(NamedTuple):
    """What differs between patients; every field a number or an array that broadcasts against the rows."""

    severe: float | Array
    delay_days: float | Array
    predictors: float | Array  # sum of weighted predictor terms, before the cap
    six_months: float | Array  # 0 discharge, 1 six months


def severe_fraction(
    library: Library,
    edss: float | None = None,
    visual_acuity: float | None = None,
    plegia_bulbar_or_coma: bool | None = None,
) -> float | None:
    """How severe the attack is for the benefit model, 0 to 1; the worst of what is known, None where nothing is."""
    mild = library.value(f"{FILE}.severe.edss_not")
    full = library.value(f"{FILE}.severe.edss_full")
    known: list[float] = []
    if edss is not None:
        known.append(min(max((edss - mild) / (full - mild), 0.0), 1.0))
    if visual_acuity is not None:
        known.append(float(visual_acuity <= library.value(f"{FILE}.severe.visual_acuity_decimal")))
    if plegia_bulbar_or_coma is not None:
        known.append(float(plegia_bulbar_or_coma))
    return max(known) if known else None


def knowledge(library: Library, seed: int, rows: random.Rows) -> Knowledge:
    """The benefit model's parameters at each row; the same row gives the same parameters in every call."""
    z = np.atleast_2d(random.normals(seed, rows, Stream.BENEFIT, 8))
    u = np.atleast_2d(random.uniforms(seed, rows, Stream.BENEFIT, 8, "shapes"))
    joint = _correlated(library, z[:, :4])
    setting_sd = random.half_normal(u[:, 2], value(library, "effect_centre_sd"))
    return Knowledge(
        intercept=joint[:, 0],
        gap_mild=np.exp(joint[:, 1]),
        gap_marked=np.exp(joint[:, 2]),
        severity=np.minimum(joint[:, 3], 0.0),
        six_months=_truncated(library, "six_months", u[:, 0]),
        centre=_truncated(library, "centre_sd", u[:, 1]) * z[:, 6],
        effect=random.sample(library.sourced(f"{FILE}.effect"), z[:, 4]) + setting_sd * z[:, 5],
        loss_per_week=_truncated(library, "loss_per_week", u[:, 3]),
        effect_share=random.sample(library.sourced(f"{FILE}.effect_share_of_loss"), z[:, 7]),
        immunoadsorption=_named(library, seed, rows, "arm.immunoadsorption"),
        second_pulse=random.half_normal(u[:, 4], value(library, "arm.second_pulse")),
        ivig=_named(library, seed, rows, "arm.ivig"),
        half_session=_truncated(
            library,
            "onset.half_session",
            u[:, 5],
            value(library, "onset.half_session_low"),
            value(library, "onset.half_session_high"),
        ),
        steepness=_named(library, seed, rows, "onset.steepness"),
        predictor={
            name: np.maximum(_named(library, seed, rows, f"predictor.{name}.log_odds"), 0.0)
            for name in library.table(f"{FILE}.predictor")
        },
    )


def predictor_sum(library: Library, known: Knowledge, present: Mapping[str, bool | npt.ArrayLike | None]) -> Array:
    """Weighted log-odds of a patient's predictors before the cap. Arrays: 1 present, 0 absent, NaN not known.

    Imaging findings count once: the largest of those present; if none is, the lowest of those absent.
    """
    total = np.zeros_like(known.intercept)
    best = np.full_like(known.intercept, -np.inf)
    worst = np.full_like(known.intercept, np.inf)
    for name, table in library.table(f"{FILE}.predictor").items():
        answer = present.get(name)
        x = np.asarray(np.nan if answer is None else answer, dtype=np.float64)
        term = value(library, f"predictor.{name}.weight") * known.predictor[name]
        term = term * (x - value(library, f"predictor.{name}.prevalence"))
        if table["group"] == "imaging":
            best = np.maximum(best, np.where(x == 1, term, -np.inf))
            worst = np.minimum(worst, np.where(x == 0, term, np.inf))
        else:
            total = total + np.where(np.isnan(x), 0.0, term)
    imaging = np.where(np.isfinite(best), best, np.where(np.isfinite(worst), worst, 0.0))
    combined: Array = total + imaging
    return combined


def imaging_spokesman(library: Library, present: Mapping[str, bool | None]) -> str:
    """The one imaging finding that counts for this patient, "" where none is known."""
    table = library.table(f"{FILE}.predictor")
    known = {n: present.get(n) for n in table if table[n]["group"] == "imaging" and present.get(n) is not None}

    def size(name: str) -> float:
        x = float(bool(known[name])) - value(library, f"predictor.{name}.prevalence")
        return value(library, f"predictor.{name}.weight") * value(library, f"predictor.{name}.log_odds") * x

    shown = [n for n, x in known.items() if x]
    return max(shown, key=size) if shown else min(known, key=size, default="")


def weeks(library: Library, delay_days: float | Array) -> Array:
    """Weeks from the reference delay, constant outside the delays that were treated."""
    days = (value(library, f"{n}_delay_days") for n in ("reference", "first", "last"))
    return response.weeks_from_reference(delay_days, *days)


def arms(library: Library, known: Knowledge, patient: Covariates) -> dict[str, Levels]:
    """Cumulative log-odds of response (at least mild, moderate, marked) for every arm, at every row."""
    later = weeks(library, patient.delay_days)
    shift, delay_part = response.patient_shift(patient.predictors, known.loss_per_week, later, value(library, "cap"))
    exchange = response.response_log_odds(
        known.intercept,
        known.gap_mild,
        known.gap_marked,
        known.six_months * patient.six_months,
        known.severity * patient.severe,
        known.centre,
        shift,
    )
    none = exchange.shifted(-response.effect_left(known.effect, known.effect_share, delay_part))
    return {
        "exchange": exchange,
        "no_exchange": none,
        "immunoadsorption": exchange.shifted(known.immunoadsorption),
        "second_pulse": response.second_pulse_log_odds(exchange, none, known.second_pulse),
        "ivig": none.shifted(known.ivig),
    }


def waiting_cost(library: Library, known: Knowledge, patient: Covariates) -> Array:
    """Probability of at least moderate response with exchange that one more week of waiting costs, at every row."""
    now = arms(library, known, patient)["exchange"].moderate
    later = patient._replace(delay_days=np.asarray(patient.delay_days) + response.DAYS_PER_WEEK)
    cost: Array = response.expit(now) - response.expit(arms(library, known, later)["exchange"].moderate)
    return cost


def visible_by(known: Knowledge, p_final: Array, session: int, planned: int) -> Array:
    """Probability that a moderate response is visible by a session of a course of `planned` sessions."""
    now = response.onset_fraction(float(session), known.half_session, known.steepness)
    end = response.onset_fraction(float(planned), known.half_session, known.steepness)
    seen: Array = p_final * now / end
    return seen


def _correlated(library: Library, z: Array) -> Array:
    """The four parameters of the joint fit, correlated as fitted; (rows, 4)."""
    matrix = np.eye(len(_CORRELATED))
    table = library.table(f"{FILE}.correlation")
    for i, row in enumerate(_CORRELATED):
        for j, column in enumerate(_CORRELATED):
            if column in table.get(row, {}):
                matrix[i, j] = matrix[j, i] = library.value(f"{FILE}.correlation.{row}.{column}")
    lower = np.linalg.cholesky(matrix)
    columns: list[Array] = []
    for i, name in enumerate(_CORRELATED):
        mixed = np.zeros(len(z))
        for j in range(i + 1):  # in a fixed order, so that a row does not see its batch
            mixed = mixed + lower[i, j] * z[:, j]
        columns.append(random.sample(library.sourced(f"{FILE}.{name}"), mixed))
    return np.stack(columns, axis=1)


def value(library: Library, name: str) -> float:
    """The number in use of the benefit model, by its name in the file."""
    return library.value(f"{FILE}.{name}")


def _named(library: Library, seed: int, rows: random.Rows, name: str) -> Array:
    """A parameter with its own address, so that a new one moves no other."""
    z = np.atleast_2d(random.normals(seed, rows, Stream.BENEFIT_PREDICTOR, 1, name))[:, 0]
    return random.sample(library.sourced(f"{FILE}.{name}"), z)


def _truncated(library: Library, name: str, u: Array, low: float = 0.0, high: float = float("inf")) -> Array:
    sourced = library.sourced(f"{FILE}.{name}")
    assert sourced.prior is not None, f"{name} needs a prior"
    sd = (sourced.prior.high - sourced.prior.low) / (2 * 1.959964)
    return random.truncated_normal(u, sourced.value, sd, low, high)
