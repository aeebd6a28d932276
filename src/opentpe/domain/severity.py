"""How severe a relapse is by each published scheme, side by side: `evidence/scales/relapse_severity.toml`.

A scheme answers reached, not reached, or None where the record does not hold what it asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Examination:
    """One examination: EDSS, raw functional systems by name, acuity (decimal) of the affected eye, walking distance."""

    edss: float | None = None
    systems: Mapping[str, int] = field(default_factory=dict)
    visual_acuity: float | None = None
    walking_m: float | None = None


@dataclass(frozen=True, slots=True)
class Severity:
    """What one scheme says: its level where reached, "" where not, and None in `reached` where facts are missing."""

    scheme: str
    reached: bool | None
    level: str
    source: str


def by_each_scheme(
    document: Mapping[str, Any], before: Examination, now: Examination, onset_days: float | None = None
) -> tuple[Severity, ...]:
    """The relapse by every scheme of the library, in its order."""
    rows: list[Severity] = []
    for scheme in document["scheme"]:
        level = _KINDS[scheme["kind"]](scheme, before, now, onset_days)
        reached = None if level is None else level != ""
        rows.append(Severity(str(scheme["key"]), reached, level or "", str(scheme["source"])))
    return tuple(rows)


def _rise(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else now - before


def _edss_rise(scheme: Mapping[str, Any], before: Examination, now: Examination, _: float | None) -> str | None:
    rise = _rise(before.edss, now.edss)
    if rise is None:
        return None
    reached = [level for level, least in scheme["levels"] if rise >= least]
    return str(reached[-1]) if reached else ""


def _fs_rise(scheme: Mapping[str, Any], before: Examination, now: Examination, onset: float | None) -> str | None:
    within = scheme.get("onset_within_days")
    if within is not None and onset is not None and onset > within:
        return ""
    rises = [(_rise(before.systems.get(s), now.systems.get(s)), now.systems.get(s, 0)) for s in scheme["systems"]]
    if any(rise is not None and rise >= scheme["rise"] and grade >= scheme["grade"] for rise, grade in rises):
        return None if within is not None and onset is None else str(scheme["level"])
    return None if any(rise is None for rise, _ in rises) else ""


def _acuity_loss(scheme: Mapping[str, Any], before: Examination, now: Examination, _: float | None) -> str | None:
    if before.visual_acuity is None or now.visual_acuity is None:
        return None
    lost = 1 - now.visual_acuity / before.visual_acuity
    return str(scheme["level"]) if lost > scheme["loss_above_fraction"] + 1e-9 else ""


def _acuity_at_most(scheme: Mapping[str, Any], _before: Examination, now: Examination, _: float | None) -> str | None:
    if now.visual_acuity is None:
        return None
    return str(scheme["level"]) if now.visual_acuity <= scheme["decimal"] else ""


def _acuity_below(scheme: Mapping[str, Any], _before: Examination, now: Examination, _: float | None) -> str | None:
    if now.visual_acuity is None:
        return None
    return str(scheme["level"]) if now.visual_acuity < scheme["decimal"] else ""


def _walking(scheme: Mapping[str, Any], before: Examination, now: Examination, _: float | None) -> str | None:
    rise, shorter = _rise(before.edss, now.edss), _rise(now.walking_m, before.walking_m)
    if rise is None or now.edss is None:
        return None
    if rise < scheme["edss_rise"] or now.edss < scheme["edss_from"]:
        return ""
    if shorter is None:
        return None
    return str(scheme["level"]) if shorter > 0 else ""


def _edss_or_visual(scheme: Mapping[str, Any], before: Examination, now: Examination, _: float | None) -> str | None:
    rises = (
        (_rise(before.edss, now.edss), scheme["edss_rise"]),
        (_rise(before.systems.get("visual"), now.systems.get("visual")), scheme["visual_rise"]),
    )
    if any(rise is not None and rise >= least for rise, least in rises):
        return str(scheme["level"])
    return None if all(rise is None for rise, _ in rises) else ""


_Rule = Callable[[Mapping[str, Any], Examination, Examination, float | None], str | None]
_KINDS: Final[Mapping[str, _Rule]] = {
    "edss_rise": _edss_rise,
    "fs_rise": _fs_rise,
    "acuity_loss": _acuity_loss,
    "acuity_at_most": _acuity_at_most,
    "acuity_below": _acuity_below,
    "walking": _walking,
    "edss_or_visual_rise": _edss_or_visual,
}
