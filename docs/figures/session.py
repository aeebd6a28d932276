"""Draws the figures of the session's theory pages: `python docs/figures/session.py` from the repository root."""

import matplotlib.pyplot as plt
import numpy as np
from style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, STYLE, VERMILION, save

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.evidence.load import load
from opentpe.kernel import binding, chair, circulation, fluid
from opentpe.kernel import session as kernel
from opentpe.simulation import bodies, session
from opentpe.simulation.setup import prepare

ADULT = Subject(female=False, height_cm=175.0, weight_kg=70.0, hct=0.40)
PLASMA_ML = 3000.0
ALBUMIN = "1 x 1 PV daily, albumin 5 %"


def curve(library, order, quantity):
    """Minutes and one quantity of the typical adult under an order of 3 L."""
    setup = prepare(ADULT, words.parse(order), library, library.document("unit"))
    person = bodies.typical(ADULT, PLASMA_ML, library)
    paper = session.order_of(setup, library)._replace(plasma_ml=PLASMA_ML, blood_ml=5000.0)
    recipe = session.recipes(setup, library)[None]
    out = kernel.session_all(bodies.law(library), person, paper, recipe, recorded=True)
    return out.times[0], out.series[0, :, chair.QUANTITIES.index(quantity)]


def label(axis, minutes, values, text, colour, up=0.0, style="-"):
    axis.plot(minutes, values, color=colour, lw=2, ls=style)
    axis.annotate(
        text, (minutes[-1], values[-1] + up), xytext=(4, 0), textcoords="offset points", color=colour, va="center"
    )


def draw_citrate(library):
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
    law = bodies.law(library).binding
    strengths, added = binding.site_strengths(law, binding.acid_ratio(law, 7.40)), np.linspace(0, 15, 40)
    start = binding.bound(law, strengths, (1.23, 0.50, 0.026), (42.0, 28.0))
    tube = []
    for percent in added:
        s = percent / ((100 - percent) * 0.6 + percent)
        mix = [(1 - s) * a + s * b for a, b in zip(start, (0.806 * start[0], 0.69, 20.4), strict=True)]
        tube.append(binding.equilibrium(law, strengths, tuple(mix), (42 - 8.1 * s, 28 - 5.4 * s), (1.7, 0.1))[0])
    axes[0].plot(added, tube, color=BLUE, lw=2)
    axes[0].errorbar([5, 10, 15], [0.81, 0.54, 0.34], [0.02, 0.08, 0.02], fmt="o", color=INK, mfc="white", capsize=3)
    axes[0].set(xlabel="plasma units in blood, %", ylabel="ionised calcium, mmol/L", ylim=(0, 1.4))
    axes[0].set_title("In a tube: line computed, dots measured", loc="left", fontsize=11)
    rows = (
        ("calcium gluconate 10 mL/L", "10 mL per L", GREEN, 0.02),
        ("calcium gluconate 1.6 g/h", "1.6 g/h", BLUE, -0.015),
        ("calcium gluconate 1 g/h", "1.0 g/h", ORANGE, -0.01),
        ("calcium gluconate 0 g/h", "none", VERMILION, 0.0),
    )
    for extra, text, colour, up in rows:
        label(axes[1], *curve(library, f"{ALBUMIN}, {extra}", "ionised_calcium"), text, colour, up)
    plasma = "1 x 1 PV daily, plasma, calcium gluconate 0 g/h"
    label(axes[1], *curve(library, plasma, "ionised_calcium"), "plasma, none", PURPLE, 0.06, "--")
    axes[1].axhline(0.9, color=QUIET, lw=1, ls="--")
    axes[1].annotate("alarm 0.9", (0, 0.9), xytext=(0, 3), textcoords="offset points", color=QUIET, fontsize=10)
    axes[1].set(xlabel="minutes from connection", ylim=(0.8, 1.35))
    axes[1].set_title("In an adult: 3 L, the hour after included", loc="left", fontsize=11)
    figure.subplots_adjust(wspace=0.55)
    save(figure, "citrate.svg")


def draw_fluid(library):
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
    law, total = bodies.law(library).pressure, np.linspace(0, 90, 60)
    for share, text, colour in ((1.0, "albumin", BLUE), (0.6, "plasma", ORANGE), (0.0, "globulin", GREEN)):
        label(
            axes[0],
            total,
            np.array([fluid.colloid_pressure(law, share * t, (1 - share) * t) for t in total]),
            text,
            colour,
        )
    axes[0].errorbar([40], [13.6], [0.6], fmt="o", color=INK, mfc="white", capsize=3)
    axes[0].errorbar([70, 56.5], [27.5, 18.1], [2.7, 1.3], fmt="s", color=INK, mfc="white", capsize=3)
    axes[0].set(xlabel="protein, g/L", ylabel="colloid osmotic pressure, mm Hg", ylim=(0, 50))
    axes[0].set_title("Dot fitted, squares not (serum, donor plasma)", loc="left", fontsize=11)
    rows = (
        ("albumin 5 %", "albumin 5 %", BLUE, -0.6),
        ("plasma", "plasma", PURPLE, 1.2),
        ("20% saline then 80% albumin 5 %", "saline first", GREEN, 0.0),
        ("80% albumin 5 % then 20% saline", "saline last", ORANGE, -0.6),
        ("70% albumin 4 % then 30% saline", "4 %, 30 % saline last", VERMILION, 0.0),
    )
    for fluids, text, colour, up in rows:
        order = f"1 x 1 PV daily, {fluids}, calcium gluconate 0 g/h"
        label(axes[1], *curve(library, order, "relative_blood_volume"), text, colour, up)
    for level, text in ((-10, "warn"), (-15, "alarm")):
        axes[1].axhline(level, color=QUIET, lw=1, ls="--")
        axes[1].annotate(text, (0, level), xytext=(0, 3), textcoords="offset points", color=QUIET, fontsize=10)
    axes[1].set(xlabel="minutes from connection", ylabel="relative blood volume, %", ylim=(-22, 2))
    axes[1].set_title("1.0 plasma volume, the hour after included", loc="left", fontsize=11)
    figure.subplots_adjust(wspace=0.55)
    save(figure, "fluid.svg")


def draw_circulation(library):
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.2))
    heart = bodies.typical(ADULT, PLASMA_ML, library).circulation
    heart = heart._replace(**{k: float(np.ravel(v)[0]) for k, v in heart._asdict().items()})
    changes = np.linspace(0, -20, 41)
    for autonomic, style in ((1.0, "-"), (0.5, "--"), (0.0, ":")):
        body, mean, pulse = heart._replace(autonomic_ratio=autonomic), [], []
        for percent in changes:
            drive, ml = 0.0, percent / 100 * body.blood_volume0
            for _ in range(30):
                drive = circulation.step(body, drive, ml, 0.5)
            seen = circulation.readout(body, ml, drive)
            mean.append(seen.mean_pressure)
            pulse.append(seen.pulse_pressure)
        label(axes[0], -changes, mean, f"reflex {autonomic:g}", BLUE, style=style)
    label(axes[0], -changes, pulse, "pulse pressure", VERMILION)
    axes[0].set(xlabel="loss of blood volume, %", ylabel="mm Hg", ylim=(0, 95))
    axes[0].set_title("Mean pressure hides the loss while reflexes hold", loc="left", fontsize=11)
    loss = np.array([0, 333, 667, 1000.0])
    refilled = np.array([0, 53, 132, 212.0])
    model = [100 * circulation.stroke_ratio(heart, -(b - r) / 5000) for b, r in zip(loss, refilled, strict=True)]
    axes[1].plot(loss, model, color=BLUE, lw=2)
    seen = 100 * np.array([80, 74, 68]) / 86.5
    axes[1].errorbar(
        [333, 667, 1000], seen, 100 * np.array([3, 3, 4]) / 86.5, fmt="o", color=INK, mfc="white", capsize=3
    )
    axes[1].set(xlabel="blood lost, mL", ylabel="stroke volume, % of rest", ylim=(60, 102))
    axes[1].set_title("Line computed, dots measured (fitted)", loc="left", fontsize=11)
    figure.subplots_adjust(wspace=0.55)
    save(figure, "circulation.svg")


def draw_session(library):
    figure, axes = plt.subplots(2, 3, figsize=(11, 5.2), sharex=True)
    setup = prepare(ADULT, words.parse(ALBUMIN), library, library.document("unit"))
    rows = np.arange(200)
    known = bodies.Known(
        PLASMA_ML * np.exp(0.12 * session.bodies.normals(0, rows, session.bodies.Stream.VOLUME, 1)[:, 0])
    )
    told = {s.name: s for s in session.series(session.run(ADULT, setup, known, library, 0, rows, recorded=True))}
    shown = (
        ("ionised_calcium", "ionised calcium, mmol/L", "#5B4FB5"),
        ("relative_blood_volume", "relative blood volume, %", "#A4262C"),
        ("mean_pressure", "mean pressure, mm Hg", INK),
        ("bicarbonate", "bicarbonate, mmol/L", GREEN),
        ("colloid_osmotic_pressure", "colloid pressure, mm Hg", BLUE),
        ("citrate", "citrate, mmol/L", ORANGE),
    )
    for axis, (name, title, colour) in zip(axes.flat, shown, strict=True):
        s = told[name]
        axis.fill_between(s.time_min, s.p05, s.p95, color=colour, alpha=0.15, lw=0)
        axis.fill_between(s.time_min, s.p25, s.p75, color=colour, alpha=0.25, lw=0)
        axis.plot(s.time_min, s.median, color=colour, lw=2)
        axis.set_title(title, loc="left", fontsize=11)
    for axis in axes[1]:
        axis.set_xlabel("minutes from connection")
    save(figure, "session.svg")


def main():
    library = load()
    with plt.rc_context(STYLE):
        for draw in (draw_citrate, draw_fluid, draw_circulation, draw_session):
            draw(library)


if __name__ == "__main__":
    main()
