"""From a problem to a posterior: a weighted cohort by tempered, adaptive importance sampling about the best guess.

1. The best guess: damped Gauss-Newton in standard normal positions, with Student's t for the error of each lab.
2. The directions the labs can see are few; there rows are proposed wide about the guess, elsewhere from the prior.
3. Each row is weighted exactly by prior times likelihood over proposal. Where too few rows carry the weight, the
   weights are tempered, the proposal moves to them, and rows are drawn again. Theory: docs/theory/fit.md.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, stdtr
from scipy.stats import chi2

from opentpe.kernel.arrays import Floats
from opentpe.simulation import problem as posed
from opentpe.simulation.draws import Stream, normals, uniforms
from opentpe.simulation.labs import FILE
from opentpe.simulation.problem import Problem

_STEPS: Final = 8  # Gauss-Newton steps at most
_NUDGE: Final = 0.05  # of a position, for slopes
_SETTLED: Final = 1e-3
_SEEN: Final = 0.05  # a direction in which the labs hold this much information per prior unit is a seen one
_SCOUTS: Final = 48  # prior rows that look for a better start than the middle
_WIDE: Final = ((0.80, 1.15), (0.20, 2.2))  # share and width of the proposal's two parts
_ENOUGH: Final = 0.30  # of the rows, as effective sample size
_ROUNDS: Final = 5


class Posterior(NamedTuple):
    """A weighted cohort in standard normal positions, with the predictions it was weighted by."""

    problem: Problem
    z: Floats  # (rows, positions)
    weights: Floats  # (rows,), sum 1
    predicted: Floats  # (rows, labs), natural logarithm
    guess: Floats  # (positions,) the most likely patient
    effective_rows: float
    rounds: int
    surprise: Floats  # (labs,) distance from the prior's prediction in standard deviations
    conflict_probability: float


class _Proposal(NamedTuple):
    """Normal mixture in the seen directions: basis (positions, seen), centre, lower triangle of the covariance."""

    basis: Floats
    centre: Floats
    lower: Floats


def infer(problem: Problem, seed: int, rows: int, threads: int = 1) -> Posterior:
    """The posterior of a problem with `rows` rows; the same seed gives the same rows."""
    width = problem.layout.width
    if not problem.labs:
        z = normals(seed, np.arange(rows), Stream.FIT, width)
        blank = np.zeros((rows, 0))
        return Posterior(problem, z, np.full(rows, 1 / rows), blank, np.zeros(width), rows, 0, np.zeros(0), 1.0)
    surprise = _surprise(problem, threads)
    guess, slopes = _best_guess(problem, seed, threads)
    proposal = _propose(problem, guess, slopes)
    conflict = _conflict(proposal)
    best: Posterior | None = None
    for turn in range(_ROUNDS):
        z, log_q = _draw(proposal, seed, rows, turn, width)
        predicted = posed.predict(problem, z, threads)
        log_w = log_likelihood(problem, predicted).sum(axis=1) - log_q
        weights = _normalised(log_w)
        found = Posterior(problem, z, weights, predicted, guess, _effective(weights), turn + 1, surprise, conflict)
        best = found if best is None or found.effective_rows > best.effective_rows else best
        if found.effective_rows >= _ENOUGH * rows:
            break
        proposal = _moved(proposal, z, log_w)
    assert best is not None
    return best._replace(rounds=turn + 1)


def standardised(problem: Problem, predicted: Floats) -> Floats:
    """Distance of each lab from its prediction in error units; (rows, labs)."""
    values, sds = _values(problem)
    away: Floats = (values - predicted) / sds
    return away


def log_likelihood(problem: Problem, predicted: Floats) -> Floats:
    """Log-likelihood of each lab at each row: Student's t, or the chance to lie below the detection limit."""
    nu = problem.library.value(f"{FILE}.error_degrees")
    away = standardised(problem, predicted)
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    seen: Floats = constant - (nu + 1) / 2 * np.log1p(away**2 / nu)
    censored = np.array([lab.censored for lab in problem.labs])
    if censored.any():
        seen = np.where(censored, np.log(np.maximum(stdtr(nu, away), 1e-300)), seen)
    return seen


def lab_weights(problem: Problem, predicted: Floats) -> Floats:
    """How much of an ordinary lab's weight each lab keeps, 0 to 1; (rows, labs)."""
    nu = problem.library.value(f"{FILE}.error_degrees")
    away = _open(problem, standardised(problem, predicted))
    kept: Floats = nu / (nu + away**2)
    return kept


def _values(problem: Problem) -> tuple[Floats, Floats]:
    return np.array([lab.log_value for lab in problem.labs]), np.array([lab.log_sd for lab in problem.labs])


def _open(problem: Problem, away: Floats) -> Floats:
    """Distances with those of labs below detection set to 0 where the prediction is below the limit too."""
    censored = np.array([lab.censored for lab in problem.labs])
    return np.where(censored & (away > 0), 0.0, away)


def _slopes(problem: Problem, z: Floats, threads: int) -> tuple[Floats, Floats]:
    """Predicted labs at one place, and their slopes along every position: (labs,), (labs, positions)."""
    rows = np.vstack([z, z + _NUDGE * np.eye(z.size)])
    found = posed.predict(problem, rows, threads)
    return found[0], (found[1:] - found[0]).T / _NUDGE


def _surprise(problem: Problem, threads: int) -> Floats:
    """How far each lab lies from the prior's prediction, in standard deviations with the assay error."""
    at_prior, slopes = _slopes(problem, np.zeros(problem.layout.width), threads)
    values, sds = _values(problem)
    away: Floats = _open(problem, (values - at_prior)[None, :])[0]
    surprise: Floats = away / np.sqrt((slopes**2).sum(axis=1) + sds**2)
    return surprise


def _conflict(proposal: _Proposal) -> float:
    """Probability, were the prior true, of a best guess at least this far from its middle.

    In a direction of information s2 the guess spreads by s2/(1 + s2) about the middle. One wild lab moves it little.
    """
    information = 1 / np.diag(proposal.lower) ** 2 - 1
    distance = float((proposal.centre**2 * (1 + information) / information).sum())
    return float(chi2.sf(distance, information.size)) if information.size else 1.0


def _cost(problem: Problem, z: Floats, predicted: Floats) -> float:
    return float(0.5 * z @ z - log_likelihood(problem, predicted[None, :]).sum())


def _best_guess(problem: Problem, seed: int, threads: int) -> tuple[Floats, Floats]:
    """The most likely positions and the slopes there: damped Gauss-Newton from the best of the middle and scouts."""
    width = problem.layout.width
    scouts = np.vstack([np.zeros(width), normals(seed, np.arange(_SCOUTS), Stream.FIT, width, "scouts")])
    reached = posed.predict(problem, scouts, threads)
    costs = 0.5 * (scouts**2).sum(axis=1) - log_likelihood(problem, reached).sum(axis=1)
    z, cost = scouts[int(np.argmin(costs))], float(np.min(costs))
    value, slopes = _slopes(problem, z, threads)
    for _ in range(_STEPS):
        target = _newton(problem, z, value, slopes)
        trials = z + np.array([1.0, 0.5, 0.2, 0.05])[:, None] * (target - z)
        reached = posed.predict(problem, trials, threads)
        costs = np.array([_cost(problem, t, p) for t, p in zip(trials, reached, strict=True)])
        k = int(np.argmin(costs))
        if costs[k] >= cost:
            break
        settled = cost - costs[k] < _SETTLED
        z, cost = trials[k], float(costs[k])
        value, slopes = _slopes(problem, z, threads)
        if settled:
            break
    return z, slopes


def _newton(problem: Problem, z: Floats, value: Floats, slopes: Floats) -> Floats:
    """Where the labs, taken as straight lines through here, would put the patient."""
    values, sds = _values(problem)
    kept = np.sqrt(_tightness(problem, value)) / sds
    a = slopes * kept[:, None]
    right = a @ z + kept * _open(problem, (values - value)[None, :])[0]
    target: Floats = a.T @ np.linalg.solve(a @ a.T + np.eye(right.size), right)
    return target


def _tightness(problem: Problem, value: Floats) -> Floats:
    nu = problem.library.value(f"{FILE}.error_degrees")
    away = _open(problem, standardised(problem, value[None, :]))[0]
    tight: Floats = (nu + 1) / (nu + away**2)
    return tight


def _propose(problem: Problem, guess: Floats, slopes: Floats) -> _Proposal:
    _, sds = _values(problem)
    value = posed.predict(problem, guess[None, :])[0]
    a = slopes * (np.sqrt(_tightness(problem, value)) / sds)[:, None]
    _, size, directions = np.linalg.svd(a, full_matrices=False)
    seen = size**2 > _SEEN
    basis: Floats = directions[seen].T
    lower: Floats = np.diag(1 / np.sqrt(1 + size[seen] ** 2))
    return _Proposal(basis, basis.T @ guess, lower)


def _draw(proposal: _Proposal, seed: int, rows: int, turn: int, width: int) -> tuple[Floats, Floats]:
    """Rows of the proposal and, per row, log proposal over log prior (the directions not seen cancel)."""
    index = np.arange(rows) + turn * rows
    free = normals(seed, index, Stream.FIT, width, "free")
    u = uniforms(seed, index, Stream.FIT, 1, "part")[:, 0]
    wide = np.where(u < _WIDE[0][0], _WIDE[0][1], _WIDE[1][1])
    basis, centre, lower = proposal
    own = free @ basis
    seen = centre + wide[:, None] * (own @ lower.T)
    z = free + (seen - own) @ basis.T
    solved = np.linalg.solve(lower, (seen - centre).T)
    square, size = (solved**2).sum(axis=0), centre.size
    parts = [np.log(share) - 0.5 * square / w**2 - size * np.log(w) for share, w in _WIDE]
    log_q = logsumexp(parts, axis=0) - np.log(np.diag(lower)).sum()
    over: Floats = log_q + 0.5 * (seen**2).sum(axis=1)
    return z, over


def _moved(proposal: _Proposal, z: Floats, log_w: Floats) -> _Proposal:
    """The proposal moved to the rows, weighted by weights tempered until enough of them count."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        enough = _effective(_normalised(middle * log_w)) >= _ENOUGH * log_w.size
        low, high = (middle, high) if enough else (low, middle)
    w = _normalised(low * log_w)
    seen = z @ proposal.basis
    centre = w @ seen
    spread = (seen - centre).T @ ((seen - centre) * w[:, None])
    lower = np.asarray(np.linalg.cholesky(spread + 1e-9 * np.eye(centre.size)), np.float64)
    return _Proposal(proposal.basis, centre, lower)


def _normalised(log_w: Floats) -> Floats:
    w = np.exp(log_w - log_w.max())
    share: Floats = w / w.sum()
    return share


def _effective(weights: Floats) -> float:
    return float(1 / np.square(weights).sum())


def resample(found: Posterior, seed: int, rows: int) -> Floats:
    """Positions of `rows` equally weighted rows of a posterior (systematic)."""
    start = uniforms(seed, 0, Stream.RESAMPLE, 1)[0]
    points = (np.arange(rows) + start) / rows
    picked = np.searchsorted(np.cumsum(found.weights), points)
    rows_picked: Floats = found.z[np.minimum(picked, found.weights.size - 1)]
    return rows_picked
