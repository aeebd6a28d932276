"""How the figures of the theory pages look: one set of inks, one way to save. Reproducible bytes."""

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
INK, QUIET, RULE = "#1B1F23", "#5B6670", "#DAD7CF"
BLUE, VERMILION, GREEN, ORANGE, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7"
STYLE = {
    "font.size": 11, "svg.fonttype": "none", "svg.hashsalt": "opentpe", "axes.edgecolor": RULE, "text.color": INK,
    "axes.labelcolor": INK, "xtick.color": QUIET, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "figure.facecolor": "white",
}  # fmt: skip


def save(figure, name):
    figure.savefig(HERE / name, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
