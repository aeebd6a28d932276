"""The whole flow on one screen: bundle in, consultation out. Every interface calls these three functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentpe import __version__
from opentpe.domain.consultation import Consultation, Line, Versions
from opentpe.domain.decision import Advice
from opentpe.domain.subject import Subject, check, subject_of
from opentpe.evidence.load import Library, load
from opentpe.fhir import read
from opentpe.pathway import engine, options, order
from opentpe.pathway.unit import settings

if TYPE_CHECKING:
    from opentpe.domain.consultation import Forecast
    from opentpe.domain.decision import Decision
    from opentpe.domain.therapy import Course

BENEFIT_DRAWS = 4000  # cheap: no kernel run
DRAWS = 240  # parameter draws behind the bands of a report
SEED = 20_260_101
# Advice without an exchange under which there is, or may be, an attack whose options are weighed.
_COMPARED = (
    Advice.CANNOT_DECIDE,
    Advice.TREAT_TRIGGER_FIRST,
    Advice.NOT_INDICATED,
    Advice.STEROIDS_FIRST,
    Advice.WAIT_REASSESS,
)


def decide(
    source: Path | str | Mapping[str, Any],
    on: date,
    *,
    library: Library | None = None,
    unit: Mapping[str, Any] | None = None,
    guideline: str = "asfa-2023",
    refractory: str = "opentpe",
) -> Consultation:
    """The pathway's advice for a FHIR bundle on a day, without order and forecast; needs no NumPy.

    `refractory` names the definition of steroid failure (`pathway/refractory.toml`). Raises `InputError` where the
    bundle cannot be used.
    """
    library = library or load()
    reading = read.read(source, on, library)
    decision = engine.explain(
        reading.patient,
        reading.relapse,
        on,
        library,
        unit=unit or settings(library),
        guideline=guideline,
        refractory_definition=refractory,
    )
    return Consultation(
        on=on,
        patient=reading.patient,
        relapse=reading.relapse,
        decision=decision,
        issues=reading.issues,
        versions=Versions(__version__, library.digest, library.overlaid),
    )


def consult(
    source: Path | str | Mapping[str, Any],
    on: date,
    *,
    library: Library | None = None,
    unit: Mapping[str, Any] | None = None,
    guideline: str = "asfa-2023",
    refractory: str = "opentpe",
    seed: int = SEED,
    draws: int = DRAWS,
) -> Consultation:
    """Decision, order, forecast, risks, benefit and options for a FHIR bundle on a day.

    An order and a forecast follow only where an exchange is advised; what they need and do not find, they name. Without
    one the options stand side by side all the same, and the benefit where an exchange may still follow.
    """
    library = library or load()
    unit = unit or settings(library)
    consultation = decide(source, on, library=library, unit=unit, guideline=guideline, refractory=refractory)
    if not consultation.decision.advice.exchange:
        return _compared(consultation, library, seed)
    written = order.build(consultation.patient, consultation.decision, library, unit)
    subject = subject_of(consultation.patient, on)
    if subject is not None and not written.needs and order.simulated(unit):
        from opentpe.simulation import drugs  # noqa: PLC0415 - NumPy loads only here

        doses = drugs.doses_of(consultation.patient, written.dates[0], library)
        written = replace(written, course=replace(written.course, drug_doses=doses))
        forecast = simulate(
            subject, written.course, library=library, unit=unit, seed=seed, draws=draws, decision=consultation.decision
        )
        written = order.with_separator(written, forecast.sessions[0])
        assumed = drugs.assumed(written.course.drug_doses, consultation.patient)
        consultation = replace(consultation, forecast=forecast, versions=forecast.versions, assumed=assumed)
    return _appraised(replace(consultation, order=written), library, seed)


def _compared(consultation: Consultation, library: Library, seed: int) -> Consultation:
    """A consultation without an order: the options of an attack, and the benefit or why no number is given."""
    decision = consultation.decision
    if decision.advice in _COMPARED:
        consultation = replace(consultation, options=options.options(library, decision.facts))
    if decision.advice is Advice.WAIT_REASSESS:
        held = _with_benefit(consultation, int(library.value("order.sessions_count")), library, seed)
        start = (("start_on", decision.reassess_on),)
        return replace(held, benefit_lines=(Line("benefit.if_exchange_follows", start), *held.benefit_lines))
    none = Line("benefit.none_without_exchange", (), ("opentpe_practice",))
    return replace(consultation, benefit_lines=(none,))


def _appraised(consultation: Consultation, library: Library, seed: int) -> Consultation:
    """The consultation with options, expected benefit, the harms' notes, and every source it cites."""
    from opentpe.simulation import appraise, harm  # noqa: PLC0415 - NumPy loads only here

    assert consultation.order
    decision, course = consultation.decision, consultation.order.course
    facts = appraise.harm_facts(course.prescription, course.count, consultation.order.volume_ml, library, decision)
    appraised = _with_benefit(consultation, course.count, library, seed)
    return replace(
        appraised,
        options=options.options(library, decision.facts),
        harm_lines=harm.harm_lines(facts, library),
    )


def _with_benefit(consultation: Consultation, sessions: int, library: Library, seed: int) -> Consultation:
    """The consultation with the benefit expected of a course of so many sessions."""
    from opentpe.simulation import appraise, benefit  # noqa: PLC0415 - NumPy loads only here

    decision, relapse = consultation.decision, consultation.relapse
    onset = relapse.onset.first_day if relapse and relapse.onset else None
    expected = benefit.expected_benefit(
        appraise.benefit_facts(decision, onset, sessions, library),
        library,
        seed,
        BENEFIT_DRAWS,
        nmosd_open=appraise.nmosd_open(decision),
    )
    return replace(consultation, benefit=expected.benefit, benefit_lines=expected.lines)


def to_fhir(consultation: Consultation, library: Library | None = None, language: str = "en") -> dict[str, Any]:
    """The consultation as a FHIR R4 collection: drafts and proposals, with leaflet and letter as messages not sent."""
    from opentpe.fhir import write  # noqa: PLC0415 - only where something leaves
    from opentpe.report import build, leaflet, letter  # noqa: PLC0415 - only where something leaves

    library = library or load()
    pen = build.desk(consultation, library)
    known = pen.facts((), consultation.decision)

    def say(code: str, values: Mapping[str, Any]) -> str:
        return pen.sentences.say(code, known | {name: pen.named(value) for name, value in values.items()})

    messages = {}
    if consultation.relapse is not None:
        messages["leaflet"] = leaflet.told(consultation, library, language)
        messages["referral_letter"] = letter.told(consultation, library, language)
    return write.bundle(consultation, say, library, messages)


def pathway_as_fhir(library: Library | None = None) -> dict[str, Any]:
    """The pathway itself as a FHIR PlanDefinition: gates, rules, conditions in FHIRPath, sources."""
    from opentpe.fhir import plan_definition  # noqa: PLC0415 - only where something leaves
    from opentpe.report import sentences  # noqa: PLC0415 - as above

    return plan_definition.build(library or load(), sentences.load("en").say)


def simulate(
    subject: Subject,
    course: Course,
    *,
    library: Library | None = None,
    unit: Mapping[str, Any] | None = None,
    solutes: Sequence[str] = (),
    at: Sequence[str] = ("24h", "72h", "7d", "14d", "28d", "56d"),
    seed: int = SEED,
    draws: int = DRAWS,
    decision: Decision | None = None,
) -> Forecast:
    """What a course does to a subject: volumes, solutes before and after each session, and over eight weeks after it.

    `at` counts from the end of the last session; a decision lends its facts to the risk table. Raises `InputError` for
    a size or an order no adult can have.
    """
    from opentpe.simulation import course as simulated  # noqa: PLC0415 - NumPy and Numba load only here

    library = library or load()
    return simulated.forecast(
        check(subject),
        course,
        library,
        unit or settings(library),
        solutes=solutes,
        at=at,
        seed=seed,
        draws=draws,
        decision=decision,
    )
