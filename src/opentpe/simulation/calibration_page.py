"""The page `docs/calibration.md`: how often the truth fell into the bands, and how far forecasts were off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opentpe.simulation.calibration import Calibrated, Forecasting
from opentpe.simulation.calibration_verdict import FAMILY_ERROR, Limits, limits, missed


def page(calibrated: Sequence[Calibrated], calcium: Sequence[Calibrated], compared: Sequence[Forecasting]) -> str:
    """The page in Markdown, from both exams and the comparison with simple means."""
    return "\n".join(
        [
            "# Calibration of the fit",
            "",
            "Written by `make validate`; not by hand. How the fit works: [theory](theory/fit.md).",
            "",
            "## Does the truth fall into the bands as often as they say?",
            "",
            f"{_patients(calibrated)} virtual patients of the model itself. Labs: IgG and fibrinogen before sessions",
            "1 to 3 and after session 2, with assay error that has wild values; session 4 is forecast.",
            "",
            *_exam(calibrated),
            "",
            "The same for labs of ionised calcium, weighed by the full session:",
            f"{_patients(calcium)} virtual patients, sessions without calcium, a lab at rest and one in each of two",
            "sessions; the third session is forecast.",
            "",
            *_exam(calcium),
            "",
            *_comparison(compared),
            "",
        ]
    )


def _patients(exam: Sequence[Calibrated]) -> int:
    return sum(exam[0].ranks)


_HEAD: Final = (
    "| quantity | 50 % band | 90 % band | ranks uniform, p | holds | ranks in 20 parts |",
    "|---|---|---|---|---|---|",
)


def _exam(exam: Sequence[Calibrated]) -> list[str]:
    allowed = limits(_patients(exam), len(exam))
    return [*_rule(allowed, len(exam)), "", *_HEAD, *(_row(one, allowed) for one in exam)]


def _rule(allowed: Limits, quantities: int) -> list[str]:
    shares = (
        f"{100 * low:.1f} to {100 * high:.1f} % in the {100 * band:.0f} % band" for band, low, high in allowed.bands
    )
    return [
        f"Limits, set before the run: {', '.join(shares)}, p of the ranks at least {allowed.probability:.1e}",
        f"(chi-square). They are exact (binomial) and shared among {3 * quantities} tests, so that a calibrated fit",
        f"misses one or more in {100 * FAMILY_ERROR:.0f} of 100 runs.",
    ]


def _row(c: Calibrated, allowed: Limits) -> str:
    half, most = (f"{100 * share:.1f} %" for _, share in c.covered)
    found = missed(c, allowed)
    holds = f"no: {', '.join(found)}" if found else "yes"
    return f"| {c.quantity} | {half} | {most} | {c.probability:.2g} | {holds} | {' '.join(map(str, c.ranks))} |"


def _comparison(compared: Sequence[Forecasting]) -> list[str]:
    return [
        "## Is the next session forecast better than by simple means?",
        "",
        f"{compared[0].patients_count} patients of another truth: three pools, another FcRn law, no code shared with",
        "the fit. Error is |ln(forecast / truth)| in per cent. `one exponential` is the pocket calculator: one pool,",
        "e^-x. The last column is how many truths the 90 % band held; under another truth a band promises no share.",
        "",
        "| method | solute | session 4 | median error, % | 9 of 10 within, % | in the 90 % band, % |",
        "|---|---|---|---|---|---|",
        *(_compared(f) for f in compared),
    ]


def _compared(f: Forecasting) -> str:
    inside = "no band" if f.inside_percent is None else f"{f.inside_percent:.0f}"
    errors = f"{f.median_error_percent:.1f} | {f.p90_error_percent:.1f}"
    return f"| {f.method} | {f.solute} | {f.moment} | {errors} | {inside} |"
