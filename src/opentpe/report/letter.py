"""Papers to print from one consultation: referral letter, note for the payer, consent aid, session checklist, order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from opentpe.domain.consultation import Consultation
from opentpe.evidence.load import Library
from opentpe.report import build, papers_of_care, papers_of_record, render, sentences
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.paper import Block

_Writer = Callable[[Consultation, Desk], tuple[Block, ...]]
_WRITERS: Final[dict[str, _Writer]] = {
    "referral": papers_of_record.referral,
    "payer": papers_of_record.payer,
    "consent": papers_of_care.consent,
    "checklist": papers_of_care.checklist,
    "order": papers_of_care.order,
}
KINDS: Final = tuple(_WRITERS)
_SIGNED_BY: Final = {
    "referral": ("clinician", "date"),
    "payer": ("clinician", "date"),
    "consent": ("patient", "clinician", "date"),
    "checklist": ("nurse", "clinician", "date"),
    "order": ("clinician", "date", "time"),
}


@dataclass(frozen=True, slots=True)
class Paper:
    """One printed page: who it is about, its blocks, who signs, and what it is not."""

    language: str
    title: str
    patient: str
    on: str
    blocks: tuple[Block, ...]
    signatures: tuple[str, ...]
    notice: str
    footer: str


def html(consultation: Consultation, library: Library, language: str = "en", kind: str = "referral") -> str:
    """A paper as a page of its own; `kind` is one of `KINDS`. Raises `KeyError` for another kind."""
    paper = view(consultation, library, language, kind)
    return render.page("paper.html.j2", view=paper, language=paper.language)


def told(consultation: Consultation, library: Library, language: str = "en", kind: str = "referral") -> str:
    """A paper as plain text, one paragraph a block."""
    paper = view(consultation, library, language, kind)
    return "\n\n".join(text for block in paper.blocks if (text := block.told()))


def view(consultation: Consultation, library: Library, language: str = "en", kind: str = "referral") -> Paper:
    """A paper as plain data."""
    pen = build.desk(consultation, library, sentences.spoken("papers", language))
    return Paper(
        language=pen.sentences.language,
        title=pen.say(f"paper.{kind}"),
        patient=build.who(consultation, pen),
        on=words.long_date(consultation.on, pen.sentences.numbers),
        blocks=tuple(block for block in _WRITERS[kind](consultation, pen) if not block.empty),
        signatures=tuple(pen.say(f"paper_sign.{who}") for who in _SIGNED_BY[kind]),
        notice=pen.say("report.notice"),
        footer=build.footer(consultation, pen),
    )
