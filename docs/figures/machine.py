"""Draws circuit and state machine of the separator pages: `python docs/figures/machine.py` from the repository root.

The state machine is drawn from the controller's own table: every transition of it is an arrow here, and no other.
"""

from pathlib import Path

from opentpe.kernel.controller import BACK, TRANSITIONS, Phase, Signal

HERE = Path(__file__).parent
INK, QUIET, RULE, PAPER = "#1B1F23", "#5B6670", "#DAD7CF", "#FFFFFF"
PLASMA, BLOOD, CELLS, CITRATE, REPLACEMENT = "#B7861B", "#A4262C", "#7A1F2B", "#5B4FB5", "#2F7FBF"
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" font-family="system-ui, sans-serif" '
    'font-size="13" role="img" aria-label="{label}">\n<rect width="{w}" height="{h}" fill="' + PAPER + '"/>\n'
    '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L10 5L0 10z" fill="context-stroke"/></marker></defs>\n'
)


def text(x, y, words, colour=INK, anchor="middle", size=13, weight="normal"):
    """One line of text."""
    return (f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
            f'font-weight="{weight}">{words}</text>\n')  # fmt: skip


def box(x, y, w, h, words, colour=INK, fill=PAPER, dash=""):
    """A box with up to three centred lines."""
    out = (f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="{fill}" stroke="{colour}" '
           f'stroke-width="1.5" stroke-dasharray="{dash}"/>\n')  # fmt: skip
    lines = words.split("|")
    for i, line in enumerate(lines):
        out += text(x + w / 2, y + h / 2 + 5 + 16 * (i - (len(lines) - 1) / 2), line, colour,
                    weight="600" if i == 0 else "normal")  # fmt: skip
    return out


def arrow(path, colour, width=3, dash=""):
    """A line with a head."""
    return (f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}" '
            'marker-end="url(#a)"/>\n')  # fmt: skip


def circuit():
    """Places of the ledger and what moves between them."""
    out = HEAD.format(w=980, h=470, label="The circuit: patient, lines, separator, bags, pumps and sensors")
    out += box(20, 150, 110, 120, "Patient|own equations|of the body")
    out += box(225, 170, 120, 80, "Inlet line|25 mL", BLOOD)
    out += box(455, 140, 150, 140, "Separator|channel, bowl|or filter", CELLS)
    out += box(735, 170, 150, 80, "Reservoir and|return line|26 + 30 mL", CELLS)
    out += box(225, 30, 120, 56, "Anticoagulant|bag", CITRATE)
    out += box(455, 350, 150, 56, "Plasma bag", PLASMA)
    out += box(650, 30, 120, 56, "Replacement|bags in order", REPLACEMENT)
    out += box(820, 30, 120, 56, "Saline bag", REPLACEMENT)
    out += box(735, 350, 150, 56, "Waste|prime, losses", QUIET, dash="4 3")
    out += arrow("M130 185H222", BLOOD) + text(176, 176, "needle, vein", QUIET, size=11)
    out += text(176, 205, "access pressure", QUIET, size=11)
    out += arrow("M285 86V167", CITRATE) + text(293, 128, "Qac = Qin / R", CITRATE, "start")
    out += (
        arrow("M345 210H452", BLOOD) + text(398, 201, "Qin, Hin", BLOOD) + text(398, 228, "inlet pump", QUIET, size=11)
    )
    out += arrow("M605 210H732", CELLS) + text(668, 201, "cells, Hp", CELLS)
    out += arrow("M530 280V347", PLASMA) + text(540, 310, "Qp = Qin (1 − Hin/Hp)", PLASMA, "start")
    out += text(540, 328, "red-cell detector", QUIET, "start", size=11)
    out += arrow("M710 86C710 130 760 130 770 167", REPLACEMENT) + text(700, 120, "Qrep", REPLACEMENT, "end")
    out += arrow("M850 86V167", REPLACEMENT, dash="6 4")
    out += text(860, 118, "prime, bolus,", REPLACEMENT, "start", size=11)
    out += text(860, 133, "rinseback", REPLACEMENT, "start", size=11)
    out += arrow("M810 250V347", QUIET, 2, "4 3")
    out += arrow("M885 210H945V428H75V273", CELLS)
    out += text(265, 418, "Qret: return pressure, air detector, warmer, clamp", CELLS)
    out += text(20, 456, "Inlet flow holds the anticoagulant. Fluid leaves one box only into another: the sum is kept "
                "every second.", QUIET, "start", size=12)  # fmt: skip
    return out + "</svg>\n"


PLACES = {
    Phase.SELF_TEST: (90, 40), Phase.LOAD: (270, 40), Phase.PRIME: (450, 40), Phase.PATIENT_DATA: (630, 40),
    Phase.CONNECT: (480, 145), Phase.RUN_INTERFACE: (560, 240), Phase.RUN_FALLBACK: (830, 240),
    Phase.PAUSE: (330, 340), Phase.TARGET_REACHED: (670, 340), Phase.RINSEBACK: (670, 425),
    Phase.ALARM: (90, 240), Phase.DISCONNECT: (90, 425), Phase.ENDED: (90, 500),
}  # fmt: skip
CONNECTED = frozenset({Phase.CONNECT, Phase.RUN_INTERFACE, Phase.RUN_FALLBACK, Phase.PAUSE, Phase.TARGET_REACHED,
                       Phase.RINSEBACK})  # fmt: skip
FRAME = (230, 105, 700, 355)
W, H = 140, 44
COLOURS = {Signal.ALARM: BLOOD, Signal.ABANDON: QUIET, Signal.PAUSE: CITRATE, Signal.STOP: PLASMA}


def edge(start, end):
    """The straight line between the borders of two boxes, a little aside so that there and back do not meet."""
    (x0, y0), (x1, y1) = PLACES[start], PLACES[end]
    dx, dy = x1 - x0, y1 - y0
    share = min(W / 2 / abs(dx) if dx else 9.0, H / 2 / abs(dy) if dy else 9.0)
    off = 8 if (dx, dy) > (0, 0) else -8
    ox, oy = (0, off) if abs(dx) > abs(dy) else (off, 0)
    return (x0 + dx * share + ox, y0 + dy * share + oy, x1 - dx * share + ox, y1 - dy * share + oy)


def ways():
    """Single arrows of the table, (start, end) with its signals; what every connected phase shares is left out."""
    found = {}
    for (start, signal), end in TRANSITIONS.items():
        shared = signal in (Signal.ALARM, Signal.ABANDON) and start in CONNECTED
        if end != BACK and not shared and start is not Phase.ALARM:
            found.setdefault((start, Phase(end)), []).append(signal)
    return found


def check():
    """The frame stands for the table: every connected phase, and no other but ALARM, goes to ALARM and DISCONNECT."""
    for signal, others in ((Signal.ALARM, set()), (Signal.ABANDON, {Phase.ALARM})):
        assert {start for start, s in TRANSITIONS if s is signal} == CONNECTED | others


def said_inside(phase):
    """What is written into a box instead of drawn: the ways back, and out of ALARM."""
    out = []
    for (start, signal), end in TRANSITIONS.items():
        if start is phase and (end == BACK or (phase is Phase.ALARM and signal is Signal.STOP)):
            out.append(f"{signal.name.lower()}: " + ("back" if end == BACK else "target"))
    return "|".join(sorted(out))


def states():
    """Phases as boxes, signals as arrows; the frame holds the phases in which the patient is connected."""
    check()
    x, y, w, h = FRAME
    out = HEAD.format(w=960, h=540, label="The state machine of the controller")
    out += f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="10" fill="none" stroke="{RULE}" stroke-width="2"/>\n'
    out += text(x + w - 12, y + 22, "patient connected", QUIET, "end", size=12)
    for (start, end), signals in ways().items():
        colour = COLOURS.get(signals[0], INK)
        x0, y0, x1, y1 = edge(start, end)
        out += arrow(f"M{x0:.0f} {y0:.0f}L{x1:.0f} {y1:.0f}", colour, 1.5)
        words = ", ".join(s.name.lower().replace("_", " ") for s in signals)
        upright = 0.5 * abs(x1 - x0) < abs(y1 - y0)
        out += text((x0 + x1) / 2 + (12 if upright else 0), (y0 + y1) / 2 + (4 if upright else -6), words, colour,
                    "start" if upright else "middle", size=11)  # fmt: skip
    out += arrow(f"M{x} 240H163", BLOOD, 1.5) + text(196, 232, "alarm", BLOOD, size=11)
    out += arrow(f"M{x} 405H163", QUIET, 1.5, "5 4") + text(196, 397, "abandon", QUIET, size=11)
    out += arrow("M90 275V400", QUIET, 1.5, "5 4") + text(98, 330, "abandon", QUIET, "start", size=11)
    for phase, (px, py) in PLACES.items():
        inside = said_inside(phase)
        tall = H + 18 * inside.count("|")
        out += box(
            px - W / 2, py - tall / 2, W, tall, phase.name.lower().replace("_", " ") + (f"|{inside}" if inside else "")
        )
    return out + "</svg>\n"


if __name__ == "__main__":
    (HERE / "circuit.svg").write_text(circuit(), encoding="utf-8")
    (HERE / "states.svg").write_text(states(), encoding="utf-8")
