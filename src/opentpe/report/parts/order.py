"""The order, typeset like a prescription: one line per element, the days, the fluids to pick, the rival volumes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from opentpe.domain.consultation import Consultation, Line, Order
from opentpe.domain.sourced import Status
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.view import Column, OrderView, Said, Table

_NEEDS: Final = "order_needs"  # stands above the order
_SESSIONS: Final = "order_sessions"  # names the days
_STANDING: Final = (  # instructions for the days of the course, set smaller than what is ordered
    "order_rescue",
    "order_fibrinogen_table",
    "order_potassium",
    "order_checks",
    "order_monitoring",
    "order_as_needed",
    "order_partial",
    "order_stop_rule",
)
_VOID: Final = "order_void"  # stands below the signature


def build(consultation: Consultation, desk: Desk) -> OrderView | None:
    """The order of a consultation, None where there is none."""
    order = consultation.order
    if order is None:
        return None
    days = tuple((i + 1, words.day(on, desk.sentences.numbers)) for i, on in enumerate(order.dates))
    return OrderView(
        title=desk.say("heading.order"),
        lines=tuple(_line(line, desk) for line in order.lines if line.code not in (_NEEDS, _VOID)),
        needs=tuple(desk.word("fact", need) for need in order.needs),
        days=days,
        days_told=any(line.code == _SESSIONS for line in order.lines),
        picks=_picks(order, desk),
        estimators=_estimators(consultation, order, desk),
        words=order.words,
    )


def _line(line: Line, desk: Desk) -> Said:
    """A line of the order; its status is named only where the value is recalled."""
    said = desk.line(line)
    level = said.level if line.status == Status.RECALLED else ""
    return replace(said, level=level, kind="standing" if line.code in _STANDING else "")


def _picks(order: Order, desk: Desk) -> Table | None:
    if not order.bottles:
        return None
    sessions = max(len(order.dates), order.course.count)
    rows = tuple(
        (desk.word("fluid", fluid), desk.amount(size, "mL"), str(count), str(count * sessions))
        for fluid, size, count in order.bottles
    )
    columns = (
        Column(desk.say("column.fluid"), numeric=False),
        Column(desk.say("column.bottle")),
        Column(desk.say("column.per_session")),
        Column(desk.say("column.whole_course")),
    )
    return Table(desk.say("caption.picks"), columns, rows)


def _estimators(consultation: Consultation, order: Order, desk: Desk) -> Table | None:
    if not order.estimators:
        return None
    used = next((e.plasma_volume_ml for e in order.estimators if e.used), order.plasma_volume_ml)
    rows = tuple(
        (
            desk.word("estimator", e.name) + _cites(desk.cites((e.source,))),
            desk.amount(e.plasma_volume_ml, "mL").replace(words.NARROW + "mL", ""),
            _difference(e.plasma_volume_ml, used, desk),
            desk.say("word.used") if e.used else desk.say("word.shown_unused"),
            ", ".join(desk.word("quantity", q) for q in e.outside_validity) or "–",
        )
        for e in order.estimators
    )
    columns = (
        Column(desk.say("column.estimator"), numeric=False),
        Column(desk.say("column.plasma_volume"), "mL"),
        Column(desk.say("column.difference"), "%"),
        Column(desk.say("column.use"), numeric=False),
        Column(desk.say("column.outside_validity"), numeric=False),
    )
    forecast = consultation.forecast
    spread = (Said(desk.say("order.spread", band=desk.band(forecast.plasma_volume_ml))),) if forecast else ()
    return Table(desk.say("caption.estimators"), columns, rows, spread)


def _difference(value: float, used: float, desk: Desk) -> str:
    change = 100 * (value / used - 1) if used else 0.0
    text = words.fixed(change, 0, desk.sentences.numbers)
    return f"+{text}" if change > 0 and text != "0" else text


def _cites(numbers: tuple[int, ...]) -> str:
    return " " + " ".join(f"[{n}]" for n in numbers) if numbers else ""
