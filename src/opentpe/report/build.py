"""From a `Consultation` to the report as plain data, in one language."""

from __future__ import annotations

from opentpe.domain.consultation import Consultation
from opentpe.evidence.load import Library
from opentpe.report import sentences
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk, source_numbers
from opentpe.report.parts import banner, choice, forecast, harm, knowledge, order
from opentpe.report.view import ReportView


def desk(consultation: Consultation, library: Library, language: str = "en") -> Desk:
    """What every document of a consultation is written with."""
    return Desk(sentences.load(language), source_numbers(consultation), library)


def view(consultation: Consultation, library: Library, language: str = "en") -> ReportView:
    """The report of a consultation: every sentence resolved, every number written, every source numbered."""
    pen = desk(consultation, library, sentences.spoken("report", language))
    return ReportView(
        language=pen.sentences.language,
        title=pen.say("report.title"),
        patient=who(consultation, pen),
        details=details(consultation, pen),
        on=words.long_date(consultation.on, pen.sentences.numbers),
        notice=pen.say("report.notice"),
        banner=banner.build(consultation, pen),
        order=order.build(consultation, pen),
        forecast=forecast.build(consultation, pen),
        harms=harm.groups(consultation, pen),
        harm_note=pen.say("harm.note"),
        harm_unrated=harm.unrated(consultation, pen),
        harm_more=tuple(pen.line(line) for line in consultation.harm_lines),
        checks=harm.checks(consultation, pen),
        options=choice.options(consultation, pen),
        benefit=choice.benefit(consultation, pen),
        knowledge=knowledge.build(consultation, pen),
        headings=_headings(pen),
        footer=footer(consultation, pen),
    )


def _headings(pen: Desk) -> tuple[tuple[str, str], ...]:
    """Every fixed word of the layout: the codes below `heading`."""
    codes = [code for code in pen.sentences.texts if code.startswith("heading.")]
    return tuple((code.removeprefix("heading."), pen.say(code)) for code in codes)


def who(consultation: Consultation, pen: Desk) -> str:
    """The patient in one line: name, sex and age, identifier."""
    patient = consultation.patient
    age = patient.age_years(consultation.on)
    parts = [patient.name or pen.say("report.unnamed")]
    if patient.sex:
        parts.append(pen.say(f"sex.{patient.sex}"))
    if age is not None:
        parts.append(pen.say("report.age", years=age))
    if patient.identifier and patient.identifier != patient.name:
        parts.append(patient.identifier)
    return ", ".join(parts)


def details(consultation: Consultation, pen: Desk) -> str:
    """The attack in one line: day of onset, day of the attack, EDSS before and at worst."""
    relapse = consultation.relapse
    if relapse is None:
        return ""
    parts = [pen.word("relapse", relapse.kind)]
    if relapse.onset:
        onset = words.day(relapse.onset.first_day, pen.sentences.numbers)
        parts.append(pen.say("report.onset", onset=onset, day=relapse.day(consultation.on)))
    if relapse.baseline_edss is not None and relapse.nadir_edss is not None:
        parts.append(pen.say("report.edss", before=f"{relapse.baseline_edss:.1f}", worst=f"{relapse.nadir_edss:.1f}"))
    parts += _size(consultation, pen)
    return sentences.opening("; ".join(parts))


def _size(consultation: Consultation, pen: Desk) -> list[str]:
    shown = []
    for kind in ("weight", "height", "haematocrit"):
        found = consultation.patient.latest(kind, consultation.on)
        if found and found.value is not None:
            decimals = 2 if found.unit == "1" else 0
            value = pen.amount(found.value, found.unit, decimals)
            shown.append(pen.say(f"report.{kind}", value=value))
    return shown


def footer(consultation: Consultation, pen: Desk) -> str:
    """The last line of every document: version, library, day."""
    made = consultation.versions or (consultation.forecast.versions if consultation.forecast else None)
    version = made.opentpe if made else "–"
    library = (made.library if made else pen.library.digest)[:12]
    on = words.long_date(consultation.on, pen.sentences.numbers)
    return pen.say("report.footer", version=version, library=library, on=on)
