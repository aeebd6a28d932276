"""A finished virtual trial in numbers: arms, paired contrasts, power and sample size; read part by part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from opentpe import __version__
from opentpe.domain.consultation import Line, Versions
from opentpe.domain.learning import ArmResult, Contrast, Estimated, Influence, TrialSummary
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats
from opentpe.kernel.normal import ndtr, ndtri
from opentpe.simulation import protocol, trial
from opentpe.simulation.endpoints import ENDPOINTS
from opentpe.simulation.protocol import Spec

_INTERVAL: Final = 1.959964
_LEVELS: Final = (0.05, 0.5, 0.95)
_NOTHING_SD: Final = 1e-3  # of the spread: a smaller difference needs no trial
_MOST_PER_ARM: Final = 1_000_000


def summarise(
    folder: Path,
    spec: Spec,
    library: Library,
    digest: str,
    *,
    rate_per_s: float = 0.0,
    device: str = "cpu",
    influences: Sequence[Influence] = (),
) -> TrialSummary:
    """The trial of a folder: each endpoint in each arm, each arm against the first, and what it was made with."""
    results, contrasts, empty = [], [], []
    for name in spec.endpoints:
        first = _read(folder, spec, spec.arms[0].name, name)
        for arm in spec.arms:
            own = first if arm == spec.arms[0] else _read(folder, spec, arm.name, name)
            if not np.isfinite(own).any():
                empty.append(Line("trial_nobody", (("endpoints", name), ("arm", arm.name))))
                continue
            results.append(_arm(arm.name, name, own))
            if arm != spec.arms[0] and (np.isfinite(own) & np.isfinite(first)).any():
                contrasts.append(_contrast(spec, arm.name, name, own, first))
    return TrialSummary(
        name=spec.name,
        population=spec.population,
        patients_count=spec.patients,
        arms=tuple((a.name, a.course) for a in spec.arms),
        results=tuple(results),
        contrasts=tuple(contrasts),
        influences=tuple(influences),
        rate_per_s=rate_per_s,
        digest=digest,
        detail=spec.detail,
        device=device,
        screened=protocol.screened(spec),
        notes=(*_notes(spec), *empty),
        versions=Versions(__version__, library.digest, library.overlaid, spec.seed, spec.patients),
    )


def _read(folder: Path, spec: Spec, arm: str, name: str) -> Floats:
    """One column of all patients: 8 bytes a patient, one column at a time."""
    return np.concatenate(list(trial.values(folder, spec, trial.column(arm, name))))


def _mean(values: Floats) -> Estimated:
    """Mean with its 95 % interval; for a share by Wilson's, which never leaves 0 to 1."""
    n = values.size
    middle, half = float(values.mean()), _INTERVAL * float(values.std(ddof=1) if n > 1 else 0.0) / math.sqrt(n)
    return Estimated(middle, middle - half, middle + half)


def _share(values: Floats) -> Estimated:
    n, p = values.size, float(values.mean())
    z2 = _INTERVAL**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _INTERVAL * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimated(p, max(0.0, middle - half), min(1.0, middle + half))


def _arm(arm: str, name: str, values: Floats) -> ArmResult:
    own = values[np.isfinite(values)]
    low, middle, high = (float(q) for q in np.quantile(own, _LEVELS))
    event = ENDPOINTS[name].event
    spread = float(own.std(ddof=1)) if own.size > 1 else 0.0
    return ArmResult(
        arm, name, ENDPOINTS[name].unit, own.size, _share(own) if event else _mean(own), spread, low, middle, high
    )


def _contrast(spec: Spec, arm: str, name: str, own: Floats, first: Floats) -> Contrast:
    """Difference within patients (common random numbers) and what two parallel arms of strangers would need."""
    both = np.isfinite(own) & np.isfinite(first)
    a, b = own[both], first[both]
    difference = _mean(a - b)
    spread = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2) if a.size > 1 else 0.0
    effect = abs(difference.value) / spread if spread > 0 else 0.0
    seen = effect > _NOTHING_SD and not difference.low <= 0 <= difference.high
    return Contrast(
        arm,
        spec.arms[0].name,
        name,
        ENDPOINTS[name].unit,
        difference,
        patients_per_arm(effect, spec.analysis.alpha, spec.analysis.power) if seen else None,
        tuple((n, power(effect, n, spec.analysis.alpha)) for n in spec.analysis.sizes),
    )


def patients_per_arm(effect_sd: float, alpha: float, wanted: float) -> int | None:
    """Patients per arm of a two-arm trial that finds a difference of so many standard deviations; None above a million.

    >>> patients_per_arm(0.5, 0.05, 0.80)
    63
    """
    n = 2 * ((float(ndtri(1 - alpha / 2)) + float(ndtri(wanted))) / effect_sd) ** 2
    return max(2, math.ceil(n)) if n <= _MOST_PER_ARM else None


def power(effect_sd: float, per_arm: int, alpha: float) -> float:
    """Probability that two arms of this size show p < alpha for a difference of so many standard deviations.

    >>> round(power(0.5, 63, 0.05), 2)
    0.8
    """
    limit, shift = float(ndtri(1 - alpha / 2)), effect_sd * math.sqrt(per_arm / 2)
    return float(ndtr(shift - limit) + ndtr(-shift - limit))


def _notes(spec: Spec) -> tuple[Line, ...]:
    screened = protocol.screened(spec)
    lines = [Line("trial_common_numbers"), Line("trial_knowledge_and_patients"), _conduct(spec)]
    if screened:
        lines.append(Line("trial_screened", (("endpoints", "|".join(screened)),)))
    if protocol.in_full(spec):
        lines.append(Line("trial_full"))
    if "response_moderate" in spec.endpoints:
        lines.append(Line("trial_no_dose_response"))
    return tuple(lines)


def _conduct(spec: Spec) -> Line:
    """What goes otherwise than planned, in per cent, and whether the laboratory errs."""
    c = spec.conduct
    shares = {
        "missed": c.session_missed_fraction, "cut": c.access_failure_fraction, "stopped": c.dropout_fraction,
    }  # fmt: skip
    noise = "with" if c.lab_noise else "without"
    if not any(shares.values()):
        return Line("trial_as_planned", (("noise", noise),))
    return Line("trial_conduct", (*((name, round(100 * share, 2)) for name, share in shares.items()), ("noise", noise)))
