"""The attack itself: which entry is meant, when it began, what kind it is, what was given for it and how bad it got."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from opentpe.domain.patient import Observation, When
from opentpe.domain.relapse import Relapse, SteroidCourse, SteroidDose
from opentpe.fhir import shape, steroids, when
from opentpe.fhir.conditions import Diagnosis
from opentpe.fhir.desk import Desk

_RETURNED: Final = ("relapse", "recurrence")
# Of several entries of one attack the first of these kinds names it.
_ORDER: Final = ("nmosd", "mogad", "adem", "ms_relapse", "optic_neuritis", "myelitis", "cis", "other_demyelination")


class Candidate(NamedTuple):
    """An entry that may be the present attack."""

    kind: str
    onset: When | None
    source: str
    text: str
    site: str
    severity: str


def assemble(
    desk: Desk, diagnoses: Sequence[Diagnosis], observations: Sequence[Observation], given: Sequence[SteroidDose]
) -> Relapse | None:
    """The newest attack within the window, None where the record holds none; every other attack is listed."""
    present = _present(desk, diagnoses)
    if not present:
        return None
    chosen = _same_attack(desk, present)
    onset = _onset(desk, chosen)
    disease = next(
        (d.condition.kind for d in diagnoses if d.condition.kind in ("nmosd", "mogad") and d.condition.active), ""
    )
    kinds = {c.kind for c in chosen} | ({disease} if disease else set())
    lead = min(chosen, key=lambda c: (_ORDER.index(c.kind), c.source))
    baseline, nadir = _edss(desk, observations, onset)
    return Relapse(
        onset=onset,
        kind=min(kinds, key=_ORDER.index),
        source=lead.source,
        text=lead.text,
        site=next((c.site for c in chosen if c.site), ""),
        severity=next((c.severity for c in chosen if c.severity), ""),
        course=_course(desk, diagnoses, observations),
        steroids=_steroids(desk, given, onset),
        baseline_edss=baseline,
        nadir_edss=nadir,
    )


def _present(desk: Desk, diagnoses: Sequence[Diagnosis]) -> list[Candidate]:
    found = [c for d in diagnoses if (c := _candidate(desk, d))] + _from_encounters(desk)
    dated = [c for c in found if c.onset is not None]
    return dated or found


def _candidate(desk: Desk, diagnosis: Diagnosis) -> Candidate | None:
    """A diagnosis as a candidate: the code of an attack, or a disease that just began or is said to have returned."""
    c = diagnosis.condition
    row = desk.codes.row("condition", c.kind)
    window = desk.number("ages.attack.window_days")
    recent = c.onset is not None and (desk.on - c.onset.latest.date()).days <= window
    returned = diagnosis.status in _RETURNED or "ms_exacerbation" in diagnosis.rivals
    began = bool(row.get("disease")) and recent and row.get("course") in (None, "relapsing")
    if not (row.get("attack") or (row.get("disease") and returned) or began):
        return None
    kind = "ms_relapse" if c.kind.startswith("ms") else c.kind
    if not c.active:
        if recent:
            desk.note("resolved_attack", c.source, f"{c.text or kind}, over", "an attack that is going on")
        return None
    if c.onset is not None and not recent:
        if returned:
            _undated(desk, c.source, "the onset is that of the disease")
            return Candidate(kind, None, c.source, c.text, c.site, c.severity)
        desk.note(
            "old_attack",
            c.source,
            f"{c.text or kind} of {c.onset.first_day.isoformat()}, still open",
            f"an onset within {window:g} days",
            "not the present attack",
        )
        return None
    if c.onset is None:
        _undated(
            desk,
            c.source,
            f"recorded {diagnosis.recorded.first_day.isoformat()}" if diagnosis.recorded else "no date at all",
        )
    return Candidate(kind, c.onset, c.source, c.text, c.site, c.severity)


def _undated(desk: Desk, source: str, found: str) -> None:
    desk.note("onset_missing", source, found, "onsetDateTime of the attack", "the attack counts, its onset is unknown")


def _from_encounters(desk: Desk) -> list[Candidate]:
    """Attacks that only the reason of a recent encounter names: the attack counts, its onset is unknown."""
    found: list[Candidate] = []
    window = timedelta(days=desk.number("ages.attack.window_days"))
    for encounter in desk.record.of_type("Encounter"):
        start = when.period(shape.node(encounter.body, "period"))[0]
        if start is None or not desk.on - window <= start.first_day <= desk.on:
            continue
        if shape.text(encounter.body, "status") in ("cancelled", "entered-in-error"):
            continue
        for reason in shape.items(encounter.body, "reasonCode"):
            match = desk.codes.meaning("condition", shape.codings(reason))
            if match and desk.codes.row("condition", match.kind).get("attack"):
                kind = "ms_relapse" if match.kind == "ms_exacerbation" else match.kind
                found.append(Candidate(kind, None, encounter.label, shape.label(reason), "", ""))
    return found


def _same_attack(desk: Desk, present: Sequence[Candidate]) -> list[Candidate]:
    """The entries of the newest attack; onsets further apart than two attacks must be belong to an earlier one."""
    dated = sorted((c for c in present if c.onset is not None), key=_begin, reverse=True)
    if not dated:
        for c in present:
            if c.source.startswith("Encounter"):
                _undated(desk, c.source, "an attack named only by the reason of an encounter")
        return list(present)
    apart = timedelta(days=desk.number("ages.attack.separate_days"))
    newest = _begin(dated[0])
    same = [c for c in dated if newest - _begin(c) < apart]
    for other in dated[len(same) :]:
        desk.note(
            "several_attacks",
            other.source,
            f"{other.text or other.kind} of {_begin(other).date().isoformat()}",
            "one attack",
            f"the attack of {newest.date().isoformat()} is taken",
        )
    return same


def _begin(c: Candidate) -> datetime:
    assert c.onset is not None
    return c.onset.earliest


def _onset(desk: Desk, chosen: Sequence[Candidate]) -> When | None:
    """The earliest onset of the entries of one attack: the clock runs from the first symptom."""
    dated = sorted((c for c in chosen if c.onset is not None), key=_begin)
    if not dated:
        return None
    first, last = dated[0], dated[-1]
    if (_begin(last) - _begin(first)).days > desk.number("ages.attack.onset_spread_days"):
        desk.note(
            "contradiction",
            last.source,
            f"onset {_begin(last).date().isoformat()}; {first.source} says {_begin(first).date().isoformat()}",
            "one onset",
            "the earlier onset is used",
        )
    return first.onset


def _course(desk: Desk, diagnoses: Sequence[Diagnosis], observations: Sequence[Observation]) -> str:
    """The course of the disease; empty, and listed, where the record says two things at once."""
    said = [o for o in observations if o.kind == "disease_course" and o.answer]
    coded = {
        str(course): d.condition.source
        for d in diagnoses
        if d.condition.active and (course := desk.codes.row("condition", d.condition.kind).get("course"))
    }
    if said:
        newest = max(said, key=lambda o: (o.when.earliest, o.source))
        coded[newest.answer] = newest.source
    if len(coded) > 1:
        desk.note(
            "contradiction",
            next(iter(coded.values())),
            "; ".join(f"{course.replace('_', ' ')} in {source}" for course, source in coded.items()),
            "one course of the disease",
            "the course is taken as unknown",
        )
        return ""
    return next(iter(coded), "")


def _steroids(desk: Desk, given: Sequence[SteroidDose], onset: When | None) -> tuple[SteroidCourse, ...]:
    gap = desk.number("ages.attack.steroid_gap_days")
    back = desk.number("ages.attack.window_days" if onset is None else "ages.attack.steroid_lookback_days")
    first = (desk.on if onset is None else onset.first_day) - timedelta(days=back)
    kept = [d for d in given if d.on >= first and not _unrelated(desk, d, onset)]
    found = steroids.courses(kept, gap)
    for course in found:
        if onset is not None and course.first < onset.first_day:
            desk.note(
                "contradiction",
                course.doses[0].source,
                f"{course.doses[0].drug} from {course.first.isoformat()}, onset {onset.first_day.isoformat()}",
                "treatment after the onset",
                "kept; confirm the onset",
            )
    return found


def _unrelated(desk: Desk, dose: SteroidDose, onset: When | None) -> bool:
    """A low dose before the onset treats something else."""
    pulse = desk.number("ages.attack.steroid_pulse_mg")
    return onset is not None and dose.on < onset.first_day and dose.methylprednisolone_mg < pulse


def _edss(desk: Desk, observations: Sequence[Observation], onset: When | None) -> tuple[float | None, float | None]:
    """EDSS before the attack (the last before onset) and at its worst (from onset to the day of the consultation)."""
    window = desk.codes.row("observation", "edss")["plausible"]
    scores = [o for o in observations if o.kind == "edss" and o.value is not None]
    scores = [o for o in scores if window["low"] <= (o.value or 0.0) <= window["high"]]
    if onset is None:
        return None, None
    before = [o for o in scores if o.when.latest.date() < onset.first_day]
    since = [o.value for o in scores if o.when.latest.date() >= onset.first_day and o.value is not None]
    baseline = max(before, key=lambda o: (o.when.earliest, o.source)).value if before else None
    return baseline, max(since, default=None)
