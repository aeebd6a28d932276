"""Expected benefit of one patient: response of the targeted deficit for exchange and what it is compared with.

The model itself, as arrays, is `benefit_model.py`; here it becomes bands, contributions and the lines beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.consultation import Band, Benefit, Contribution, Line, Value
from opentpe.domain.decision import Fact
from opentpe.evidence.load import Library
from opentpe.kernel import response
from opentpe.kernel.response import Array, Levels
from opentpe.simulation import benefit_model as model
from opentpe.simulation.draws import band

HORIZONS: Final = ("discharge", "six_months")


@dataclass(frozen=True, slots=True)
class BenefitFacts:
    """What the benefit model asks about a patient. None means not known: no predictor is then assumed.

    `course`: relapsing (first attack included) | progressive_with_relapse | progressive | "" where not known.
    `severe_fraction`: 0 not severe to 1 severe; see `benefit_model.severe_fraction`.
    """

    delay_days: float | None = None
    severe_fraction: float | None = None
    course: str = ""
    gd_enhancement: bool | None = None
    ring_enhancement: bool | None = None
    mass_effect: bool | None = None
    reflexes_preserved: bool | None = None
    optic_neuritis: bool = False
    sessions_planned: int = 5
    nmosd_open: bool = False  # NMOSD present, or neither MS established nor antibodies back
    other_disease: bool = False  # MOGAD, ADEM, PML: this model says nothing

    def present(self) -> dict[str, bool | None]:
        """Predictor name -> present, absent or not known."""
        return {
            "relapsing_course": self.course == "relapsing" if self.course else None,
            "gd_enhancement": self.gd_enhancement,
            "ring_enhancement": self.ring_enhancement,
            "mass_effect": self.mass_effect,
            "reflexes_preserved": self.reflexes_preserved,
        }


class Expectation(NamedTuple):
    """What is expected, and the lines that stand beside it: counts, conflicts, limits, what a week costs."""

    benefit: tuple[Benefit, ...]
    lines: tuple[Line, ...]


def benefit_facts(
    facts: Iterable[Fact],
    library: Library,
    *,
    delay_days: float | None,
    sessions_planned: int = 5,
    reflexes_preserved: bool | None = None,
) -> BenefitFacts:
    """What the benefit model asks, from the facts of a decision; `delay_days` from onset to the first exchange."""
    facts = tuple(facts)
    known = {f.name: f.value for f in facts if f.known}
    pattern = known.get("mri_lesion_pattern")
    enhancing = known.get("gd_enhancement")
    return BenefitFacts(
        delay_days=delay_days,
        severe_fraction=model.severe_fraction(
            library,
            _number(known.get("edss_now")),
            _number(known.get("attack_acuity")) if known.get("visual_attack") else None,
            True if known.get("severe_function") or known.get("plegic") else None,
        ),
        course=_course(known),
        gd_enhancement=None if enhancing is None else bool(enhancing),
        ring_enhancement=None if pattern is None else pattern == "ring_enhancing",
        mass_effect=None if pattern is None else pattern == "mass_effect",
        reflexes_preserved=reflexes_preserved,
        optic_neuritis=bool(known.get("visual_attack")),
        sessions_planned=sessions_planned,
        nmosd_open=nmosd_open(facts),
        other_disease=known.get("branch", "ms") not in ("ms", "nmosd"),
    )


def nmosd_open(facts: Iterable[Fact]) -> bool:
    """True while NMOSD is present, or its antibodies are not back and MS is not established."""
    known = {f.name: f.value for f in facts if f.known}
    waiting = bool(known.get("serology_open")) and not known.get("ms_established")
    return known.get("branch") == "nmosd" or waiting


def _course(known: Mapping[str, Value]) -> str:
    if "progressive" not in known:
        return ""
    if not known["progressive"]:
        return "relapsing"
    return "progressive_with_relapse" if known.get("superimposed") else "progressive"


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def expected_benefit(
    facts: BenefitFacts, library: Library, seed: int, draws: int, *, nmosd_open: bool = False
) -> Expectation:
    """Response for each arm at discharge and six months, with bands, contributions and the lines beside them.

    No number while NMOSD is open (another disease, another clock) and none for a progressive course without a relapse.
    """
    if nmosd_open or facts.nmosd_open:
        beside = _lines_when(library, "optic_neuritis") if facts.optic_neuritis else ()
        return Expectation((), (*_lines_when(library, "nmosd_open"), *beside))
    if facts.other_disease:
        return Expectation((), _lines_when(library, "other_disease"))
    if facts.course == "progressive":
        return Expectation((), _lines_when(library, "progressive"))
    known = model.knowledge(library, seed, np.arange(draws))
    predictors = model.predictor_sum(library, known, facts.present())
    reference = model.value(library, "reference_delay_days")
    delay = reference if facts.delay_days is None else facts.delay_days
    severe = 0.5 if facts.severe_fraction is None else facts.severe_fraction
    shared = _contributions(library, known, facts, predictors)
    benefit: list[Benefit] = []
    for six, horizon in enumerate(HORIZONS):
        levels = model.arms(library, known, model.Covariates(severe, delay, predictors, float(six)))
        benefit += [_benefit(library, arm, horizon, levels[arm], shared) for arm in model.ARMS]
    lines = (
        *_cautions(library, facts),
        *_fixed_lines(library, facts),
        *_waiting(library, known, model.Covariates(severe, delay, predictors, 1.0), facts),
        *_late(library, known, model.Covariates(severe, delay, predictors, 0.0), facts.sessions_planned),
        *(_excluded(row) for row in library.document(model.FILE)["excluded"]),
    )
    return Expectation(tuple(benefit), lines)


def _benefit(library: Library, arm: str, horizon: str, levels: Levels, shared: tuple[Contribution, ...]) -> Benefit:
    cumulative = response.probabilities(levels)
    none, mild, moderate, marked = (band(g) for g in response.groups(cumulative))
    sources = _sources(library, f"arm_sources.{arm}")
    return Benefit(horizon, arm, none, mild, moderate, marked, band(cumulative.moderate), shared, sources)


def _contributions(
    library: Library, known: model.Knowledge, facts: BenefitFacts, predictors: Array
) -> tuple[Contribution, ...]:
    """Mean log-odds of each predictor at face value, and after weight, the imaging rule and the cap."""
    cap = model.value(library, "cap")
    squeeze = np.divide(
        response.bounded(predictors, cap), predictors, out=np.ones_like(predictors), where=predictors != 0
    )
    present = facts.present()
    spokesman = model.imaging_spokesman(library, present)
    rows: list[Contribution] = []
    for name, answer in present.items():
        of_group = present if name == spokesman else {}
        asked = {n: a for n, a in of_group.items() if _group(library, n) == "imaging"} or {name: answer}
        counts = _group(library, name) != "imaging" or name == spokesman
        term = model.predictor_sum(library, known, asked) if counts else np.zeros_like(predictors)
        x = 0.0 if answer is None else float(answer) - model.value(library, f"predictor.{name}.prevalence")
        raw = model.value(library, f"predictor.{name}.log_odds") * x
        rows.append(
            Contribution(name, answer, raw, float(np.mean(term * squeeze)), _sources(library, f"predictor.{name}"))
        )
    if facts.delay_days is not None:
        weeks = model.weeks(library, facts.delay_days)
        _, part = response.patient_shift(predictors, known.loss_per_week, weeks, cap)
        raw = -model.value(library, "loss_per_week") * float(weeks)
        rows.append(Contribution("delay", None, raw, float(np.mean(part)), _sources(library, "loss_per_week")))
    return tuple(rows)


def _group(library: Library, predictor: str) -> str:
    return str(library.table(f"{model.FILE}.predictor.{predictor}")["group"])


def _cautions(library: Library, facts: BenefitFacts) -> list[Line]:
    first, last = (model.value(library, f"{n}_delay_days") for n in ("first", "last"))
    lines: list[Line] = []
    if facts.delay_days is None:
        lines.append(
            Line("benefit.delay_not_known", (("reference_days", model.value(library, "reference_delay_days")),))
        )
    elif not first <= facts.delay_days <= last:
        values = (("delay_days", facts.delay_days), ("first_day", first), ("last_day", last))
        lines.append(Line("benefit.delay_outside_evidence", values, status="design"))
    if facts.severe_fraction is None:
        lines.append(Line("benefit.severity_not_known", status="design"))
    return lines


def _fixed_lines(library: Library, facts: BenefitFacts) -> tuple[Line, ...]:
    severe = facts.severe_fraction is None or facts.severe_fraction > 0
    wanted = ("always", *(("optic_neuritis",) if facts.optic_neuritis else ()), *(("severe",) if severe else ()))
    return tuple(line for when in wanted for line in _lines_when(library, when))


def _lines_when(library: Library, when: str) -> tuple[Line, ...]:
    """The lines of `studies/benefit_lines.toml` that belong to an answer."""
    return tuple(
        Line(row["code"], tuple(row["values"].items()), tuple(row["sources"]), row["status"])
        for row in library.document("studies/benefit_lines")["line"]
        if row["when"] == when
    )


def _waiting(library: Library, known: model.Knowledge, patient: model.Covariates, facts: BenefitFacts) -> list[Line]:
    """What one more week costs, of 100 patients at six months; only inside the delays that were treated."""
    last = model.value(library, "last_delay_days")
    first = model.value(library, "first_delay_days")
    if facts.delay_days is None or not first <= facts.delay_days <= last - response.DAYS_PER_WEEK:
        return []
    cost = band(100 * model.waiting_cost(library, known, patient), "of 100")
    values = (("median", cost.median), ("low", cost.p05), ("high", cost.p95), ("certainty", "low"))
    return [Line("benefit.one_week_later", values, _sources(library, "loss_per_week"), "calibrated")]


def _late(library: Library, known: model.Knowledge, patient: model.Covariates, planned: int) -> Iterator[Line]:
    """Chance of a response after a session without one: from the session on at which stopping may be discussed."""
    at_end = response.expit(model.arms(library, known, patient)["exchange"].moderate)
    later = patient._replace(six_months=1.0)
    at_six = response.expit(model.arms(library, known, later)["exchange"].moderate)
    for session in range(int(model.value(library, "onset.first_assessed_session")), planned + 1):
        now = model.visible_by(known, at_end, session, planned)
        values: list[tuple[str, Value]] = [("session", session), ("planned", planned)]
        if session < planned:
            values += _named_band("by_end", band(response.late_response(now, at_end)))
        values += _named_band("six_months", band(response.late_response(now, at_six)))
        yield Line("benefit.late_response", tuple(values), _sources(library, "onset"), "calibrated")


def _sources(library: Library, name: str) -> tuple[str, ...]:
    return tuple(str(s) for s in library.table(f"{model.FILE}.{name}")["sources"])


def _named_band(name: str, of: Band) -> list[tuple[str, Value]]:
    return [(f"{name}_median", of.median), (f"{name}_low", of.p05), (f"{name}_high", of.p95)]


def _excluded(row: Mapping[str, object]) -> Line:
    sources = row["sources"]
    assert isinstance(sources, list)
    values = (("predictor", str(row["predictor"])), ("why", str(row["why"])))
    return Line("benefit.predictor_not_used", values, tuple(str(s) for s in sources))
