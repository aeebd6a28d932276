"""Draws the figures of binding and the time loop: `python docs/figures/march.py` from the repository root."""

import matplotlib.pyplot as plt
import numpy as np
from style import BLUE, GREEN, QUIET, RULE, STYLE, VERMILION, save

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.evidence.load import load
from opentpe.kernel import binding, march, pools
from opentpe.kernel.arrays import pack
from opentpe.simulation import bodies, course

SUBJECT = Subject(female=True, height_cm=165.0, weight_kg=60.0, hct=0.39, age_years=35.0)
DRAWS, HOUR, FINE = 60, 60.0, 0.01


def free_calcium(law, ph, albumin, citrate):
    """Ionised calcium of plasma with 2.4 mmol/L of calcium, 0.85 of magnesium, 28 g/L of globulin."""
    strengths = binding.site_strengths(law, binding.acid_ratio(law, ph))
    return binding.equilibrium(law, strengths, (2.4, 0.85, citrate), (albumin, 28.0), (1.7, 0.1))[0]


def draw_binding(library):
    law = bodies.law(library).binding
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.3), sharey=True)
    citrate = np.linspace(0.02, 4, 80)
    for albumin, colour, at, up in ((20.0, VERMILION, 1.2, 0.06), (42.0, BLUE, 0.1, -0.28)):
        found = [free_calcium(law, 7.40, albumin, c) for c in citrate]
        axes[0].plot(citrate, found, color=colour, lw=2)
        axes[0].text(at, np.interp(at, citrate, found) + up, f"albumin {albumin:g} g/L", color=colour)
    axes[0].set(xlim=(0, 4), ylim=(0, 1.9), xlabel="citrate of plasma, mmol/L", ylabel="ionised calcium, mmol/L")
    ph = np.linspace(7.2, 7.7, 60)
    for amount, colour in ((0.1, BLUE), (1.0, GREEN), (2.0, VERMILION)):
        found = [free_calcium(law, p, 42.0, amount) for p in ph]
        axes[1].plot(ph, found, color=colour, lw=2)
        axes[1].text(7.705, found[-1], f"citrate {amount:g} mmol/L", color=colour, va="center")
    axes[1].set(xlim=(7.2, 7.7), xlabel="pH")
    save(figure, "binding.svg")


def draw_march(library):
    order = words.parse("5 x 1.0 PV every other day, albumin 5 %")
    run = course.simulate(SUBJECT, order, library, library.document("unit"), seed=1, draws=DRAWS, kinetics_only=True)
    plan = run.plan._replace(output_min=np.linspace(0.0, run.plan.output_min[-1], 60))
    exact = march.course_all(run.people, plan, FINE).concentration
    factors = np.array([0.03, 0.04, 0.06, march.STEP, 0.12, 0.16, 0.24])
    errors = [
        np.max(np.abs(march.course_all(run.people, plan, f).concentration / exact - 1), axis=(1, 2)) for f in factors
    ]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.3))
    left.loglog(factors, [np.median(e) for e in errors], color=BLUE, lw=2, marker="o", mfc="white")
    left.loglog(factors, [np.max(e) for e in errors], color=VERMILION, lw=2, marker="o", mfc="white")
    left.axhline(1e-3, color=QUIET, lw=1, ls="--")
    left.annotate("limit 0.1 %", (0.03, 1e-3), xytext=(0, 4), textcoords="offset points", color=QUIET, fontsize=10)
    left.text(0.25, np.median(errors[-1]), "median patient", color=BLUE, va="center")
    left.text(0.25, np.max(errors[-1]), f"worst of {DRAWS}", color=VERMILION, va="center")
    left.axvline(march.STEP, color=RULE, lw=1, zorder=0)
    left.set(xlabel="step x fastest rate while plasma leaves", ylabel="largest relative error")
    left.set_xticks([0.03, 0.06, march.STEP, 0.12, 0.24], ["0.03", "0.06", "0.08", "0.12", "0.24"])
    left.set_xticks([], minor=True)
    packed = pack(run.people)
    patient, state = pools.row(0, packed), pools.blank_state(packed.law.size)
    pools.rest(patient, state)
    pools.set_flows(patient, state, 0.0, 0.0, run.plan.fluid_content[0], run.plan.sieving_fraction[0])
    fastest = pools.fastest(patient, state, patient.person[0])
    count, pace = march.pace(14 * 24 * HOUR, fastest, march.REST * march.STEP, False)
    steps = pace.first_min * pace.ratio ** np.minimum(np.arange(count), pace.growing) / HOUR
    right.step(np.cumsum(steps) / 24, steps, color=BLUE, lw=2)
    right.set(xlabel="days since a session", ylabel="step, hours", xlim=(0, 14), ylim=(0, None))
    figure.tight_layout(w_pad=6)
    save(figure, "march.svg")


def main():
    library = load()
    with plt.rc_context(STYLE):
        draw_binding(library)
        draw_march(library)


if __name__ == "__main__":
    main()
