"""Equations of benefit and harm: numbers or arrays of draws in, log-odds and probabilities out.

Levels of benefit are cumulative: at least mild, at least moderate, marked. Everything is elementwise, so that a draw,
a patient or a whole cohort takes the same path. Evidence: `equations/benefit.toml`, `equations/harm.toml`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from opentpe.kernel.normal import ndtr

Array = npt.NDArray[np.float64]
Num = float | Array

DAYS_PER_WEEK = 7.0


class Levels(NamedTuple):
    """Log-odds, or probabilities, of at least mild, at least moderate and marked improvement."""

    mild: Array
    moderate: Array
    marked: Array

    def shifted(self, by: Num) -> Levels:
        """The three levels moved by the same log-odds."""
        return Levels(self.mild + by, self.moderate + by, self.marked + by)


def expit(x: Num) -> Array:
    """The probability of log-odds `x`."""
    p: Array = 1.0 / (1.0 + np.exp(-np.asarray(x, dtype=np.float64)))
    return p


def logit(p: Num) -> Array:
    """The log-odds of a probability."""
    q = np.asarray(p, dtype=np.float64)
    x: Array = np.log(q) - np.log1p(-q)
    return x


def bounded(total: Num, cap: Num) -> Array:
    """A sum of log-odds that can never move the result by more than `cap` either way: cap tanh(total / cap)."""
    moved: Array = cap * np.tanh(np.asarray(total, dtype=np.float64) / cap)
    return moved


def weeks_from_reference(delay_days: Num, reference_days: Num, first_days: Num, last_days: Num) -> Array:
    """Weeks between onset-to-exchange delay and the reference delay; constant outside first … last day."""
    weeks: Array = (np.clip(delay_days, first_days, last_days) - reference_days) / DAYS_PER_WEEK
    return weeks


def patient_shift(predictors: Num, loss_per_week: Num, weeks: Num, cap: Num) -> tuple[Array, Array]:
    """Log-odds of this patient against the average patient, and the part of it that is delay.

    S = cap tanh((L - lambda w) / cap), delay part D = S - cap tanh(L / cap); |S| < cap.
    """
    rest = bounded(predictors, cap)
    shift = bounded(predictors - loss_per_week * weeks, cap)
    return shift, shift - rest


def response_log_odds(
    intercept: Num, gap_mild: Num, gap_marked: Num, six_months: Num, severity: Num, centre: Num, shift: Num
) -> Levels:
    """Cumulative log-odds of response with exchange: eta_j = a + offset_j + delta t + gamma severe + tau z + S."""
    moderate = np.asarray(intercept + six_months + severity + centre + shift, dtype=np.float64)
    return Levels(moderate + gap_mild, moderate, moderate - gap_marked)


def effect_left(effect: Num, share: Num, delay_shift: Num) -> Array:
    """Log odds ratio of exchange against none that is left at this delay: max(T + phi D, min(T, 0))."""
    left: Array = np.maximum(effect + share * delay_shift, np.minimum(effect, 0.0))
    return left


def second_pulse_log_odds(with_exchange: Levels, without: Levels, gain: Num) -> Levels:
    """A second steroid pulse: some gain over none, never above exchange where exchange is above none."""
    return Levels(
        *(np.minimum(n + gain, np.maximum(e, n)) for e, n in zip(with_exchange, without, strict=True)),
    )


def probabilities(log_odds: Levels) -> Levels:
    """Cumulative probabilities of the three levels."""
    return Levels(*(expit(x) for x in log_odds))


def groups(cumulative: Levels) -> tuple[Array, Array, Array, Array]:
    """Four exclusive groups that sum to 1: none, mild, moderate, marked."""
    mild, moderate, marked = cumulative
    return 1.0 - mild, mild - moderate, moderate - marked, marked


def onset_fraction(session: Num, half_session: Num, steepness: Num) -> Array:
    """Share of responders whose response is visible by a session, of those who ever show it: 1 / (1 + (k/m)^-kappa)."""
    share: Array = 1.0 / (1.0 + (np.asarray(session, dtype=np.float64) / half_session) ** -steepness)
    return share


def late_response(visible_by_now: Num, final: Num) -> Array:
    """Chance of a response later, given none so far: (p_final - p_now) / (1 - p_now)."""
    chance: Array = (np.asarray(final, dtype=np.float64) - visible_by_now) / (1.0 - np.asarray(visible_by_now))
    return chance


def hazard(p: Num) -> Array:
    """Cumulative hazard of one session with event probability `p`: -ln(1 - p)."""
    h: Array = -np.log1p(-np.asarray(p, dtype=np.float64))
    return h


def from_hazard(h: Num) -> Array:
    """The probability that belongs to a cumulative hazard."""
    p: Array = -np.expm1(-np.asarray(h, dtype=np.float64))
    return p


def course_probability(total_hazard: Num, frailty: Num) -> Array:
    """At least one event in a course: 1 - (1 + nu H)^(-1/nu); patients differ, so events gather in some of them."""
    p: Array = -np.expm1(-np.log1p(np.asarray(frailty) * total_hazard) / frailty)
    return p


def felt(fall_pct: Num, intercept: Num, slope: Num, centre: Num) -> Array:
    """Latent strength of hypocalcaemia symptoms at a fall of ionised calcium (%): A + B ln(fall / 10) + centre.

    Symptoms are felt where it exceeds a standard normal: probability Phi(latent). No fall, no symptom.
    """
    fall = np.maximum(np.asarray(fall_pct, dtype=np.float64), 1e-9)
    latent: Array = intercept + slope * np.log(fall / 10.0) + centre
    return latent


def felt_probability(latent: Num) -> Array:
    """Probability that symptoms are felt in one session."""
    return ndtr(latent)


def felt_in_course(latent: Array, kept: Array, patient_share: Num, nodes: Array, weights: Array) -> Array:
    """At least one session with symptoms, when part of the threshold is the patient's own and stays.

    `latent`, `kept`: (draws, sessions); `kept` is the share of felt symptoms that is recorded (1: asked each time).
    `patient_share`: share of the threshold's variance that persists. `nodes`, `weights`: quadrature over a standard
    normal. Returns (draws,).
    """
    own = np.sqrt(patient_share) * nodes
    spread = np.sqrt(1.0 - np.asarray(patient_share))
    never = np.zeros(latent.shape[0])
    for node, weight in zip(own, weights, strict=True):  # in a fixed order, so that a row does not see its batch
        none = np.full(latent.shape[0], weight)
        for session in range(latent.shape[1]):
            none = none * (1.0 - kept[:, session] * ndtr((latent[:, session] + node) / spread))
        never = never + none
    at_least_one: Array = 1.0 - never
    return at_least_one


def recorded(p_felt: Num, log_odds_unrecorded: Num) -> Array:
    """Probability that felt symptoms reach a registry: fewer than asking finds."""
    p = np.clip(p_felt, 1e-300, 1.0 - 1e-15)
    return expit(logit(p) - log_odds_unrecorded)


def volume_link(loss_pct: Num, reference_pct: Num, slope_per_pct: Num) -> Array:
    """Log-odds of hypotension added by a relative blood volume that falls more (or less) than the reference."""
    added: Array = np.asarray(slope_per_pct * (np.asarray(loss_pct, dtype=np.float64) - reference_pct))
    return added


def depletion_share(level: Num, full_above: Num, width: Num) -> Array:
    """How far a protective protein has fallen below its threshold: 0 at or above it, 1 from `width` below."""
    share: Array = np.clip((full_above - np.asarray(level, dtype=np.float64)) / width, 0.0, 1.0)
    return share


def posterior_log_odds(rank: Array, mean: float, sd: float, events: int, of: int) -> Array:
    """A centre's own log-odds after it counted `events` in `of`, at prior ranks `rank` (0 to 1).

    Prior normal(mean, sd) on the log-odds, binomial counts; posterior by quadrature on a fine grid.
    """
    peak = float(logit((events + 0.5) / (of + 1.0)))
    width = 12.0 / np.sqrt(1.0 / sd**2 + events * (1.0 - events / max(of, 1)))
    low, high = min(mean, peak) - width, max(mean, peak) + width
    grid = np.linspace(low, high, 4001)
    log_density = -0.5 * ((grid - mean) / sd) ** 2 + events * grid - of * np.logaddexp(0.0, grid)
    density = np.exp(log_density - log_density.max())
    cdf = np.cumsum(density)
    cdf = (cdf - 0.5 * density) / cdf[-1]
    at: Array = np.interp(rank, cdf, grid)
    return at
