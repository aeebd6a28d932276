"""Draws the figures of the turnover and volume pages: `python docs/figures/kinetics.py` from the repository root."""

import matplotlib.pyplot as plt
import numpy as np
from style import BLUE, GREEN, ORANGE, QUIET, RULE, STYLE, VERMILION, save

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.evidence.load import load
from opentpe.kernel import circuit, turnover, volumes
from opentpe.simulation import course

SUBJECT = Subject(female=True, height_cm=165.0, weight_kg=60.0, hct=0.39, age_years=35.0)
DAY = 1440.0
_LIFT = {"70 mL/kg": 0.05, "Kaplan": -0.1, "Lemmens": 0.2, "Nadler": -0.2}  # labels apart, L


def draw_turnover(library):
    ordered = words.parse("5 x 1.0 PV every other day, albumin 5 %")
    run = course.simulate(
        SUBJECT, ordered, library, library.document("unit"), solutes=("igg", "fibrinogen"), seed=1, draws=400,
        kinetics_only=True,
    )  # fmt: skip
    figure, (axis, law) = plt.subplots(1, 2, figsize=(9.5, 3.4), width_ratios=(2.2, 1))
    days = run.plan.output_min / DAY
    for key, colour, label in (("igg", BLUE, "IgG"), ("fibrinogen", VERMILION, "fibrinogen")):
        j = run.columns.column(key)
        share = 100 * run.trajectory.concentration[:, j] / run.trajectory.before[:, j, :1]
        low, q1, middle, q3, high = np.percentile(share, (5, 25, 50, 75, 95), axis=0)
        axis.fill_between(days, low, high, color=colour, alpha=0.14, lw=0)
        axis.fill_between(days, q1, q3, color=colour, alpha=0.22, lw=0)
        axis.plot(days, middle, color=colour, lw=2)
        axis.annotate(label, (36, np.interp(36, days, middle)), (36.5, np.interp(36, days, middle) - 7), color=colour)
    for n, (procedure, _) in enumerate(run.runs, 1):
        axis.axvline(procedure.start_min / DAY, color=RULE, lw=0.8, zorder=0)
        axis.text(procedure.start_min / DAY, 104, str(n), ha="center", color=QUIET)
    axis.set(xlim=(-0.5, 44), ylim=(0, 110), xlabel="days since session 1", ylabel="% of the level before")
    total = np.linspace(0, 40, 200)
    rate = library.value("equations/fcrn.reference_rate_per_d")
    free = library.value("equations/fcrn.free_rate_ratio") * rate
    half, reference = library.value("equations/fcrn.half_g_l"), library.value("equations/fcrn.reference_igg_g_l")
    share = turnover.recycled_share(rate, free)
    drives = [turnover.recycling_drive(c, half, reference, 0.0, 1.0) for c in total]
    law.plot(total, [100 * turnover.fcrn_rate(share, free, d) for d in drives], color=BLUE, lw=2)
    law.plot([reference], [100 * rate], "o", color="white", mec=BLUE)
    law.set(xlim=(0, 40), ylim=(0, 16), xlabel="IgG, g/L", ylabel="IgG catabolised, % a day")
    save(figure, "turnover.svg")


def draw_volumes(library):
    table = "equations/volumes"
    nadler = volumes.Nadler(*(library.value(f"{table}.nadler.female.{f}") for f in volumes.Nadler._fields))
    lemmens = volumes.Lemmens(*(library.value(f"{table}.lemmens.{f}") for f in volumes.Lemmens._fields))
    weights, height, hct = np.linspace(45, 130, 100), 1.65, 0.39
    curves = (
        ("70 mL/kg", ORANGE, [volumes.per_weight(w, library.value(f"{table}.by_weight.ml_kg")) for w in weights]),
        ("Kaplan", GREEN, [volumes.per_weight(w, library.value(f"{table}.kaplan.ml_kg")) for w in weights]),
        ("Lemmens", VERMILION, [volumes.lemmens(w, height, lemmens) for w in weights]),
        ("Nadler", BLUE, [volumes.nadler(w, height, nadler) for w in weights]),
    )
    figure, (axis, flow) = plt.subplots(1, 2, figsize=(9.5, 3.2))
    for name, colour, blood in curves:
        plasma = [volumes.plasma(b, hct) / 1000 for b in blood]
        axis.plot(weights, plasma, color=colour, lw=2)
        axis.text(131, plasma[-1] + _LIFT[name], name, color=colour, va="center")
    axis.set(
        xlim=(45, 130), ylim=(0, 6), xlabel="weight, kg (woman, 165 cm, haematocrit 0.39)", ylabel="plasma volume, L"
    )
    levels = np.linspace(0.20, 0.50, 60)
    for packed, colour in ((0.75, ORANGE), (0.80, GREEN), (0.85, BLUE)):
        found = [circuit.removal_efficiency(circuit.channel_hct(h, 10.0), packed) for h in levels]
        flow.plot(levels, [100 * e for e in found], color=colour, lw=2)
        flow.text(0.503, 100 * found[-1], f"packed {packed:.2f}", color=colour, va="center")
    flow.set(
        xlim=(0.20, 0.50), ylim=(60, 100), xlabel="haematocrit of the patient", ylabel="plasma removal efficiency, %"
    )
    figure.tight_layout(w_pad=5)
    save(figure, "volumes.svg")


def main():
    library = load()
    with plt.rc_context(STYLE):
        draw_turnover(library)
        draw_volumes(library)


if __name__ == "__main__":
    main()
