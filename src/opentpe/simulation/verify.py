"""The best candidates run in full: the kernel's kinetics over the course, and the whole session of their kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from opentpe.domain.consultation import Band
from opentpe.domain.learning import Candidate, Kept
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.errors import InvariantError
from opentpe.evidence.load import Library
from opentpe.kernel import march, timeline
from opentpe.kernel.arrays import Cohort, Floats, Schedule, Trajectory
from opentpe.simulation import bands, bodies, choice, cohort, problem, screening, session
from opentpe.simulation.bodies import Known
from opentpe.simulation.candidates import Kind
from opentpe.simulation.choice import Ground, Physics, Table, Wish
from opentpe.simulation.draws import Stream, normals
from opentpe.simulation.fit import Taught

# What stays a stand-in even for the candidates that are run in full: nothing; for all others, these.
SCREENED: Final = ("igg_fall", "fibrinogen_before_session")


def state_now(
    taught: Taught, z: Floats, under_way: bool, keys: Sequence[str]
) -> tuple[Cohort, dict[str, Floats], float]:
    """People, amounts of each solute in plasma and tissue, and the minute they hold at: the end of the last session."""
    posed = taught.found.problem
    people, columns = problem.people(posed, z), posed.columns
    if not under_way and not posed.doses:
        return people, {k: screening.at_rest(people, columns.column(k)) for k in keys}, 0.0
    runs = problem.runs_of(posed.setup, posed.sessions if under_way else ())
    now = max([0.0, *(p.start_min + (p.duration_min or r.duration_min) for p, r in runs)])
    doses = [d for d in posed.doses if d.time_min <= now]
    plan = problem.schedule(posed.setup, columns, posed.subject, runs, doses, np.array([now]), posed.library)
    found = march.course_all(people, plan)
    amounts = {}
    for key in keys:
        j = columns.column(key)
        plasma = found.concentration[:, j, -1] * people.plasma_ml * people.central_ratio[:, j]
        amounts[key] = np.stack([plasma, np.maximum(found.body_end[:, j] - plasma, 0.0)], axis=1)
    return people, amounts, now


def resting_level(taught: Taught, z: Floats, j: int) -> Floats:
    """Level of a solute before the course at every row: at rest, or of a drug as session 1 starts."""
    posed = taught.found.problem
    people = problem.people(posed, z)
    if people.concentration[:, j].any():
        level: Floats = people.concentration[:, j]
        return level
    plan = problem.schedule(posed.setup, posed.columns, posed.subject, (), posed.doses, np.zeros(1), posed.library)
    return np.maximum(march.course_all(people, plan).concentration[:, j, 0], 1e-12)


def in_full(ground: Ground, i: int, table: Table, wish: Wish, library: Library) -> Candidate:
    """Candidate i with the full kinetics of the course behind its numbers, beside its full session."""
    screened = choice.told(ground, i, table, wish, library)
    kind = ground.kinds[ground.options[i].kind]
    found = _march(ground, i, kind, library)
    columns = ground.taught.found.problem.columns
    ahead = found.before.shape[2] - len(ground.options[i].days)
    fibrinogen = found.before[:, columns.column("fibrinogen"), ahead:].min(axis=1)
    target = columns.column(wish.target)
    fall = 100 * (1 - found.after[:, target, -1] / ground.resting)
    within = table.within[ground.options[i].kind]
    kept = tuple(_kept(k, fibrinogen, within) for k in screened.kept)
    values: tuple[tuple[str, Band], ...] = (
        ("fall_percent", bands.band(fall, "%")),
        ("fibrinogen_before_session", bands.band(fibrinogen, "g/L")),
        ("ionised_calcium", bands.band(within.ionised_calcium_mmol_l, "mmol/L")),
        ("relative_blood_volume", bands.band(within.relative_blood_volume_percent, "%")),
    )
    return replace(
        screened,
        kept=kept,
        values=values,
        all_kept_probability=min(k.probability for k in kept),
        full=True,
        front=False,
    )


def _kept(k: Kept, fibrinogen: Floats, within: Physics) -> Kept:
    found = {
        "fibrinogen_before_session": fibrinogen >= k.bound,
        "ionised_calcium": within.ionised_calcium_mmol_l >= k.bound,
        "blood_volume_loss": within.blood_volume_loss_percent <= k.bound,
    }.get(k.limit)
    return k if found is None else replace(k, probability=float(found.mean()), screened=False)


def physics(ground: Ground, library: Library, seed: int) -> tuple[Physics, ...]:
    """The whole session of each kind for every row: lowest ionised calcium and deepest loss of blood volume.

    All kinds go through the kernel at once. What labs of ionised calcium taught about citrate and calcium goes with the
    rows; the rest is drawn.
    """
    rows, posed = np.arange(ground.people.plasma_ml.size), ground.taught.found.problem

    def drawn(stream: Stream, name: str, count: int) -> Floats:
        return normals(seed, rows, stream, count, name)

    known = Known(ground.people.plasma_ml)
    normal = posed.layout.normal_or(ground.z, drawn)
    bodies_of = bodies.people_at(posed.subject, known, library, normal)
    found = session.run_all(bodies_of, [k.setup for k in ground.kinds], library)
    bad = np.flatnonzero(found.status)
    if bad.size:
        raise InvariantError("a session of a plan broke an invariant and is refused", {"rows": bad[:5].tolist()})
    calcium, change = (session.lowest(found, q) for q in ("ionised_calcium", "relative_blood_volume"))
    per_kind = (np.reshape(v, (len(ground.kinds), rows.size)) for v in (calcium, change))
    return tuple(Physics(c, -v, 100 + v) for c, v in zip(*per_kind, strict=True))


def _march(ground: Ground, i: int, kind: Kind, library: Library) -> Trajectory:
    found = march.course_all(ground.people, _schedule(ground, i, kind, library))
    if np.any(found.status):
        bad = np.flatnonzero(found.status)[:5].tolist()
        raise InvariantError("a candidate course broke an invariant and is refused", {"candidate": i, "rows": bad})
    return found


def _schedule(ground: Ground, i: int, kind: Kind, library: Library) -> Schedule:
    """Sessions done by their own order, sessions ahead by the candidate's, with both orders' fluids in one table."""
    posed = ground.taught.found.problem
    done = [
        cohort.session(p, r, posed.setup, library)
        for p, r in problem.runs_of(posed.setup, posed.sessions[: len(ground.performed_on)])
    ]
    shift = len(posed.setup.fluids)
    at = (ground.first - ground.performed_on[0]).days * MINUTES_PER_DAY if ground.performed_on else 0
    ahead = []
    for p in choice.course_of(ground, i).procedures()[len(done) :]:
        new = cohort.session(p, kind.run, kind.setup, library)
        day = ground.options[i].days[p.n - 1 - len(done)]
        parts = tuple((which + shift, share) for which, share in new.parts)
        ahead.append(new._replace(start_min=float(at + day * MINUTES_PER_DAY), parts=parts))
    content = np.vstack([cohort.fluid_table(s, posed.columns, library) for s in (posed.setup, kind.setup)])
    end = ahead[-1].start_min + ahead[-1].duration_min
    doses = [cohort.dose(d, posed.columns, posed.subject, library) for d in posed.doses if d.time_min <= end]
    sieving = np.ones((1, len(posed.columns.keys)))
    return timeline.build([*done, *ahead], doses, end, np.array([end]), content, sieving)
