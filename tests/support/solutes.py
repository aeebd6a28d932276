"""Small cohorts, schedules and reference matrices for the tests of the solute kernel."""

import numpy as np

from opentpe.kernel import timeline
from opentpe.kernel.arrays import BLOCKER, FCRN, SATURABLE, Cohort, Schedule

DAY = 1440.0
KEYS = ("igg", "antibody", "natalizumab", "iga", "igm", "albumin", "fibrinogen", "ldl")
_F = np.array([0.45, 0.45, 0, 0.55, 0.80, 0.40, 0.72, 1.0])
_FCR = np.array([0.064, 0.064, 0.146 / 3.38, 0.19, 0.145, 0.09, 0.24, 0.43])
_K12 = np.array([0.20, 0.20, 0.30, 0.50, 0.15, 1.2, 0.60, 0.0])
_K21 = np.array([0, 0, 1.01 / 2.58, 0, 0, 0, 0, 0])
_C0 = np.array([12.0, 1.0, 0.0, 2.1, 1.1, 42.0, 2.84, 100.0])


def index(key: str) -> int:
    return KEYS.index(key)


def cohort(n: int = 1, plasma_ml: float = 3000.0, **changed: np.ndarray) -> Cohort:
    """n equal patients with eight solutes; `changed` replaces whole fields."""
    m = len(KEYS)

    def row(values: object) -> np.ndarray:
        return np.tile(np.asarray(values, float), (n, 1))

    def column(value: float) -> np.ndarray:
        return np.full(n, float(value))

    back = np.where(_K21 > 0, _K21, np.divide(_K12 * _F, 1 - _F, out=np.zeros(m), where=_F < 1))
    drug = np.zeros(m)
    drug[2] = 1.0
    made = Cohort(
        plasma_ml=column(plasma_ml),
        delivered_ratio=column(1),
        concentration=row(_C0),
        synthesis_ratio=row(np.ones(m)),
        catabolic_rate=row(_FCR / DAY),
        escape_rate=row(_K12 / DAY),
        return_rate=row(back / DAY),
        central_ratio=row(1 + drug * (3380 / 3000 - 1)),
        spread_ratio=row(np.ones(m)),
        saturable_mg_min=row(drug * 3.0 / DAY),
        saturable_half=row(1 + drug * (0.002 - 1)),
        absorption_rate=row(np.zeros(m)),
        available_fraction=row(np.ones(m)),
        fcrn_free_rate=column(0.389 / DAY),
        fcrn_half=column(70),
        fcrn_reference=column(12),
        blocker_half=column(0.25),
        blocker_loss_rate=column(0.166 / DAY),
        blocker_spread_ratio=column(5.8),
        platelets=column(250),
        platelet_return_rate=column(0.3 / DAY),
        red_cells_ml=column(2000),
        law=np.array([FCRN, FCRN, FCRN | SATURABLE, 0, 0, 0, 0, 0]),
        igg_weight=np.array([1.0, 0, 1, 0, 0, 0, 0, 0]),
    )
    return made._replace(**changed)


def varied(n: int, seed: int = 3) -> Cohort:
    """n different patients."""
    rng = np.random.default_rng(seed)
    base = cohort(n)
    fields = ("plasma_ml", "catabolic_rate", "escape_rate", "concentration", "fcrn_free_rate", "fcrn_half")
    changed = {f: getattr(base, f) * np.exp(0.2 * rng.standard_normal(getattr(base, f).shape)) for f in fields}
    return base._replace(**changed)


def sessions(
    count: int = 5, volume_ml: float = 3000.0, minutes: float = 106.0, every_d: float = 2.0, fluids: tuple = ((0, 1.0),)
) -> list[timeline.Session]:
    flow = volume_ml / minutes
    return [timeline.Session(k * every_d * DAY, minutes, flow, flow, fluids, 0, 0.016, 20.0) for k in range(count)]


def schedule(
    runs: list[timeline.Session],
    outputs: object = (),
    doses: tuple = (),
    content: np.ndarray | None = None,
    end: float | None = None,
    **more: object,
) -> Schedule:
    last = max((s.start_min + s.duration_min for s in runs), default=0.0)
    times = np.asarray(outputs, float)
    fluid = np.zeros((1, len(KEYS))) if content is None else np.atleast_2d(content)
    stop = end if end is not None else max(last, *times[-1:], 1.0)
    return timeline.build(runs, doses, stop, times, fluid, np.ones((1, len(KEYS))), **more)


__all__ = ["BLOCKER", "DAY", "KEYS", "cohort", "index", "schedule", "sessions", "varied"]
