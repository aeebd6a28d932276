"""Plots that are not over time: intervals side by side, points with trade-offs, bars. The same ink as the fans."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from opentpe.report.figures import HALO, ticks

_WIDE, _NARROW = 812.0, 358.0  # of a page and of a phone, where labels stand above what they name
_LETTERS: Final = 58  # of small text across a phone
_LABEL: Final = 236.0
_RIGHT: Final = 24.0
_ROW: Final = 30.0
_STEP: Final = 10.0  # between intervals of one row
_HEAD: Final = 14.0
_FOOT: Final = 44.0
_SMALL: Final = 11
_TEXT: Final = 13


@dataclass(frozen=True, slots=True)
class Interval:
    """One bar with whiskers: 90 % (or 95 %) as a thin line, the middle half thick, the middle as a ring or dot."""

    low: float
    middle: float
    high: float
    tone: str  # ink of the report: quiet, accent, …
    q25: float | None = None
    q75: float | None = None
    filled: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One label with its intervals, drawn one under the other."""

    label: str
    intervals: tuple[Interval, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One mark of a scatter: filled with the accent where it is the chosen one, a square where it uses weekends."""

    x: float
    y: float
    chosen: bool = False
    square: bool = False


@dataclass(frozen=True, slots=True)
class Scatter:
    """One panel of points with its axes."""

    title: str
    axis: str
    points: tuple[Point, ...]


def _open(key: str, title: str, description: str, width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="plot-{key}-t plot-{key}-d"><title id="plot-{key}-t">{escape(title)}</title>'
        f'<desc id="plot-{key}-d">{escape(description)}</desc>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, ink: str, width: float = 1, dash: str = "") -> str:
    style = f"stroke:var(--{ink});stroke-width:{width:g}" + (f";stroke-dasharray:{dash}" if dash else "")
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" style="{style}"/>'


def _text(x: float, y: float, text: str, ink: str = "ink", size: int = _TEXT, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" style="fill:var(--{ink});font-size:{size}px;text-anchor:{anchor}">'
        f"{escape(text)}</text>"
    )


def _clear(text: str) -> str:
    """Words that no line strikes through."""
    return text.replace('">', f'{HALO}">', 1)


def _caption(text: str, left: float, y: float, *, narrow: bool) -> list[str]:
    lines = textwrap.wrap(text, _LETTERS) if narrow else [text]
    return [_text(left, y + 14 * n, line, "quiet", _SMALL) for n, line in enumerate(lines)]


def _foot(text: str, *, narrow: bool) -> float:
    return _FOOT + (14 * (len(textwrap.wrap(text, _LETTERS)) - 1) if narrow else 0)


def intervals(
    key: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    axis: str,
    *,
    reference: float | None = None,
    logarithmic: bool = False,
    label_width: float = _LABEL,
    narrow: bool = False,
) -> str:
    """Rows of intervals over one axis as an SVG; `reference` is a dashed line, a logarithmic axis for ratios."""
    found = [v for r in rows for i in r.intervals for v in (i.low, i.high)] + ([] if reference is None else [reference])
    shown = [math.log(v) if logarithmic else v for v in found]
    low, high = min(shown), max(shown)
    pad = 0.04 * (high - low or 1.0)
    low, high = low - pad, high + pad
    left, right, width = (8.0, 8.0, _NARROW) if narrow else (label_width, _RIGHT, _WIDE)
    drawn, bottom = _rows(rows, left, narrow=narrow)

    def x(value: float) -> float:
        at = math.log(value) if logarithmic else value
        return left + (width - left - right) * (at - low) / (high - low)

    parts = [_open(key, title, description, width, bottom + _foot(axis, narrow=narrow))]
    for tick in _ticks(low, high, logarithmic=logarithmic):
        parts.append(_line(x(tick), _HEAD, x(tick), bottom, "rule"))
        parts.append(_text(x(tick), bottom + 16, f"{tick:g}", "quiet", _SMALL, "middle"))
    if reference is not None:
        parts.append(_line(x(reference), _HEAD - 6, x(reference), bottom, "quiet", 1, "5 3"))
    for (texts, middle), row in zip(drawn, rows, strict=True):
        first = middle - _STEP * (len(row.intervals) - 1) / 2
        parts += [*texts, *(_bar(i, first + _STEP * k, x) for k, i in enumerate(row.intervals))]
    return "".join([*parts, *_caption(axis, 0, bottom + 36, narrow=narrow)]) + "</svg>"


def _rows(rows: Sequence[Row], left: float, *, narrow: bool) -> tuple[list[tuple[list[str], float]], float]:
    """The words of each row and the height of its bars, and where the last one ends."""
    y, found = _HEAD, []
    for row in rows:
        if narrow:
            texts = [_clear(_text(0, y + 14, row.label))] if row.label else []
            y += 20 * len(texts)
            texts += [_clear(_text(0, y + 10, row.note, "quiet", _SMALL))] if row.note else []
            y += 14 if row.note else 0
            tall = 16 + _STEP * (len(row.intervals) - 1)
        else:
            texts, tall = [_text(0, y + _ROW / 2 + 4, row.label)], _ROW
            if row.note:
                texts.append(_text(left - 12, y + _ROW / 2 + 4, row.note, "quiet", _SMALL, "end"))
        found.append((texts, y + tall / 2))
        y += tall
    return found, y


def _bar(i: Interval, y: float, x: Callable[[float], float]) -> str:
    marks = _line(x(i.low), y, x(i.high), y, i.tone, 1.5)
    if i.q25 is not None and i.q75 is not None:
        marks += _line(x(i.q25), y, x(i.q75), y, i.tone, 4)
    fill = i.tone if i.filled else "paper"
    ring = f"fill:var(--{fill});stroke:var(--{i.tone});stroke-width:2"
    return marks + f'<circle cx="{x(i.middle):.1f}" cy="{y:.1f}" r="4" style="{ring}"/>'


def _ticks(low: float, high: float, *, logarithmic: bool) -> list[float]:
    if not logarithmic:
        return ticks(low, high, 6)
    steps = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
    return [s for s in steps if low <= math.log(s) <= high]


def scatter(
    key: str, title: str, description: str, panels: Sequence[Scatter], x_axis: str, *, narrow: bool = False
) -> str:
    """Panels of points over one kind of x axis as an SVG: beside each other, on a phone one under the other."""
    height, gap, left = 220.0, 36.0, 44.0
    width = _NARROW if narrow else (_WIDE - gap * (len(panels) - 1)) / len(panels)
    down = height + gap if narrow else 0.0
    bottom = height + down * (len(panels) - 1)
    parts = [_open(key, title, description, _NARROW if narrow else _WIDE, bottom + 12 + _foot(x_axis, narrow=narrow))]
    for n, panel in enumerate(panels):
        across = left if narrow else n * (width + gap) + left
        parts.append(f'<g transform="translate(0 {n * down:g})">')
        parts += [*_panel(panel, across, width - left - (8 if narrow else 0), height), "</g>"]
    return "".join([*parts, *_caption(x_axis, 0, bottom + 40, narrow=narrow)]) + "</svg>"


def _panel(panel: Scatter, left: float, width: float, height: float) -> list[str]:
    x_low, x_high = _room([p.x for p in panel.points])
    y_low, y_high = _room([p.y for p in panel.points])
    top = 24.0

    def x(v: float) -> float:
        return left + width * (v - x_low) / (x_high - x_low)

    def y(v: float) -> float:
        return top + (height - top) * (1 - (v - y_low) / (y_high - y_low))

    parts = [_text(left - 44, 12, panel.title)]
    for tick in ticks(y_low, y_high, 5):
        parts.append(_line(left, y(tick), left + width, y(tick), "rule"))
        parts.append(_text(left - 6, y(tick) + 4, f"{tick:g}", "quiet", _SMALL, "end"))
    for tick in ticks(x_low, x_high, 6):
        parts.append(_text(x(tick), height + 16, f"{tick:g}", "quiet", _SMALL, "middle"))
    parts.append(_line(left, height, left + width, height, "quiet"))
    parts += [_mark(p, x(p.x), y(p.y)) for p in sorted(panel.points, key=lambda p: p.chosen)]
    parts += [
        _text(left + width, 12, panel.axis, "quiet", _SMALL, "end"),
    ]
    return parts


def _room(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return low - pad, high + pad


def _mark(p: Point, x: float, y: float) -> str:
    style = "fill:var(--accent);stroke:var(--accent)" if p.chosen else "fill:none;stroke:var(--quiet)"
    if p.square:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" style="{style};stroke-width:1.5"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{5 if p.chosen else 4}" style="{style};stroke-width:1.5"/>'


def bars(
    key: str,
    title: str,
    description: str,
    rows: Sequence[tuple[str, float, float]],
    axis: str,
    *,
    narrow: bool = False,
) -> str:
    """Bars from 0 with a paler part (of which the first number is the darker share), as an SVG."""
    left, tall, whole_width = (0.0, 40.0, _NARROW) if narrow else (_LABEL, 22.0, _WIDE)
    plot, bottom = whole_width - left - _RIGHT, _HEAD + tall * len(rows)
    most = max([1e-9, *(whole for _, _, whole in rows)])
    parts = [_open(key, title, description, whole_width, bottom + _foot(axis, narrow=narrow))]
    for tick in ticks(0.0, most, 5):
        at = left + plot * tick / most
        anchor = "start" if at == 0 else "middle"
        parts += [_line(at, _HEAD, at, bottom, "rule"), _text(at, bottom + 16, f"{tick:g}", "quiet", _SMALL, anchor)]
    for n, (label, own, whole) in enumerate(rows):
        y = _HEAD + tall * (n + 1) - 17
        parts.append(_clear(_text(0, y - 6, label)) if narrow else _text(0, y + 10, label))
        for value, opacity in ((whole, 0.35), (own, 1.0)):
            width = plot * max(value, 0.0) / most
            parts.append(
                f'<rect x="{left:g}" y="{y:g}" width="{width:.1f}" height="12" '
                f'style="fill:var(--accent);fill-opacity:{opacity}"/>'
            )
    return "".join([*parts, *_caption(axis, left, bottom + 36, narrow=narrow)]) + "</svg>"
