"""What the patient chooses from: the options side by side and the expected benefit as people out of 100."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from opentpe.domain.consultation import Band, Benefit, Consultation, Contribution, Option
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.sentences import opening
from opentpe.report.view import BenefitBar, BenefitView, Column, OptionRow, OptionsView, Part, Said, Table

# What stands in one column of the table: the first part leads, the rest follows in the same cell.
_COLUMNS: Final = (
    ("evidence", ("evidence", "effect")),
    ("onset", ("onset", "burden")),
    ("hazards", ("hazards",)),
    ("needs", ("needs", "cost")),
)
_HERE: Final = "here"  # what this patient adds: stands below the option's name
_QUIET: Final = (_HERE, "role")
_GROUPS: Final = ("none", "mild", "moderate", "marked")
# Lines that stand beside the bars; the rest is a click away.
_SHOWN: Final = (
    "benefit.not_calibrated",
    "benefit.trial_",
    "benefit.one_week_later",
    "benefit.none_",
    "benefit.if_exchange_follows",
    "benefit.delay_outside",
    "benefit.optic_neuritis",
)
_BARS: Final = ("exchange", "no_exchange")


def options(consultation: Consultation, desk: Desk) -> OptionsView | None:
    """The alternatives, None where none are given."""
    if not consultation.options:
        return None
    named = {*(name for _, names in _COLUMNS for name in names), *_QUIET}
    extra = tuple(dict.fromkeys(n for o in consultation.options for n, _ in o.cells if n not in named))
    columns = (*(desk.say(f"option_column.{key}") for key, _ in _COLUMNS), *(_head(n, desk) for n in extra))
    advised = "exchange" if consultation.decision.advice.exchange else ""
    rows = tuple(_row(option, extra, desk, option.key == advised) for option in consultation.options)
    return OptionsView(columns, rows)


def _row(option: Option, extra: tuple[str, ...], desk: Desk, advised: bool) -> OptionRow:
    here = dict(option.cells).get(_HERE)
    return OptionRow(
        desk.title("option", option.key),
        _cells(option, extra, desk),
        desk.cites(option.sources),
        advised,
        _sentence(_value(here, desk)) if here else "",
    )


def _head(name: str, desk: Desk) -> str:
    code = f"option_column.{name}"
    return desk.say(code) if desk.sentences.has(code) else opening(desk.sentences.plain(name))


def _cells(option: Option, extra: tuple[str, ...], desk: Desk) -> tuple[str, ...]:
    values = dict(option.cells)

    def written(names: tuple[str, ...]) -> str:
        parts = [_part(n, values[n], desk) for n in names if values.get(n) not in (None, "")]
        return "\n".join(parts) or "–"

    return (*(written(names) for _, names in _COLUMNS), *(written((n,)) for n in extra))


def _part(name: str, value: object, desk: Desk) -> str:
    """One cell's text as a sentence; some are named, because a bare "Low." says nothing."""
    text, code = _sentence(_value(value, desk)), f"option_part.{name}"
    return desk.say(code, value=text[:1].lower() + text[1:]) if desk.sentences.has(code) else text


def _value(value: object, desk: Desk) -> str:
    if isinstance(value, str) and desk.sentences.has(value):
        return desk.say(value)
    return value if isinstance(value, str) and " " in value else desk.sentences.value(value)


def _sentence(text: str) -> str:
    text = opening(text).replace(" %", f"{words.NARROW}%")
    return text if text.endswith((".", "–")) else text + "."


def benefit(consultation: Consultation, desk: Desk) -> BenefitView | None:
    """Bars with and without exchange at each horizon, and what shifts them; None where nothing may be said."""
    rows = consultation.benefit
    if not rows and not consultation.benefit_lines:
        return None
    bars = tuple(_bar(b, desk) for b in rows if b.arm in _BARS)
    first = next((b for b in rows if b.contributions), None)
    said = [desk.line(line) for line in consultation.benefit_lines]
    shown = [replace(line, level="") for line in said if line.code.startswith(_SHOWN)]
    if rows:
        shown.insert(0, Said(desk.say("benefit.bracket")))
    if rows and not said:
        shown.append(Said(desk.say("benefit.not_calibrated"), cites=desk.cites(s for b in rows for s in b.sources)))
    more = tuple(line for line in said if not line.code.startswith(_SHOWN))
    return BenefitView(bars, _contributions(first, desk) if first else None, tuple(shown), more)


def _bar(row: Benefit, desk: Desk) -> BenefitBar:
    counts = hundred((row.none, row.mild, row.moderate, row.marked))
    parts = tuple(Part(k, desk.say(f"response.{k}"), n) for k, n in zip(_GROUPS, counts, strict=True))
    share = row.moderate_or_better
    return BenefitBar(
        horizon=desk.word("horizon", row.horizon),
        arm=desk.word("arm", row.arm),
        parts=parts,
        summary=desk.say("benefit.summary", often=desk.often(share, 100)),
        low=100 * share.p05,
        middle=100 * share.median,
        high=100 * share.p95,
        chosen=row.arm == "exchange",
    )


def hundred(shares: tuple[Band, ...]) -> tuple[int, ...]:
    """Medians as whole people that sum to 100: largest remainders after scaling the medians to one."""
    total = sum(s.median for s in shares) or 1.0
    exact = [100 * s.median / total for s in shares]
    counts = [int(x) for x in exact]
    order = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in order[: 100 - sum(counts)]:
        counts[i] += 1
    return tuple(counts)


def _contributions(row: Benefit, desk: Desk) -> Table:
    style = desk.sentences.numbers
    columns = (
        Column(desk.say("column.predictor"), numeric=False),
        Column(desk.say("column.here"), numeric=False),
        Column(desk.say("column.log_odds_raw")),
        Column(desk.say("column.log_odds_used")),
    )
    rows = tuple(
        (
            desk.word("predictor", c.predictor) + _numbers(desk.cites(c.sources)),
            _present(c, desk),
            words.fixed(c.raw_log_odds, 2, style),
            words.fixed(c.shrunk_log_odds, 2, style),
        )
        for c in row.contributions
    )
    return Table(desk.say("caption.contributions"), columns, rows)


def _present(part: Contribution, desk: Desk) -> str:
    if part.present is None and part.raw_log_odds:
        return desk.say("word.counted")  # a quantity such as the delay, neither present nor absent
    return desk.say("word.unknown") if part.present is None else desk.say("word.yes" if part.present else "word.no")


def _numbers(cites: tuple[int, ...]) -> str:
    return "".join(f" [{n}]" for n in cites)
