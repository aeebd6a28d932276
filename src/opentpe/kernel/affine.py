"""A session and a gap as affine maps of one solute's two pools: what a search over thousands of courses is made of.

With constant rates a stretch of time takes (plasma, tissue) to M (plasma, tissue) + v. A course is a product of such
maps, so that each distinct session and gap is worked out once per patient. Amounts mg, rates per minute.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from opentpe.kernel import turnover
from opentpe.kernel.compiled import compiled

Array = Any


@compiled
def stretch(
    k10: Array, k12: Array, k21: Array, removal: Array, supply: Array, minutes: float, above: Array, out: Array
) -> None:
    """Writes map `out` [n, 2, 3] of a stretch of constant rates after the map `above` (equations 1 to 7)."""
    for i in range(k10.size):
        a = k10[i] + k12[i] + removal[i]
        p = turnover.two_pool(1.0, 0.0, a, k21[i], k12[i], k21[i], 0.0, minutes)
        t = turnover.two_pool(0.0, 1.0, a, k21[i], k12[i], k21[i], 0.0, minutes)
        s = turnover.two_pool(0.0, 0.0, a, k21[i], k12[i], k21[i], supply[i], minutes)
        for c in range(3):
            plasma, tissue = above[i, 0, c], above[i, 1, c]
            out[i, 0, c] = p[0] * plasma + t[0] * tissue
            out[i, 1, c] = p[1] * plasma + t[1] * tissue
        out[i, 0, 2] += s[0]
        out[i, 1, 2] += s[1]


@compiled
def courses(
    start: Array, sessions: Array, gaps: Array, kind: Array, gap: Array, count: Array, before: Array, after: Array
) -> None:
    """Lowest plasma amount before any session, and the amount after the last, of every candidate, [c, n].

    `start` [n, 2] at the start of the first session's gap; `sessions` [kinds, n, 2, 3]; `gaps` [gaps, n, 2, 3];
    `kind` [c] of session; `gap` [c, k] the gap that leads to session k; `count` [c] of sessions.
    """
    for c in range(kind.size):
        for i in range(start.shape[0]):
            plasma, tissue, lowest = start[i, 0], start[i, 1], np.inf
            for k in range(count[c]):
                m = gaps[gap[c, k], i]
                plasma, tissue = (
                    m[0, 0] * plasma + m[0, 1] * tissue + m[0, 2],
                    m[1, 0] * plasma + m[1, 1] * tissue + m[1, 2],
                )
                lowest = min(lowest, plasma)
                m = sessions[kind[c], i]
                plasma, tissue = (
                    m[0, 0] * plasma + m[0, 1] * tissue + m[0, 2],
                    m[1, 0] * plasma + m[1, 1] * tissue + m[1, 2],
                )
            before[c, i], after[c, i] = lowest, plasma
