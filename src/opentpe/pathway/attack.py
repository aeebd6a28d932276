"""Named questions about the attack: onset, course, deficit, mimics and contradictions in the record."""

from __future__ import annotations

from datetime import date
from typing import Final

from opentpe.domain.decision import Fact
from opentpe.domain.patient import Observation
from opentpe.pathway.sheet import Sheet, last_taken

_COURSE_OF: Final = {
    "ms_relapsing": "relapsing",
    "ms_secondary_progressive": "secondary_progressive",
    "ms_primary_progressive": "primary_progressive",
}
_PROGRESSIVE: Final = ("secondary_progressive", "primary_progressive")
_HALLMARKS: Final = ("long_optic_nerve", "longitudinally_extensive", "area_postrema")
# Coded answers that can turn the advice; an antibody is not among them, for once positive it stays positive.
_WEIGHED: Final = (
    "steroid_response",
    "exchange_response",
    "new_objective_deficit",
    "infection_symptoms",
    "steroid_contraindication",
    "bleeding",
)
_ATTACKS: Final = ("ms_exacerbation", "cis", "optic_neuritis", "myelitis", "other_demyelination")
# Drugs whose withdrawal is followed by rebound activity.
_REBOUND: Final = ("fingolimod", "siponimod", "ozanimod", "ponesimod", "natalizumab")


def attack(sheet: Sheet) -> Fact:
    """Whether an inflammatory attack of the central nervous system is on record."""
    if sheet.relapse is None:
        return sheet.no("attack")
    return Fact("attack", True, (sheet.relapse.source,))


def attack_kind(sheet: Sheet) -> Fact:
    """What kind of attack it is, as optic_neuritis or myelitis."""
    if sheet.relapse is None:
        return sheet.unknown("attack_kind")
    return Fact("attack_kind", sheet.relapse.kind, (sheet.relapse.source,))


def age_years(sheet: Sheet) -> Fact:
    """Age in completed years."""
    age = sheet.patient.age_years(sheet.on)
    return Fact("age_years", age, (sheet.patient.identifier,) if age is not None else ())


def day_of_attack(sheet: Sheet) -> Fact:
    """Days since onset (onset is day 0); the note tells where the record gives only a month or year."""
    relapse = sheet.relapse
    if relapse is None or relapse.onset is None:
        return sheet.unknown("day_of_attack")
    note = "" if relapse.onset.certain_day else "onset known only as an interval; its first day is used"
    return Fact("day_of_attack", relapse.day(sheet.on), (relapse.source,), note=note)


def onset_uncertain(sheet: Sheet) -> Fact:
    """Whether the day of onset is known only as an interval."""
    relapse = sheet.relapse
    if relapse is None or relapse.onset is None or relapse.onset.certain_day:
        return sheet.no("onset_uncertain")
    return Fact("onset_uncertain", True, (relapse.source,))


def _courses(sheet: Sheet) -> list[tuple[str, str]]:
    claims = [(_COURSE_OF[k], c.source) for k, c in sheet.conditions.items() if k in _COURSE_OF]
    asked = sheet.newest.get("disease_course")
    if asked is not None:
        claims.insert(0, (asked.answer, asked.source))
    if sheet.relapse is not None and sheet.relapse.course:
        claims.append((sheet.relapse.course, sheet.relapse.source))
    return claims


def course(sheet: Sheet) -> Fact:
    """The course of the disease, asked for; a code on the problem list is a hint where nobody answered."""
    claims = _courses(sheet)
    if not claims:
        return sheet.unknown("course")
    return Fact("course", claims[0][0], tuple(dict.fromkeys(s for c, s in claims if c == claims[0][0])))


def progressive(sheet: Sheet) -> Fact:
    """Whether the course is primary or secondary progressive."""
    known = sheet.ask("course")
    if known.value is None:
        return sheet.unknown("progressive")
    return Fact("progressive", known.value in _PROGRESSIVE, known.sources)


def course_contradiction(sheet: Sheet) -> Fact:
    """Whether the record calls the disease relapsing and progressive at once; both sources are named."""
    claims = _courses(sheet)
    relapsing = [s for c, s in claims if c == "relapsing"]
    forward = [s for c, s in claims if c in _PROGRESSIVE]
    if not relapsing or not forward:
        return sheet.no("course_contradiction")
    note = ", ".join(dict.fromkeys(c.replace("_", " ") for c, _ in claims))
    return Fact("course_contradiction", True, tuple(dict.fromkeys(relapsing + forward)), note=note)


def answers_contradict(sheet: Sheet) -> Fact:
    """Whether the newest answers to a question that decides differ at one moment; both sources are named."""
    for kind in _WEIGHED:
        found = sheet.findings.get(kind, ())
        if len(found) < 2:
            continue
        rows = [o for o in found if o.when == sheet.newest[kind].when]
        answers = dict.fromkeys(o.answer.replace("_", " ") for o in rows)
        if len(answers) > 1:
            note = f"{kind.replace('_', ' ')} {' and '.join(answers)}"
            return Fact("answers_contradict", kind, tuple(o.source for o in rows), note=note)
    return sheet.no("answers_contradict")


def onset_after_treatment(sheet: Sheet) -> Fact:
    """Whether treatment of the attack is dated before its onset, or the onset lies in the future."""
    relapse = sheet.relapse
    if relapse is None or relapse.onset is None:
        return sheet.no("onset_after_treatment")
    first = relapse.onset.first_day
    early = tuple(d.source for d in sheet.doses if d.on < first)
    if not early and first <= sheet.on:
        return sheet.no("onset_after_treatment")
    return Fact("onset_after_treatment", True, (relapse.source, *dict.fromkeys(early)))


def edss_impossible(sheet: Sheet) -> Fact:
    """Whether an EDSS outside 0 to 10, or between its half steps, is on record."""
    rows = [(o.value, o.source) for o in sheet.findings.get("edss", ()) if o.value is not None]
    relapse = sheet.relapse
    if relapse is not None:
        rows += [(v, relapse.source) for v in (relapse.baseline_edss, relapse.nadir_edss) if v is not None]
    wrong = [(v, s) for v, s in rows if not 0 <= v <= sheet.limits["severity.edss_top"] or (2 * v) % 1]
    if not wrong:
        return sheet.no("edss_impossible")
    note = ", ".join(f"{v:g}" for v, _ in wrong)
    return Fact("edss_impossible", True, tuple(dict.fromkeys(s for _, s in wrong)), note=note)


def _plausible_edss(sheet: Sheet, rows: list[Observation]) -> list[Observation]:
    top = sheet.limits["severity.edss_top"]
    return [o for o in rows if o.value is not None and 0 <= o.value <= top]


def edss_baseline(sheet: Sheet) -> Fact:
    """EDSS before the attack: as recorded with it, else the last one before onset."""
    relapse = sheet.relapse
    if relapse is None:
        return sheet.unknown("edss_baseline")
    if relapse.baseline_edss is not None:
        return Fact("edss_baseline", relapse.baseline_edss, (relapse.source,))
    row = sheet.before("edss", relapse.onset.first_day) if relapse.onset is not None else None
    if row is None or row.value is None:
        return sheet.unknown("edss_baseline")
    return Fact("edss_baseline", row.value, (row.source,), row.when.age_days(sheet.on))


def edss_now(sheet: Sheet) -> Fact:
    """EDSS of the deficit as it stands: the newest since onset, else the worst recorded with the attack."""
    relapse = sheet.relapse
    if relapse is None:
        return sheet.unknown("edss_now")
    first = relapse.onset.first_day if relapse.onset is not None else date.min
    rows = _plausible_edss(sheet, sheet.since("edss", first))
    if rows:
        return Fact("edss_now", rows[-1].value, (rows[-1].source,), rows[-1].when.age_days(sheet.on))
    if relapse.nadir_edss is not None:
        return Fact("edss_now", relapse.nadir_edss, (relapse.source,))
    return sheet.unknown("edss_now")


def edss_worst(sheet: Sheet) -> Fact:
    """The worst EDSS of the attack so far."""
    relapse, now = sheet.relapse, sheet.ask("edss_now")
    if relapse is None or now.value is None:
        return sheet.unknown("edss_worst")
    first = relapse.onset.first_day if relapse.onset is not None else date.min
    rows = _plausible_edss(sheet, sheet.since("edss", first))
    values = [o.value for o in rows if o.value is not None]
    values += [v for v in (now.value, relapse.nadir_edss) if isinstance(v, float | int)]
    return Fact("edss_worst", max(values), now.sources)


def edss_rise(sheet: Sheet) -> Fact:
    """How far the present EDSS lies above the one before the attack."""
    now, before = sheet.ask("edss_now"), sheet.ask("edss_baseline")
    if now.value is None or before.value is None:
        return sheet.unknown("edss_rise")
    return Fact("edss_rise", float(now.value) - float(before.value), now.sources + before.sources)  # type: ignore[arg-type] # both are numbers


def recorded_severity(sheet: Sheet) -> Fact:
    """The severity a clinician recorded with the attack."""
    relapse = sheet.relapse
    if relapse is None or not relapse.severity:
        return sheet.unknown("recorded_severity")
    return Fact("recorded_severity", relapse.severity, (relapse.source,))


def _worst_acuity(sheet: Sheet, name: str) -> Fact:
    onset = sheet.relapse.onset if sheet.relapse is not None else None
    rows = sheet.since("visual_acuity", onset.first_day if onset is not None else date.min)
    eyes = {o.site: o for o in rows if o.value is not None}
    worst = min(eyes.values(), key=lambda o: o.value or 0.0, default=None)
    if worst is None:
        return sheet.unknown(name)
    return Fact(name, worst.value, (worst.source,), worst.when.age_days(sheet.on), worst.site)


def visual_acuity(sheet: Sheet) -> Fact:
    """Decimal acuity of the worse eye since onset."""
    return _worst_acuity(sheet, "visual_acuity")


def attack_acuity(sheet: Sheet) -> Fact:
    """Decimal acuity of the worse eye, asked for because the attack is visual."""
    return _worst_acuity(sheet, "attack_acuity")


def visual_attack(sheet: Sheet) -> Fact:
    """Whether the attack sits in the optic nerve."""
    relapse, target = sheet.relapse, sheet.newest.get("target_deficit")
    if relapse is not None and relapse.kind == "optic_neuritis":
        return Fact("visual_attack", True, (relapse.source,))
    if target is not None and target.answer == "visual_loss":
        return Fact("visual_attack", True, (target.source,))
    return sheet.no("visual_attack")


def _rise(sheet: Sheet, name: str, kind: str) -> Fact:
    onset = sheet.relapse.onset if sheet.relapse is not None else None
    if onset is None:
        return sheet.unknown(name)
    now, before = sheet.newest.get(kind), sheet.before(kind, onset.first_day)
    if now is None or now.value is None or now.when.first_day < onset.first_day:
        return sheet.unknown(name)
    base = before.value if before is not None and before.value is not None else 0.0
    note = "" if before is not None else "no score before the attack; counted from 0"
    return Fact(name, now.value - base, (now.source,), now.when.age_days(sheet.on), note)


def pyramidal_rise(sheet: Sheet) -> Fact:
    """Rise of the pyramidal score with the attack."""
    return _rise(sheet, "pyramidal_rise", "fs_pyramidal")


def brainstem_rise(sheet: Sheet) -> Fact:
    """Rise of the brainstem score with the attack."""
    return _rise(sheet, "brainstem_rise", "fs_brainstem")


def cerebellar_rise(sheet: Sheet) -> Fact:
    """Rise of the cerebellar score with the attack."""
    return _rise(sheet, "cerebellar_rise", "fs_cerebellar")


def objective_attack(sheet: Sheet) -> Fact:
    """Whether a new objective sign or an enhancing lesion proves new inflammation."""
    sign, lesion = sheet.ask("new_objective_deficit"), sheet.ask("gd_enhancement")
    proof = next((f for f in (sign, lesion) if f.value is True), None)
    if proof is not None:
        return Fact("objective_attack", True, proof.sources, proof.age_days)
    if sign.value is None:
        return sheet.unknown("objective_attack")
    return Fact("objective_attack", False, sign.sources, sign.age_days)


def nmosd_hallmark(sheet: Sheet) -> Fact:
    """A feature that points to NMOSD or MOGAD: long nerve or cord lesion, area postrema, both eyes, complete cord."""
    pattern = sheet.ask("mri_lesion_pattern")
    if pattern.value in _HALLMARKS:
        return Fact("nmosd_hallmark", pattern.value, pattern.sources, pattern.age_days)
    for name in ("bilateral_optic_neuritis", "complete_myelopathy"):
        fact = sheet.ask(name)
        if fact.value is True:
            return Fact("nmosd_hallmark", name, fact.sources, fact.age_days)
    return sheet.no("nmosd_hallmark")


def _serology(sheet: Sheet, name: str) -> Fact:
    positive = next((o for o in sheet.findings.get(name, ()) if o.answer == "positive"), None)
    if positive is not None:
        return Fact(name, "positive", (positive.source,), positive.when.age_days(sheet.on))
    row = sheet.newest.get(name)
    if row is None:
        return sheet.unknown(name)
    age = row.when.age_days(sheet.on)
    if age > sheet.limits["look_back.serology_d"]:
        return Fact(name, None, (row.source,), age, "older than the look-back")
    return Fact(name, row.answer, (row.source,), age)


def aqp4_igg(sheet: Sheet) -> Fact:
    """AQP4-IgG: once positive stays positive; an old negative counts as not known."""
    return _serology(sheet, "aqp4_igg")


def mog_igg(sheet: Sheet) -> Fact:
    """MOG-IgG: once positive stays positive; an old negative counts as not known."""
    return _serology(sheet, "mog_igg")


def drug_stopped(sheet: Sheet) -> Fact:
    """A drug whose stop is followed by rebound, where it was stopped within the window."""
    window = sheet.limits["look_back.rebound_d"]
    for kind in _REBOUND:
        for drug in sheet.drugs.get(kind, ()):
            last = last_taken(drug, sheet.on)
            if drug.end is not None and last is not None and 0 < (sheet.on - last).days <= window:
                return Fact("drug_stopped", kind, (drug.source,), (sheet.on - last).days)
    return sheet.no("drug_stopped")


def exchanges_done(sheet: Sheet) -> Fact:
    """How many exchanges or adsorptions this attack has had."""
    onset = sheet.relapse.onset if sheet.relapse is not None else None
    first = onset.first_day if onset is not None else sheet.on
    done = [
        p.source
        for p in sheet.patient.procedures
        if p.kind in ("plasma_exchange", "immunoadsorption")
        and p.status == "completed"
        and first <= p.when.first_day <= sheet.on
    ]
    return Fact("exchanges_done", len(done), tuple(done))


def attack_shortly_before(sheet: Sheet) -> Fact:
    """Days from the onset of an earlier attack to this one, where they are too few to count as two attacks."""
    onset = sheet.onset
    if onset is None:
        return sheet.no("attack_shortly_before")
    for row in sheet.patient.conditions:
        if row.kind in _ATTACKS and row.onset is not None:
            apart = (onset - row.onset.first_day).days
            if 0 < apart < sheet.limits["clock.separate_d"]:
                return Fact("attack_shortly_before", apart, (row.source,))
    return sheet.no("attack_shortly_before")
