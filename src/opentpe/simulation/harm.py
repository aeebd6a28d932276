"""Harm of exchange: probabilities of events per session and per course, by fluid, access, calcium and patient.

`event_probabilities` gives arrays, one row per draw or virtual patient; `risks` the table of one course. Where a
simulation is given, ionised calcium, blood volume, fibrinogen and IgG drive their events and replace the modifiers that
stand for them; each effect enters once. Parameters: `evidence/equations/harm.toml`; theory: docs/theory/harm.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from opentpe.domain.consultation import Line, Risk
from opentpe.evidence.load import Library
from opentpe.kernel import response
from opentpe.kernel.response import Array
from opentpe.simulation import draws as random
from opentpe.simulation.draws import Stream, band

FILE: Final = "equations/harm"
_NODES: Final = 24  # quadrature over a patient's own symptom threshold
_NODE, _NODE_WEIGHT = np.polynomial.hermite_e.hermegauss(_NODES)
_NODE_WEIGHT = _NODE_WEIGHT / _NODE_WEIGHT.sum()
CALCIUM: Final = "hypocalcaemia_symptoms"
ASKED: Final = "hypocalcaemia_symptoms_asked"
_HYPOTENSION: Final = ("hypotension", "hypotension_severe")
_BLEEDING: Final = ("haemorrhage", "bleeding")
_BY_UNIT: Final = ("anaphylaxis", "fever_or_chills")
# Within a draw the wider event is at least as likely as its parts.
_SEVERE: Final = ("anaphylaxis", "death")


@dataclass(frozen=True, slots=True)
class OwnCount:
    """A hospital's own count: events in sessions, by the event's key."""

    event: str
    events_count: int
    sessions_count: int


@dataclass(frozen=True, slots=True)
class HarmFacts:
    """What the harm model asks about a course. `plasma_units`: donor units per session; empty for none.

    `plasma_only`: plasma is the whole replacement and its units are not counted.
    """

    sessions_count: int
    calcium: bool = True
    plasma_units: tuple[float, ...] = ()
    plasma_only: bool = False
    central_catheter: bool = False
    ace_inhibitor_within_24_h: bool = False
    neurological: bool = True
    intensive_care: bool = False
    kidney_disease: bool = False
    own_counts: tuple[OwnCount, ...] = ()

    @property
    def plasma(self) -> bool:
        """True where any donor plasma is given."""
        return self.plasma_only or any(self.plasma_units)


class Physiology(NamedTuple):
    """What the simulation says, or None where it does not: (draws, sessions) arrays, or one row for all draws."""

    ionised_calcium_fall_pct: Array | None = None  # deepest fall in the session
    blood_volume_loss_pct: Array | None = None  # deepest loss of relative blood volume in the session
    fibrinogen_nadir_g_l: Array | None = None  # lowest in or after the session
    igg_below_5_fraction: Array | None = None  # (draws,): share of 30 days below 5 g/L


class EventProbability(NamedTuple):
    """One event at every row: `session` (rows, sessions) or None for events of a course only; `course` (rows,)."""

    session: Array | None
    course: Array
    linked: str = ""


class _Run(NamedTuple):
    """What every event of one call needs."""

    library: Library
    facts: HarmFacts
    physiology: Physiology
    seed: int
    rows: npt.NDArray[np.int64]

    def value(self, name: str) -> float:
        return self.library.value(f"{FILE}.{name}")

    def modifier(self, name: str) -> Array:
        z = np.atleast_2d(random.normals(self.seed, self.rows, Stream.HARM_MODIFIER, 1, name))[:, 0]
        return random.sample(self.library.sourced(f"{FILE}.modifier.{name}"), z)


def risks(facts: HarmFacts, physiology: Physiology | None, library: Library, seed: int, draws: int) -> tuple[Risk, ...]:
    """The harms of one course as a table: per session and per course, with ranges and where the rate comes from."""
    found = event_probabilities(facts, physiology, library, seed, np.arange(draws))
    table = library.table(f"{FILE}.event")
    rows: list[Risk] = []
    for event, probability in found.items():
        entry = table[CALCIUM if event == ASKED else event]
        session = None if probability.session is None else band(probability.session.mean(axis=1))
        plasma = facts.plasma and event in ("mild_allergy", *_BY_UNIT)
        rows.append(
            Risk(
                event,
                session,
                band(probability.course),
                tuple(entry["sources"]),
                str(entry["basis"]),
                "plasma" if plasma else str(entry.get("condition", "")),
                bool(entry["thin"]),
                probability.linked,
            )
        )
    unnumbered = [Risk(str(row["event"]), None, None) for row in library.document(FILE)["without_rate"]]
    return (*rows, *unnumbered)


def event_probabilities(
    facts: HarmFacts, physiology: Physiology | None, library: Library, seed: int, rows: random.Rows
) -> dict[str, EventProbability]:
    """Probability of every event that applies to the course, at every row, wider events never below their parts."""
    found = _unordered(facts, physiology, library, seed, rows)
    recorded = tuple(e for e, p in found.items() if p.session is not None and e not in (ASKED, "any_event"))
    for whole, parts in (("severe_event", _SEVERE), ("any_event", recorded)):
        found[whole] = _at_least(found[whole], [found[p] for p in parts])
    return found


def _unordered(
    facts: HarmFacts, physiology: Physiology | None, library: Library, seed: int, rows: random.Rows
) -> dict[str, EventProbability]:
    """Every event by its own rate, before wider events are raised to their parts."""
    index = np.atleast_1d(np.asarray(rows, dtype=np.int64))
    run = _Run(library, facts, physiology or Physiology(), seed, index)
    found: dict[str, EventProbability] = {}
    for event, entry in library.table(f"{FILE}.event").items():
        if entry.get("printed", True) and (entry.get("condition") != "central_catheter" or facts.central_catheter):
            found[event] = _session_event(run, event) if entry["scope"] == "session" else _course_event(run, event)
            if event == CALCIUM:
                found[event], found[ASKED] = _calcium(run, found[event])
    return found


def harm_lines(facts: HarmFacts, library: Library) -> tuple[Line, ...]:
    """What stands beside the risks: how registries count, what may not be added up, what is an upper bound."""
    wanted = {
        "always": True,
        "central_catheter": facts.central_catheter,
        "plasma": facts.plasma,
        "ace_inhibitor": facts.ace_inhibitor_within_24_h,
    }
    return tuple(
        Line(row["code"], tuple(row["values"].items()), tuple(row["sources"]), row["status"])
        for row in library.document("studies/harm_lines")["line"]
        if wanted[row["when"]]
    )


def _session_event(run: _Run, event: str) -> EventProbability:
    """An event of the session: hazard per session by fluid and link, gathered over the course by frailty."""
    base = _base_log_odds(run, event)
    log_odds, linked = _linked(run, event, base)
    hazard = response.hazard(np.minimum(response.expit(log_odds), _most(run, event, linked)))
    hazard = _with_plasma(run, event, base, np.broadcast_to(hazard, (len(run.rows), run.facts.sessions_count)))
    return _gathered(run, hazard, linked)


def _gathered(run: _Run, hazard: Array, linked: str) -> EventProbability:
    first, later = run.value("first_session_factor"), run.value("later_session_factor")
    frailty = random.sample(
        run.library.sourced(f"{FILE}.frailty"),
        np.atleast_2d(random.normals(run.seed, run.rows, Stream.HARM, 1, "frailty"))[:, 0],
    )
    total = np.zeros(len(run.rows))
    for n in range(run.facts.sessions_count):
        total = total + hazard[:, n] * (first if n == 0 else later)
    course = response.course_probability(total, frailty)
    session = response.from_hazard(hazard)
    return EventProbability(session, np.maximum(course, session.max(axis=1, initial=0.0)), linked)


def _course_event(run: _Run, event: str) -> EventProbability:
    """An event counted once per course."""
    log_odds = _base_log_odds(run, event)
    if event == "venous_thrombosis" and run.facts.central_catheter:
        log_odds = log_odds + np.maximum(run.modifier("venous_thrombosis.central_catheter"), 0.0)
    if event == "bleeding" and not (run.facts.kidney_disease or run.facts.plasma):
        log_odds = log_odds + run.modifier("bleeding.ms")
    log_odds, linked = _linked(run, event, log_odds)
    return EventProbability(None, response.expit(log_odds.max(axis=1)), linked)


def _base_log_odds(run: _Run, event: str) -> Array:
    """Log-odds of an event as recorded under the reference conditions, one centre a row; (rows,)."""
    z = np.atleast_2d(random.normals(run.seed, run.rows, Stream.HARM, 2, event))
    shared = run.value("shared_centre_sd")
    total = run.value(f"event.{event}.centre_sd")
    mean = run.library.sourced(f"{FILE}.event.{event}.log_odds")
    common = np.atleast_2d(random.normals(run.seed, run.rows, Stream.HARM_CENTRE, 1))[:, 0]
    own = np.sqrt(max(total**2 - shared**2, 0.0)) * z[:, 1]
    log_odds: Array = random.sample(mean, z[:, 0]) + shared * common + own
    count = next((c for c in run.facts.own_counts if c.event == event), None)
    if count is None:
        return log_odds
    assert mean.prior is not None, f"{event} needs a prior"
    error = (mean.prior.high - mean.prior.low) / (2 * 1.959964)
    sd = float(np.hypot(error, total))
    rank = random.rank((log_odds - mean.value) / sd)
    return response.posterior_log_odds(rank, mean.value, sd, count.events_count, count.sessions_count)


def _linked(run: _Run, event: str, base: Array) -> tuple[Array, str]:
    """Log-odds per session (rows, sessions or 1) by the simulation's link or by the modifiers, and the link's name."""
    physiology, column = run.physiology, base[:, None]
    if event in _HYPOTENSION:
        if physiology.blood_volume_loss_pct is None:
            return column + _hypotension_modifiers(run)[:, None], ""
        slope = run.library.sourced(f"{FILE}.volume_link.slope_per_pct")
        z = np.atleast_2d(random.normals(run.seed, run.rows, Stream.HARM_MODIFIER, 1, "volume_link"))
        reference = run.value("volume_link.reference_pct")
        link = response.volume_link(physiology.blood_volume_loss_pct, reference, random.sample(slope, z))
        return column + link, "relative_blood_volume"
    if event in _BLEEDING and physiology.fibrinogen_nadir_g_l is not None:
        below, width = run.value("fibrinogen_link.below_g_l"), run.value("fibrinogen_link.width_g_l")
        share = response.depletion_share(physiology.fibrinogen_nadir_g_l, below, width)
        return column + np.maximum(run.modifier("bleeding.fibrinogen"), 0.0)[:, None] * share, "fibrinogen"
    if event == "infection" and physiology.igg_below_5_fraction is not None:
        share = np.asarray(physiology.igg_below_5_fraction)[..., None]
        return column + np.maximum(run.modifier("infection.igg"), 0.0)[:, None] * share, "igg"
    if event == CALCIUM and not run.facts.calcium:
        return column + np.maximum(run.modifier("hypocalcaemia_symptoms.no_calcium"), 0.0)[:, None], ""
    return column, ""


def _hypotension_modifiers(run: _Run) -> Array:
    total = np.zeros(len(run.rows))
    if run.facts.ace_inhibitor_within_24_h:
        total = total + run.modifier("hypotension.ace_inhibitor")
    if run.facts.neurological:
        total = total + run.modifier("hypotension.neurological")
    if run.facts.intensive_care:
        total = total + run.modifier("hypotension.intensive_care")
    return total


def _most(run: _Run, event: str, linked: str) -> float:
    return run.value("volume_link.most") if linked and event in _HYPOTENSION else 1.0 - 1e-12


def _with_plasma(run: _Run, event: str, base: Array, hazard: Array) -> Array:
    """Hazard per session with what donor plasma adds: per unit where units are known, whole where not."""
    units = np.zeros(run.facts.sessions_count)
    units[: len(run.facts.plasma_units)] = run.facts.plasma_units[: run.facts.sessions_count]
    if event == "mild_allergy":
        if run.facts.plasma_only:
            whole = response.expit(base + run.modifier("mild_allergy.plasma_only"))
            return np.maximum(hazard, response.hazard(whole)[:, None])
        unit = response.logit(run.value("plasma_unit.mild_allergy_probability"))
        centre = base - run.library.value(f"{FILE}.event.mild_allergy.log_odds")
        return hazard + response.hazard(response.expit(unit + centre))[:, None] * units
    if event in _BY_UNIT:
        none = response.hazard(response.expit(base + run.modifier(f"{event}.albumin")))[:, None]
        whole = response.hazard(response.expit(base + run.modifier(f"{event}.plasma_only")))[:, None]
        share = np.ones_like(units) if run.facts.plasma_only else units / run.value("plasma_unit.whole_exchange_count")
        return none + np.maximum(whole - none, 0.0) * share
    return hazard


def _calcium(run: _Run, recorded: EventProbability) -> tuple[EventProbability, EventProbability]:
    """Hypocalcaemia symptoms as a registry records them and as asking finds them, by the fall or by the base rate."""
    unrecorded = np.maximum(run.modifier("hypocalcaemia_symptoms.asked"), 0.0)[:, None]
    fall = run.physiology.ionised_calcium_fall_pct
    if fall is None:
        assert recorded.session is not None
        asked = response.expit(response.logit(recorded.session) + unrecorded)
        return recorded, _gathered(run, response.hazard(asked), "")
    latent = np.broadcast_to(_latent(run, fall), (len(run.rows), run.facts.sessions_count))
    felt = response.felt_probability(latent)
    kept = response.recorded(felt, unrecorded) / np.maximum(felt, 1e-300)
    share = run.value("calcium_link.patient_share")
    linked = "ionised_calcium"
    in_course = [
        np.clip(response.felt_in_course(latent, k, share, _NODE, _NODE_WEIGHT), (k * felt).max(axis=1), 1.0)
        for k in (kept, np.ones_like(kept))
    ]
    return (
        EventProbability(kept * felt, in_course[0], linked),
        EventProbability(felt, in_course[1], linked),
    )


def _latent(run: _Run, fall_pct: Array) -> Array:
    z = np.atleast_2d(random.normals(run.seed, run.rows, Stream.THRESHOLD, 3, "calcium"))
    rho = run.value("calcium_link.correlation")
    intercept = random.sample(run.library.sourced(f"{FILE}.calcium_link.intercept"), z[:, :1])
    mixed = rho * z[:, :1] + np.sqrt(1 - rho**2) * z[:, 1:2]
    slope = random.sample(run.library.sourced(f"{FILE}.calcium_link.slope"), mixed)
    slope = np.maximum(slope, run.value("calcium_link.slope_at_least"))
    return response.felt(fall_pct, intercept, slope, run.value("calcium_link.centre") * z[:, 2:3])


def _at_least(whole: EventProbability, parts: list[EventProbability]) -> EventProbability:
    """A wider event raised, draw by draw, to the likeliest of its parts."""
    session, course = whole.session, whole.course
    for part in parts:
        assert session is not None
        assert part.session is not None
        session, course = np.maximum(session, part.session), np.maximum(course, part.course)
    return EventProbability(session, course, whole.linked)
