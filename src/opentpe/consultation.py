"""The whole flow on one screen: bundle in, consultation out. Every interface calls these three functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentpe import __version__
from opentpe.domain.consultation import Consultation, Versions
from opentpe.domain.subject import Subject, check, subject_of
from opentpe.evidence.load import Library, load
from opentpe.fhir import read
from opentpe.pathway import engine, order
from opentpe.pathway.unit import settings

if TYPE_CHECKING:
    from opentpe.domain.consultation import Forecast
    from opentpe.domain.therapy import Course

DRAWS = 400  # parameter draws behind the bands of a report
SEED = 20_260_101


def decide(
    source: Path | Mapping[str, Any],
    on: date,
    *,
    library: Library | None = None,
    unit: Mapping[str, Any] | None = None,
    guideline: str = "asfa-2023",
) -> Consultation:
    """The pathway's advice for a FHIR bundle on a day, without order and forecast; needs no NumPy.

    Raises `InputError` where the bundle cannot be used.
    """
    library = library or load()
    reading = read.read(source, on, library)
    decision = engine.decide(
        reading.patient, reading.relapse, on, library, unit=unit or settings(library), guideline=guideline
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
    source: Path | Mapping[str, Any],
    on: date,
    *,
    library: Library | None = None,
    unit: Mapping[str, Any] | None = None,
    guideline: str = "asfa-2023",
    seed: int = SEED,
    draws: int = DRAWS,
) -> Consultation:
    """Decision, order, forecast, risks, benefit and options for a FHIR bundle on a day.

    An order and a forecast follow only where an exchange is advised; what they need and do not find, they name.
    """
    library = library or load()
    unit = unit or settings(library)
    consultation = decide(source, on, library=library, unit=unit, guideline=guideline)
    if not consultation.decision.advice.exchange:
        return consultation
    written = order.build(consultation.patient, consultation.decision, library, unit)
    subject = subject_of(consultation.patient, on)
    if subject is None or written.needs:
        return replace(consultation, order=written)
    forecast = simulate(subject, written.course, library=library, unit=unit, seed=seed, draws=draws)
    written = order.with_separator(written, forecast.sessions[0])
    return replace(consultation, order=written, forecast=forecast, versions=forecast.versions)


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
) -> Forecast:
    """What a course does to a subject: volumes, solutes before and after each session, and over eight weeks after it.

    `at` counts from the end of the last session. Raises `InputError` for a size or an order no adult can have.
    """
    from opentpe.simulation import course as simulated  # noqa: PLC0415 - NumPy and Numba load only here

    library = library or load()
    return simulated.forecast(
        check(subject), course, library, unit or settings(library), solutes=solutes, at=at, seed=seed, draws=draws
    )
