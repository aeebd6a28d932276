"""The report as plain data: every sentence resolved, every number written; pages and terminal only lay it out."""

from __future__ import annotations

from dataclasses import dataclass

from opentpe.domain.consultation import Series


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence with the numbers of its sources, its level of evidence and an optional heading."""

    text: str
    label: str = ""
    cites: tuple[int, ...] = ()
    level: str = ""
    kind: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, the unit below it, and whether it holds numbers."""

    head: str
    unit: str = ""
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; `rows` are written cells, `notes` stand below it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Banner:
    """The first screen: the advice, how strong it is, how long it holds, at most three reasons, what is missing."""

    advice: str
    text: str
    strength: str
    tone: str  # act | urgent | wait | stop | quiet
    tone_word: str
    dates: tuple[str, ...]
    reasons: tuple[Said, ...]
    missing: tuple[Said, ...]
    more_reasons: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderView:
    """The order, one line per element, with the days, the fluids to pick and the rival plasma volumes."""

    title: str
    lines: tuple[Said, ...]
    needs: tuple[str, ...]
    days: tuple[tuple[int, str], ...]
    days_told: bool  # a line of the order names them already
    picks: Table | None
    estimators: Table | None
    words: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A dashed line in a figure: value in the unit of the series and its label."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A laboratory value drawn on a figure."""

    time: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity over time: its series, how it is called, its limits and measured values."""

    series: Series
    title: str
    unit: str
    tone: str  # igg | fibrinogen | albumin | igm | drug | citrate | blood | ink
    limits: tuple[Limit, ...] = ()
    measured: tuple[Measured, ...] = ()
    from_zero: bool = True
    end: str = ""  # the direct label at the end of the line
    at_least: float = 0.0  # the axis reaches this high, so that panels can be compared
    label: str = ""  # at the end of the line, where it is not the title


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as data: panels over one time axis, with session marks and words for those who cannot see it."""

    key: str
    title: str
    description: str
    panels: tuple[Panel, ...]
    axis: str
    per: str  # day | minute
    until: float  # in `per`
    marks: tuple[tuple[float, str], ...] = ()
    layout: str = "stacked"  # stacked | multiples


@dataclass(frozen=True, slots=True)
class Harm:
    """One harm as natural frequencies, per session and per course."""

    event: str
    per_session: str
    per_course: str
    note: str
    cites: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HarmGroup:
    """Harms that share a condition: always, only with a central catheter, only with donor plasma."""

    title: str
    rows: tuple[Harm, ...]


@dataclass(frozen=True, slots=True)
class Checks:
    """What to check, hold or draw at one moment; `key` names it in the vocabulary."""

    when: str
    lines: tuple[Said, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One group of 100 people in the benefit bar."""

    key: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class BenefitBar:
    """100 people by how their deficit responds, with the range of "moderate or better" in per cent."""

    horizon: str
    arm: str
    parts: tuple[Part, ...]
    summary: str
    low: float
    middle: float
    high: float
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class BenefitView:
    """Expected benefit: bars per horizon, what shifts it, and what is not known."""

    bars: tuple[BenefitBar, ...]
    contributions: Table | None
    notes: tuple[Said, ...]
    more: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One alternative; `cells` stand in the order of the table's columns."""

    name: str
    cells: tuple[str, ...]
    cites: tuple[int, ...] = ()
    chosen: bool = False
    here: str = ""  # what this patient adds


@dataclass(frozen=True, slots=True)
class OptionsView:
    """The alternatives side by side."""

    columns: tuple[str, ...]
    rows: tuple[OptionRow, ...]


@dataclass(frozen=True, slots=True)
class DrugView:
    """What happens to one drug around the course."""

    name: str
    lost: str
    lines: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class ForecastView:
    """What is expected of the course: figures, sessions, moments, drugs, other solutes."""

    course_figure: Figure | None
    session_figure: Figure | None
    other_figure: Figure | None
    more_session_figure: Figure | None
    sessions: Table
    nadirs: Table | None
    balances: Table | None
    moments: Table | None
    others: Table | None
    drugs: tuple[DrugView, ...]
    warnings: tuple[Said, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One rule that was looked at, in words."""

    rule: str
    condition: str
    outcome: str  # yes | no | open
    outcome_word: str
    facts: tuple[str, ...]
    effect: str
    cites: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceGate:
    """The rules of one gate in the order they were walked."""

    gate: str
    steps: tuple[TraceStep, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """How we know: the walk, what was assumed, what the record left open, sources and versions."""

    trace: tuple[TraceGate, ...]
    assumed: tuple[Said, ...]
    warnings: tuple[Said, ...]
    issues: Table | None
    values: Table | None
    sources: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    guidelines: Table | None = None
    definitions: Table | None = None
    depends: str = ""  # whether the advice hangs on the definition of steroid failure
    changes: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportView:
    """One report, ready to be laid out."""

    language: str
    title: str
    patient: str
    details: str
    on: str
    notice: str
    banner: Banner
    order: OrderView | None
    forecast: ForecastView | None
    harms: tuple[HarmGroup, ...]
    harm_note: str
    harm_unrated: str
    harm_more: tuple[Said, ...]
    checks: tuple[Checks, ...]
    options: OptionsView | None
    benefit: BenefitView | None
    knowledge: Knowledge
    headings: tuple[tuple[str, str], ...]
    footer: str

    def heading(self, key: str) -> str:
        """The heading or fixed words of a part."""
        return dict(self.headings).get(key, key)
