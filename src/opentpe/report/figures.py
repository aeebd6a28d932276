"""Figures as SVG: fans over time with limits, session marks and direct labels, legible on light and dark paper.

Written as text and not through a plotting library: a page with forty panels takes milliseconds instead of seconds,
colours leave as CSS variables so that one drawing serves both themes and print, and equal figures give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from opentpe.domain.consultation import Series
from opentpe.report.view import Figure, Limit, Panel

# Ink on white for documents that know no variables (PDF, standalone files).
FIXED: Final = {
    "ink": "#1B1F23",
    "quiet": "#5B6670",
    "rule": "#DAD7CF",
    "paper": "#FFFFFF",
    "caution": "#8A5A12",
    "igg": "#0072B2",
    "fibrinogen": "#D55E00",
    "albumin": "#009E73",
    "igm": "#B97800",
    "drug": "#AA4A83",
    "citrate": "#5B4FB5",
    "blood": "#A4262C",
}
HALO: Final = ";paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round"
_POINTS, _NARROW_POINTS = 240, 120  # of a curve: more than its pixels show
_TEXT, _SMALL = 13, 11
_WIDE, _NARROW = 812, 358
_LEFT, _HEAD, _GAP = 46, 26, 18


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot area of one panel in pixels and the ranges it shows."""

    left: float
    top: float
    width: float
    height: float
    x_from: float
    x_to: float
    y_from: float
    y_to: float

    def x(self, value: float) -> float:
        """Pixels from the left of the figure."""
        return self.left + self.width * (value - self.x_from) / (self.x_to - self.x_from)

    def y(self, value: float) -> float:
        """Pixels from the top of the figure."""
        return self.top + self.height * (1 - (value - self.y_from) / (self.y_to - self.y_from))

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The base line."""
        return self.top + self.height


def svg(figure: Figure, *, narrow: bool = False, variables: bool = True, decimal: str = ".") -> str:
    """The figure as one `<svg>` element; `narrow` for a phone, `variables=False` with fixed ink on white."""
    figure = _thinned(figure, _NARROW_POINTS if narrow else _POINTS)
    frames, height = _frames(figure, narrow=narrow)
    width = _NARROW if narrow else _WIDE
    stacked = figure.layout == "stacked"
    parts: list[str] = []
    for i, (panel, frame) in enumerate(zip(figure.panels, frames, strict=True)):
        last = not stacked or i == len(figure.panels) - 1
        parts += _panel(panel, frame, figure, decimal, last=last)
    if stacked or narrow:
        parts.append(_text(_LEFT, height - 6, figure.axis, "quiet", _SMALL))
    name = f"figure-{figure.key}-{'narrow' if narrow else 'wide'}"
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" role="img" '
        f'aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{escape(figure.title)}</title>'
        f'<desc id="{name}-d">{escape(figure.description)}</desc>{"".join(parts)}</svg>'
    )
    return text if variables else fixed(text)


def fixed(text: str) -> str:
    """The same drawing with ink on white instead of variables, and without halos, which few printers draw."""
    text = text.replace(HALO, "")
    for name, colour in FIXED.items():
        text = text.replace(f"var(--{name})", colour)
    return text


def _frames(figure: Figure, *, narrow: bool) -> tuple[list[Frame], float]:
    count = len(figure.panels)
    stacked = figure.layout == "stacked"
    columns = 1 if stacked or narrow else min(3, count)
    right = (70 if narrow else 92) if stacked else 12
    plot = 128.0 if stacked else 112.0
    below = 0.0 if stacked else 20.0  # room for the ticks of each panel
    whole = (_NARROW if narrow else _WIDE) - right
    width = (whole - columns * _LEFT - (columns - 1) * 8) / columns
    frames = []
    for i, panel in enumerate(figure.panels):
        row, column = divmod(i, columns)
        left = _LEFT + column * (width + _LEFT + 8)
        top = _HEAD + row * (plot + _HEAD + _GAP + below)
        low, high = _range(panel)
        frames.append(Frame(left, top, width, plot, _start(figure), figure.until, low, high))
    tail = 56 if stacked else (38 if narrow else 20)
    return frames, frames[-1].bottom + tail


def _start(figure: Figure) -> float:
    first = min(p.series.time_min[0] for p in figure.panels) / _scale(figure)
    return max(min(-0.015 * figure.until, first), -0.06 * figure.until)


def _scale(figure: Figure) -> float:
    return 1440.0 if figure.per == "day" else 1.0


def _range(panel: Panel) -> tuple[float, float]:
    shown = panel.series
    marks = [m.value for m in panel.measured] + [limit.value for limit in panel.limits]
    top, low = max([*shown.p95, *marks, panel.at_least]), min([*shown.p05, *marks])
    if panel.from_zero and low >= 0:
        return 0.0, (top or 1.0) * 1.06
    span = (top - low) or abs(top) * 0.1 or 1.0
    return low - 0.12 * span, top + 0.12 * span


def _panel(panel: Panel, frame: Frame, figure: Figure, decimal: str, *, last: bool) -> Iterator[str]:
    scale = _scale(figure)
    yield _text(frame.left - _LEFT, frame.top - 12, _title(panel), "ink", _TEXT)
    yield from _grid(frame, decimal)
    yield from _marks(frame, figure, last=last)
    series = panel.series
    time = [max(t / scale, frame.x_from) for t in series.time_min]
    if time and time[0] > frame.x_from:
        series, time = _from_before(series), [frame.x_from, *time]
    ink = panel.tone if panel.tone in FIXED else "ink"
    yield _fan(frame, time, series.p05, series.p95, ink, 0.16)
    yield _fan(frame, time, series.p25, series.p75, ink, 0.28)
    yield _path(_points(frame, time, series.median), ink)
    yield from _limits(frame, panel.limits, series.median)
    yield from _measured(frame, panel, scale, ink)
    yield from _ticks(frame, figure, decimal, last=last)
    if figure.layout == "stacked" and series.median:
        y = min(max(frame.y(series.median[-1]), frame.top + 4), frame.bottom - 16)
        yield _text(frame.right + 8, y, panel.label or panel.title, ink, _SMALL)
        yield _text(frame.right + 8, y + 14, panel.end, "quiet", _SMALL)


def _title(panel: Panel) -> str:
    return f"{panel.title}, {panel.unit}" if panel.unit else panel.title


def _grid(frame: Frame, decimal: str) -> Iterator[str]:
    for value in ticks(frame.y_from, frame.y_to, 4):
        y = frame.y(value)
        base = math.isclose(y, frame.bottom, abs_tol=0.5)
        yield _line(frame.left, y, frame.right, y, "quiet" if base else "rule")
        yield _text(frame.left - 8, y + 4, _number(value, decimal), "quiet", _SMALL, "end")


def _ticks(frame: Frame, figure: Figure, decimal: str, *, last: bool) -> Iterator[str]:
    if not last:
        return
    stacked = figure.layout == "stacked"
    yield _line(frame.left, frame.bottom, frame.right, frame.bottom, "quiet")
    numbered = stacked and bool(figure.marks) and figure.per == "day"
    y = frame.bottom + (32 if numbered else 16)
    step = _day_step(figure.until, stacked=stacked) if figure.per == "day" else 0.0
    values = _multiples(frame, step) if step else ticks(0, frame.x_to, 4)
    for value in values:
        yield _text(frame.x(value), y, _number(value, decimal), "quiet", _SMALL, "middle")
    if numbered:
        for at, name in figure.marks:
            yield _text(frame.x(at), frame.bottom + 15, name, "ink", _SMALL, "middle", bold=True)


def _day_step(until: float, *, stacked: bool) -> float:
    if until <= 10:
        return 1.0 if stacked else 2.0
    return 7.0 if stacked or until <= 28 else 14.0


def _multiples(frame: Frame, step: float) -> list[float]:
    return [i * step for i in range(int(frame.x_to / step) + 1)]


def _marks(frame: Frame, figure: Figure, *, last: bool) -> Iterator[str]:
    for at, name in figure.marks:
        if frame.x_from <= at <= frame.x_to:
            x = frame.x(at)
            foot = frame.bottom + (4 if last and figure.layout == "stacked" else 0)
            yield _line(x, frame.top, x, foot, "quiet", opacity=0.5)
            if figure.per == "minute":
                yield _text(x + 4, frame.top + 10, name, "quiet", _SMALL)


def _limits(frame: Frame, limits: Sequence[Limit], median: Sequence[float]) -> Iterator[str]:
    """Dashed lines with their labels; a label that would touch the one above it goes below its line.

    It stands at the right end, or at the left where the curve itself ends there.
    """
    end = frame.y(median[-1]) if median else -math.inf
    above = -math.inf
    for limit in sorted(limits, key=lambda one: -one.value):
        y = frame.y(limit.value)
        yield _line(frame.left, y, frame.right, y, "caution", dash="5 3")
        at = y - 4 if y - 15 > above else y + 12
        above = max(y, at)
        crossed = at - _SMALL <= end <= at + 4
        x, anchor = (frame.left + 4, "start") if crossed else (frame.right - 2, "end")
        yield _text(x, at, limit.label, "caution", _SMALL, anchor, halo=True)


def _measured(frame: Frame, panel: Panel, scale: float, ink: str) -> Iterator[str]:
    for m in panel.measured:
        x = frame.x(m.time / scale)
        if m.high > m.low:
            yield _line(x, frame.y(m.low), x, frame.y(m.high), ink)
        yield (
            f'<circle cx="{x:.1f}" cy="{frame.y(m.value):.1f}" r="4" '
            f'style="fill:var(--paper);stroke:var(--{ink});stroke-width:2"/>'
        )


def _points(frame: Frame, time: Sequence[float], values: Sequence[float]) -> str:
    left, top = frame.x(0), frame.y(0)
    per_time, per_value = frame.x(1) - left, frame.y(1) - top
    return "L".join([f"{left + per_time * t:.1f} {top + per_value * v:.1f}" for t, v in zip(time, values, strict=True)])


def _fan(
    frame: Frame, time: Sequence[float], low: Sequence[float], high: Sequence[float], ink: str, opacity: float
) -> str:
    outline = _points(frame, time, high) + "L" + _points(frame, time[::-1], low[::-1])
    return f'<path d="M{outline}Z" style="fill:var(--{ink});fill-opacity:{opacity}"/>'


def _path(points: str, ink: str) -> str:
    return f'<path d="M{points}" style="fill:none;stroke:var(--{ink});stroke-width:2;stroke-linejoin:round"/>'


def _line(x1: float, y1: float, x2: float, y2: float, ink: str, *, dash: str = "", opacity: float = 1) -> str:
    style = f"stroke:var(--{ink});stroke-width:1"
    style += f";stroke-dasharray:{dash}" if dash else ""
    style += f";stroke-opacity:{opacity}" if opacity < 1 else ""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" style="{style}"/>'


def _text(
    x: float, y: float, text: str, ink: str, size: int, anchor: str = "start", *, bold: bool = False, halo: bool = False
) -> str:
    style = f"fill:var(--{ink});font-size:{size}px"
    style += f";text-anchor:{anchor}" if anchor != "start" else ""
    style += ";font-weight:600" if bold else ""
    style += HALO if halo else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(text)}</text>'


def _number(value: float, decimal: str) -> str:
    return f"{value:.6g}".replace("-", "\u2212").replace(".", decimal)


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most so many round intervals within a range: steps of 1, 2, 2.5 or 5 times a power of ten."""
    span = high - low
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _from_before(series: Series) -> Series:
    """The series with its first value repeated, so that the fall at time 0 can be seen."""
    return Series(
        series.name,
        series.unit,
        (series.time_min[0], *series.time_min),
        (series.median[0], *series.median),
        (series.p05[0], *series.p05),
        (series.p25[0], *series.p25),
        (series.p75[0], *series.p75),
        (series.p95[0], *series.p95),
    )


def _thinned(figure: Figure, points: int) -> Figure:
    until_min = figure.until * _scale(figure)
    panels = (replace(p, series=thinned(p.series, until_min, points)) for p in figure.panels)
    return replace(figure, panels=tuple(panels))


def thinned(series: Series, until_min: float, points: int = _POINTS) -> Series:
    """The series up to a time with at most about so many points; every turn of the median stays."""
    inside = [i for i, t in enumerate(series.time_min) if t <= until_min] or [0]
    step = max(1, math.ceil(len(inside) / points))
    kept = [i for i in inside if i % step == 0 or i == inside[-1] or _turns(series.median, i)]

    def take(values: Sequence[float]) -> tuple[float, ...]:
        return tuple(values[i] for i in kept)

    return Series(
        series.name,
        series.unit,
        take(series.time_min),
        take(series.median),
        take(series.p05),
        take(series.p25),
        take(series.p75),
        take(series.p95),
    )


def _turns(values: Sequence[float], i: int) -> bool:
    if i == 0 or i == len(values) - 1:
        return True
    return (values[i] - values[i - 1]) * (values[i + 1] - values[i]) < 0
