"""Draws the figures of the benefit and harm pages: `python docs/figures/outcomes.py` from the repository root."""

import matplotlib.pyplot as plt
import numpy as np
from style import BLUE, INK, QUIET, RULE, STYLE, VERMILION, save

from opentpe.evidence.load import load
from opentpe.kernel import response
from opentpe.simulation import benefit_model as model
from opentpe.simulation import harm
from opentpe.simulation.harm import HarmFacts, Physiology

ROWS = np.arange(20_000)
NAMES = {"exchange": "exchange", "immunoadsorption": "immunoadsorption", "second_pulse": "second pulse"} | {
    "ivig": "IVIG", "no_exchange": "none of these",
}  # fmt: skip


def interval(axis, y, values, colour):
    low, q1, middle, q3, high = np.percentile(100 * values, (5, 25, 50, 75, 95))
    axis.plot([low, high], [y, y], color=colour, lw=2, solid_capstyle="butt")
    axis.plot([q1, q3], [y, y], color=colour, lw=7, solid_capstyle="butt")
    axis.plot([middle], [y], "o", color="white", mec=colour, ms=6)


def draw_benefit(library):
    known = model.knowledge(library, 0, ROWS)
    figure, axes = plt.subplots(1, 2, figsize=(9, 2.9), sharey=True)
    for axis, severe, title in zip(axes, (0.0, 1.0), ("Not severe", "Severe (EDSS 6 or more)"), strict=True):
        for horizon, colour, offset in ((0.0, BLUE, 0.16), (1.0, VERMILION, -0.16)):
            arms = model.arms(library, known, model.Covariates(severe, 30.0, 0.0, horizon))
            for place, arm in enumerate(reversed(NAMES)):
                interval(axis, place + offset, response.expit(arms[arm].moderate), colour)
        axis.set(xlim=(0, 100), title=title, xlabel="at least moderate improvement, of 100")
        axis.set_yticks(range(len(NAMES)), list(reversed(NAMES.values())))
        axis.grid(axis="x", color=RULE, lw=0.8)
    axes[1].text(99, 0.58, "discharge", color=BLUE, ha="right")
    axes[1].text(99, 0.28, "six months", color=VERMILION, ha="right")
    save(figure, "benefit.svg")


def fan(axis, x, curves, colour):
    low, q1, middle, q3, high = np.percentile(100 * curves, (5, 25, 50, 75, 95), axis=0)
    axis.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
    axis.fill_between(x, q1, q3, color=colour, alpha=0.3, lw=0)
    axis.plot(x, middle, color=colour, lw=2)


def draw_harm(library):
    facts, rows = HarmFacts(25), np.arange(4000)
    falls, losses = np.linspace(1, 33, 25), np.linspace(6, 21, 25)
    found = harm.event_probabilities(facts, Physiology(falls[None], losses[None]), library, 0, rows)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    fan(axes[0], falls, found[harm.ASKED].session, BLUE)
    for fall, share in ((6, 0), (8.35, 100 * 5 / 17), (18, 25), (25, 48)):
        axes[0].plot(fall, share, "o", color="white", mec=INK)
    axes[0].set(xlabel="fall of ionised calcium, %", ylabel="symptoms felt, of 100 sessions", ylim=(0, 90))
    fan(axes[1], losses, found["hypotension"].session, VERMILION)
    axes[1].axvline(library.value("equations/harm.volume_link.reference_pct"), color=QUIET, ls="--", lw=1)
    axes[1].text(11.8, 83, "albumin: reference", color=QUIET, fontsize=9)
    axes[1].set(
        xlabel="lowest relative blood volume, % below start", ylabel="hypotension, of 100 sessions", ylim=(0, 90)
    )
    save(figure, "harm.svg")


if __name__ == "__main__":
    plt.rcParams.update(STYLE)
    loaded = load()
    draw_benefit(loaded)
    draw_harm(loaded)
