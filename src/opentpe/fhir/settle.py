"""One value per kind and moment: duplicates merged, contradictions settled by a stated rule, stale values named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from opentpe.domain.patient import Observation
from opentpe.errors import UnitError
from opentpe.fhir import quantities
from opentpe.fhir.desk import Desk
from opentpe.fhir.observations import Finding
from opentpe.fhir.shape import Node

RULE = "corrected before amended before final before preliminary, then the later issued, then the later name"


def observations(desk: Desk, found: Sequence[Finding]) -> tuple[Observation, ...]:
    """The findings that stand, in time order; every other one is listed with the rule that removed it."""
    kept = _without_preliminary(desk, [f for group in _moments(found) for f in _one(desk, group)])
    settled = _without_impossible(desk, [f.observation for f in kept])
    _blood_agrees(desk, settled)
    _stale(desk, settled)
    return settled


def _moments(found: Sequence[Finding]) -> list[list[Finding]]:
    groups: dict[tuple[str, str, object, object], list[Finding]] = defaultdict(list)
    for finding in found:
        o = finding.observation
        groups[(o.kind, o.site, o.when.earliest, o.when.latest)].append(finding)
    return sorted(groups.values(), key=lambda g: (g[0].observation.when.earliest, g[0].observation.source))


def _one(desk: Desk, group: list[Finding]) -> list[Finding]:
    """The finding of a moment that stands; kinds of which one may have several keep each different answer."""
    first = group[0].observation
    ordered = sorted(group, key=lambda f: f.rank, reverse=True)
    row = desk.codes.row("observation", first.kind)
    many = row.get("many", False)
    kept = [ordered[0]]
    for other in ordered[1:]:
        o = other.observation
        same = next((k for k in kept if _equal(k.observation, o)), None)
        if same is not None:
            desk.note(
                "duplicate", o.source, f"{_say(o)}, as in {same.observation.source}", "each value once", "read once"
            )
        elif many:
            kept.append(other)
        elif _possible(o, row) is not _possible(kept[0].observation, row) or _equal_rank(kept[0], other):
            # What cannot be, or weighs the same, is not settled by a name: where it decides, the pathway names both.
            kept.append(other)
            said = f"{_say(o)}; {kept[0].observation.source} says {_say(kept[0].observation)}"
            desk.note("contradiction", o.source, said, "one value at one moment", "both are kept and cannot be weighed")
        else:
            desk.note(
                "contradiction",
                o.source,
                f"{_say(o)}; {kept[0].observation.source} says {_say(kept[0].observation)}",
                "one value at one moment",
                f"{kept[0].observation.source} is used: {RULE}",
            )
    return sorted(kept, key=lambda f: f.observation.source)


def _equal_rank(a: Finding, b: Finding) -> bool:
    """True for two coded answers of which neither is the corrected nor the later one."""
    coded = a.observation.value is None and b.observation.value is None
    return coded and a.rank[:2] == b.rank[:2]


def _equal(a: Observation, b: Observation) -> bool:
    if a.value is None or b.value is None:
        return (a.value, a.answer, a.text if not a.answer else "") == (
            b.value,
            b.answer,
            b.text if not b.answer else "",
        )
    return abs(a.value - b.value) <= 1e-6 * max(abs(a.value), abs(b.value), 1e-9)


def _say(o: Observation) -> str:
    name = o.kind.replace("_", " ") + (f" {o.site}" if o.site else "")
    if o.value is None:
        return f"{name} {(o.answer or o.text).replace('_', ' ')}"
    return f"{name} {o.value:g}" + ("" if o.unit == "1" else f" {o.unit}")


def _without_preliminary(desk: Desk, found: list[Finding]) -> list[Finding]:
    """A preliminary value stands only until a final one of the same or a later time."""
    kept: list[Finding] = []
    for finding in found:
        o = finding.observation
        final = finding.status != "preliminary" or next(
            (
                f
                for f in found
                if f.status != "preliminary"
                and f.observation.kind == o.kind
                and f.observation.site == o.site
                and f.observation.when.latest >= o.when.earliest
            ),
            None,
        )
        if final is None:
            desk.note("preliminary", o.source, _say(o), "a final value", "used; confirm it")
        elif isinstance(final, Finding):
            desk.note("preliminary", o.source, _say(o), "a final value", f"{final.observation.source} is used")
            continue
        kept.append(finding)
    return kept


def _without_impossible(desk: Desk, found: list[Observation]) -> tuple[Observation, ...]:
    """An impossible value kept in view goes as soon as a possible one of a later time exists."""
    rows = {o.kind: desk.codes.row("observation", o.kind) for o in found}
    possible = {id(o): _possible(o, rows[o.kind]) for o in found}
    last = {o.kind: o.when.earliest for o in sorted(found, key=lambda o: o.when.earliest) if possible[id(o)]}
    return tuple(o for o in found if possible[id(o)] or o.kind not in last or last[o.kind] <= o.when.latest)


def _possible(o: Observation, row: Node) -> bool:
    try:
        if row.get("keep_implausible") and o.value is not None:
            quantities.check(o.value, row, o.kind, o.source)
    except UnitError:
        return False
    return True


def _newest(found: Sequence[Observation]) -> dict[tuple[str, str], Observation]:
    return {(o.kind, o.site): o for o in sorted(found, key=lambda o: (o.when.earliest, o.source))}


def _blood_agrees(desk: Desk, found: Sequence[Observation]) -> None:
    """Lists a haematocrit that its haemoglobin contradicts; the haematocrit stays in use."""
    hct = _newest(found).get(("haematocrit", ""))
    if hct is None or not hct.value:
        return
    within = timedelta(hours=desk.number("ages.blood.paired_within_h"))
    pairs = [o for o in found if o.kind == "haemoglobin" and abs(o.when.earliest - hct.when.earliest) <= within]
    if not pairs:
        return
    hb = min(pairs, key=lambda o: (abs(o.when.earliest - hct.when.earliest), o.source))
    ratio = (hb.value or 0.0) / hct.value
    low, high = desk.number("ages.blood.mchc_low_g_l"), desk.number("ages.blood.mchc_high_g_l")
    if not low <= ratio <= high:
        desk.note(
            "contradiction",
            hct.source,
            f"{_say(hct)} with {_say(hb)} ({hb.source}): {ratio:.0f} g/L of cells",
            f"{low:g} to {high:g} g/L of cells",
            "the haematocrit is used; repeat it before session 1",
        )


def _stale(desk: Desk, found: Sequence[Observation]) -> None:
    """Lists the newest value of a kind where even that is older than the kind's maximum age."""
    limits = desk.library.values("ages.max_age_days")
    for (kind, _), o in _newest(found).items():
        age = (desk.on - o.when.first_day).days
        if kind in limits and age > limits[kind]:
            desk.note(
                "stale",
                o.source,
                f"{_say(o)} of {o.when.first_day.isoformat()}, {age} days old",
                f"at most {limits[kind]:g} days",
                "kept; measure again",
            )
