"""Cases beside the rules: a patient in a few words, and what the pathway must say about that patient.

A case names a base patient, what is different, the rule it is about, and what is expected. A hospital that changes
a rule in its overlay brings its own cases in the same form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from opentpe.domain.decision import Decision
from opentpe.domain.patient import Allergy, Condition, Medication, Observation, PastProcedure, Patient, When
from opentpe.domain.relapse import Relapse, SteroidCourse, SteroidDose
from opentpe.errors import EvidenceError
from opentpe.evidence.load import Library
from opentpe.pathway import engine
from opentpe.pathway.book import Pathway

FOLDER: Final = "pathway/cases/"
_COURSE_CODES: Final = {
    "relapsing": "ms_relapsing",
    "secondary_progressive": "ms_secondary_progressive",
    "primary_progressive": "ms_primary_progressive",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case: where it is written, which rule it is about, the patient, and what must come out."""

    title: str
    file: str
    rule: str
    row: Mapping[str, Any]
    patient: Patient
    relapse: Relapse | None
    on: date
    unit: Mapping[str, Any]


def cases_of(library: Library) -> Iterator[Case]:
    """Every case of the library; `EvidenceError` names a case whose base is not there."""
    bases = library.document(FOLDER + "bases")
    for file, document in library.folder(FOLDER).items():
        for row in document.get("case", ()):
            base = row.get("base", "moderate")
            if base not in bases:
                raise EvidenceError(f"evidence/{FOLDER}{file}.toml: {row['title']!r}: no base {base!r}")
            facts = described(bases, base, row)
            on = date.fromisoformat(str(facts.get("on", "2026-02-18")))
            patient, relapse = patient_of(facts, on)
            yield Case(row["title"], file, row["rule"], row, patient, relapse, on, facts.get("unit", {}))


def described(bases: Mapping[str, Any], base: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The base patient with the differences of one case laid over it."""
    parent = bases[base]
    below = described(bases, parent["base"], parent) if "base" in parent else dict(parent)
    facts = {**below, **{k: v for k, v in row.items() if k not in ("seen", "base", "without")}}
    seen = {**below.get("seen", {}), **row.get("seen", {})}
    gone = set(row.get("without", ()))
    facts["seen"] = {k: v for k, v in seen.items() if k not in gone}
    return {k: v for k, v in facts.items() if k not in gone}


def patient_of(facts: Mapping[str, Any], on: date) -> tuple[Patient, Relapse | None]:
    """A patient and attack from a few words; days count back from `on`."""
    attack = bool(facts.get("attack", True))
    relapse = _relapse(facts, on) if attack else None
    birth = When.day(on - timedelta(days=round(365.25 * facts["age"]))) if "age" in facts else None
    patient = Patient(
        identifier="Patient/case",
        sex=str(facts.get("sex", "female")),
        birth=birth,
        observations=tuple(_observations(facts, on)),
        conditions=tuple(_conditions(facts, on)),
        medications=tuple(_drug(row, on, n) for n, row in enumerate(facts.get("drugs", ()))),
        allergies=tuple(Allergy(a, a, f"AllergyIntolerance/{a}") for a in facts.get("allergies", ())),
        procedures=tuple(_exchanges(int(facts.get("exchanges", 0)), on)),
    )
    return patient, relapse


def _observations(facts: Mapping[str, Any], on: date) -> Iterator[Observation]:
    for kind, said in facts.get("seen", {}).items():
        for n, value in enumerate(said if isinstance(said, list) else [said]):
            row = value if isinstance(value, Mapping) else {"is": value}
            answer = row["is"] if isinstance(row["is"], str) else ""
            number = None if answer else float(row["is"])
            when = When.day(on - timedelta(days=int(row.get("d", 0))))
            source = f"Observation/{kind.replace('_', '-')}-{n}"
            yield Observation(kind, number, "", when, source, answer, str(row.get("site", "")), answer)


def _conditions(facts: Mapping[str, Any], on: date) -> Iterator[Condition]:
    listed = list(facts.get("conditions", ()))
    if facts.get("course") in _COURSE_CODES and facts.get("coded", True):
        listed.append(_COURSE_CODES[facts["course"]])
    for kind in listed:
        row = kind if isinstance(kind, Mapping) else {"is": kind}
        onset = When.day(on - timedelta(days=int(row["d"]))) if "d" in row else None
        yield Condition(row["is"], "", row["is"], active=True, source=f"Condition/{row['is']}", onset=onset)


def _drug(row: Mapping[str, Any], on: date, n: int) -> Medication:
    start = When.day(on - timedelta(days=int(row["d"]))) if "d" in row else None
    end = When.day(on - timedelta(days=int(row["ended"]))) if "ended" in row else None
    certainty = "taken" if "d" in row else "stated"
    name = row["is"]
    return Medication(name, row["group"], name, f"MedicationStatement/{n}", start, end, certainty=certainty)


def _exchanges(count: int, on: date) -> Iterator[PastProcedure]:
    for n in range(count):
        yield PastProcedure("plasma_exchange", f"Procedure/{n}", When.day(on - timedelta(days=n)))


def _onset(facts: Mapping[str, Any], on: date) -> When:
    """The day of onset, or the interval from `day` to `day_at_latest` where the record knows no better."""
    first = When.day(on - timedelta(days=int(facts["day"])))
    last = When.day(on - timedelta(days=int(facts.get("day_at_latest", facts["day"]))))
    return When(first.earliest, last.latest)


def _relapse(facts: Mapping[str, Any], on: date) -> Relapse:
    onset = _onset(facts, on) if "day" in facts else None
    courses = facts.get("steroids", [])
    return Relapse(
        onset=onset,
        kind=str(facts.get("kind", "ms_relapse")),
        source="Condition/attack",
        severity=str(facts.get("severity", "")),
        course=str(facts.get("course", "")),
        steroids=tuple(_steroids(row, on, n) for n, row in enumerate(courses)),
        baseline_edss=facts.get("edss_before"),
        nadir_edss=facts.get("edss_worst"),
    )


def _steroids(row: Mapping[str, Any], on: date, n: int) -> SteroidCourse:
    """`mg` a day on `count` days, the last of them `ended` days ago; `ratio` turns mg into methylprednisolone."""
    last = on - timedelta(days=int(row["ended"]))
    doses = tuple(
        SteroidDose(
            last - timedelta(days=k),
            str(row.get("drug", "methylprednisolone")),
            float(row["mg"]),
            float(row["mg"]) * float(row.get("ratio", 1.0)),
            str(row.get("route", "iv")),
            f"MedicationAdministration/{n}-{k}",
        )
        for k in reversed(range(int(row["count"])))
    )
    return SteroidCourse(doses)


def decision_of(case: Case, pathway: Pathway) -> Decision:
    """What the pathway says about a case."""
    definition = str(case.row.get("definition", "opentpe"))
    guideline = str(case.row.get("guideline", "asfa-2023"))
    return engine.decide(case.patient, case.relapse, case.on, pathway, case.unit, guideline, definition)


def misses(case: Case, decision: Decision) -> list[str]:
    """What a case expects and the decision does not hold, one sentence each; empty where all is as expected."""
    row, found = case.row, []
    if "advice" in row and decision.advice.value != row["advice"]:
        found.append(f"advice is {decision.advice.value}, expected {row['advice']}")
    if _fired(case.rule, decision) is not bool(row.get("fires", True)):
        found.append(f"rule {case.rule} {'did not fire' if row.get('fires', True) else 'fired'}")
    held = {
        "reasons": {r.code for r in decision.reasons},
        "alerts": {a.code for a in decision.alerts},
        "missing": {m.fact for m in decision.missing},
        "assumed": {f.name for f in decision.assumed},
    }
    for what, codes in held.items():
        found += [f"{what} lack {c}" for c in row.get(what, ()) if c not in codes]
        found += [f"{what} hold {c}" for c in row.get("no_" + what, ()) if c in codes]
    return found + _unlike(row, decision)


def _unlike(row: Mapping[str, Any], decision: Decision) -> list[str]:
    dates = {"start": decision.start_on, "reassess": decision.reassess_on, "by": decision.first_exchange_by}
    found = [f"{k} is {v}, expected {row[k]}" for k, v in dates.items() if k in row and str(v) != str(row[k])]
    if "setting" in row and decision.setting != row["setting"]:
        found.append(f"setting is {decision.setting!r}, expected {row['setting']!r}")
    return found


def _fired(rule: str, decision: Decision) -> bool:
    gate, _, name = rule.partition(".")
    return any(s.gate == gate and s.rule == name and s.outcome for s in decision.trace)
