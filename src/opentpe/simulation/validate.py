"""Does the model meet published data: studies and calibration rows run, judged against limits written beforehand, told.

A study is a folder with `study.toml` (question, inputs, limits) and `observed.csv`. `validation/calibration` holds the
rows that parameters were fitted to, `validation/studies` all others; a miss stays in the tables with its explanation.
A part of the program joins by a function that runs one study, in `KINDS`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomli

from opentpe.errors import InputError
from opentpe.evidence.load import Library, load
from opentpe.kernel.arrays import Floats
from opentpe.simulation import bands, validate_device, validate_session, validate_solutes

Table = Mapping[str, Any]
Run = Callable[[Table, Sequence["Observed"], Library], list[Floats]]
HEAD: Final = ("arm", "solute", "when", "metric", "observed", "unit", "n", "spread", "locator", "status")


@dataclass(frozen=True, slots=True)
class Observed:
    """One published result: which arm, quantity, time and metric; `observed` as printed."""

    arm: str
    solute: str
    when: str
    metric: str
    observed: str
    unit: str
    n: str
    spread: str
    locator: str
    status: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a limit of the study refers to."""
        return (self.arm, self.solute, self.when, self.metric)


@dataclass(frozen=True, slots=True)
class Row:
    """One result with its prediction: median and 90 % band, limit on the median, hit or miss (None: shown only)."""

    study: str
    source: str
    observed: Observed
    low: float | None
    high: float | None
    basis: str  # where the limit comes from
    median: float
    p05: float
    p95: float
    hit: bool | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Study:
    """A study as it stands in its folder."""

    name: str
    table: Table
    observed: tuple[Observed, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """All rows of both tables, and the studies they come from."""

    calibration: tuple[Row, ...]
    validation: tuple[Row, ...]
    studies: tuple[Study, ...]
    cases: tuple[Table, ...] = ()  # what was once missed, tried and found


KINDS: Final[Mapping[str, Run]] = {
    "solutes": validate_solutes.run,
    "session": validate_session.run,
    "device": validate_device.run,
}


def read(folder: Path) -> Study:
    """A study folder; `InputError` names the file and line that cannot be used."""
    try:
        table = tomli.loads((folder / "study.toml").read_text(encoding="utf-8"))
        with (folder / "observed.csv").open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, tomli.TOMLDecodeError) as error:
        raise InputError(str(folder), str(error), "study.toml and observed.csv") from error
    for number, line in enumerate(lines, 2):
        if tuple(line) != HEAD or None in line.values():
            raise InputError(f"{folder / 'observed.csv'}, line {number}", ", ".join(map(str, line)), ", ".join(HEAD))
    if table.get("kind") not in KINDS:
        raise InputError(f"{folder / 'study.toml'}: kind", repr(table.get("kind")), ", ".join(sorted(KINDS)))
    return Study(folder.name, table, tuple(Observed(**line) for line in lines))


def judge(study: Study, library: Library) -> list[Row]:
    """Every published result of a study with its prediction and verdict."""
    predicted = KINDS[study.table["kind"]](study.table, study.observed, library)
    limits = {(x["arm"], x["solute"], x["when"], x["metric"]): x for x in study.table.get("limit", ())}
    unused = set(limits) - {o.key for o in study.observed}
    if unused:
        raise InputError(f"{study.name}: limit", str(min(unused)), "arm, solute, when and metric of observed.csv")
    return [_row(study, o, values, limits.get(o.key, {})) for o, values in zip(study.observed, predicted, strict=True)]


def _row(study: Study, observed: Observed, values: Floats, limit: Table) -> Row:
    low, high = limit.get("low"), limit.get("high")
    band = bands.band(values, observed.unit)
    hit = None
    if limit:
        hit = (low is None or band.median >= low) and (high is None or band.median <= high)
    basis, explanation = str(limit.get("basis", "")), str(limit.get("explanation", ""))
    source = str(study.table["source"])
    return Row(study.name, source, observed, low, high, basis, band.median, band.p05, band.p95, hit, explanation)


def run(root: Path, library: Library) -> Result:
    """Every study below `root`; `InputError` where the folder is not there."""
    if not (root / "studies").is_dir():
        raise InputError(str(root), "no folder studies", "the validation folder of a checkout", "Run from its top.")
    found = {part: [read(d) for d in sorted((root / part).iterdir()) if d.is_dir()] for part in _PARTS}
    rows = {part: tuple(row for study in studies for row in judge(study, library)) for part, studies in found.items()}
    cases = _cases(root / "investigated.toml")
    return Result(rows["calibration"], rows["studies"], tuple(s for part in _PARTS for s in found[part]), cases)


def _cases(file: Path) -> tuple[Table, ...]:
    if not file.is_file():
        return ()
    return tuple(tomli.loads(file.read_text(encoding="utf-8"))["case"])


_PARTS: Final = ("calibration", "studies")


def render(result: Result, library: Library) -> str:
    """The report as Markdown: counts, two tables, what was asked and assumed in each study."""
    hits = [row.hit for row in result.validation if row.hit is not None]
    fits = [row.hit for row in result.calibration if row.hit is not None]
    counts = (
        f"Validation: {sum(hits)} of {len(hits)} rows with a limit are hits. Calibration: {sum(fits)} of {len(fits)}.\n"
    )
    parts = [
        "# Validation\n",
        f"Written by `make validate` from the library {library.digest[:12]}. {_CREED}\n",
        counts,
        "## Validation: results that no parameter was fitted to\n",
        *_table(result.validation),
        "## Calibration: results that parameters were fitted to\n",
        "Agreement here shows that the fit holds, not that the model predicts.\n",
        *_table(result.calibration),
        "## What was missed, tried and found\n",
        *(_case(case, result) for case in result.cases),
        "## What was asked, and what was assumed\n",
        *(_about(study, library) for study in result.studies),
    ]
    return "\n".join(parts)


_CREED: Final = (
    "Limits were written before the model was run. A miss is shown and explained; no limit is widened and no parameter "
    "is moved to meet it. The prediction is the median over parameter draws, with the band that holds 90 % of people."
)
_HEAD: Final = "| study | arm | quantity | when | observed | limit | predicted (5 to 95 %) | verdict | why |"


def _table(rows: Sequence[Row]) -> list[str]:
    return ["\n".join((_HEAD, "|---" * 9 + "|", *map(_line, rows))) + "\n"]


def _line(row: Row) -> str:
    o = row.observed
    verdict = {True: "hit", False: "**miss**", None: "shown"}[row.hit]
    predicted = f"{row.median:.3g} ({row.p05:.3g} to {row.p95:.3g})"
    observed = f"{o.observed} {o.unit}" + (f" ({o.spread})" if o.spread else "") + (f", n = {o.n}" if o.n else "")
    cells = (
        row.study, o.arm.replace("_", " "), f"{o.solute}: {o.metric.replace('_', ' ')}", o.when, observed,
        _limit(row.low, row.high), predicted, verdict, row.explanation if row.hit is not True else "",
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _limit(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "-"
    if low is None:
        return f"up to {high:g}"
    return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"


def _case(case: Table, result: Result) -> str:
    """One investigation with the verdict of its rows as they stand today."""
    wanted = {(study, solute) for study, solute in case["rows"]}
    hits = [
        row.hit
        for row in (*result.calibration, *result.validation)
        if (row.study, row.observed.solute) in wanted and row.hit is not None
    ]
    told = f"{sum(hits)} of {len(hits)} rows with a limit are hits"
    return f"**{case['title']}** ({told}). Tried: {case['tried']} Found: {case['found']}\n"


def _about(study: Study, library: Library) -> str:
    t = study.table
    bases = dict.fromkeys(str(x["basis"]) for x in t.get("limit", ()) if x.get("basis"))
    limits = " Limits: " + "; ".join(bases) + "." if bases else ""
    return (
        f"**{study.name}.** {t['question']} Source: {library.citation(t['source']).text.rstrip('.')}. "
        f"Assumed: {t['assumed']}{limits}\n"
    )


def main(write: Path | None = None, root: Path = Path("validation")) -> Result:
    """Runs everything; writes the report where asked. The caller prints what it wants of the result."""
    library = load()
    result = run(root, library)
    if write is not None:
        write.write_text(render(result, library), encoding="utf-8")
    return result


def summary(result: Result) -> str:
    """One line for the terminal."""
    misses = [r for r in result.validation if r.hit is False]
    names = ", ".join(sorted({f"{r.study} {r.observed.solute}" for r in misses}))
    judged = sum(r.hit is not None for r in result.validation)
    return f"validation: {judged - len(misses)} of {judged} hits; misses: {names or 'none'}"
