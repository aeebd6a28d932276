"""What could be argued with: guidelines side by side, definitions of steroid failure, what would change the advice."""

from __future__ import annotations

from itertools import groupby

from opentpe.domain.consultation import Consultation
from opentpe.domain.decision import Change, Position
from opentpe.report.desk import Desk
from opentpe.report.view import Column, Said, Table


def guidelines(consultation: Consultation, desk: Desk) -> Table | None:
    """Each guideline edition with its position for this patient, the chosen one first; None where none was read."""
    positions = consultation.decision.positions
    if not positions:
        return None
    chosen = consultation.decision.guideline
    columns = tuple(
        Column(desk.say(f"column.{head}"), numeric=False) for head in ("guideline", "position", "level", "statement")
    )
    ranked = sorted(positions, key=lambda p: p.guideline != chosen)
    return Table(desk.say("caption.guidelines"), columns, tuple(_position(p, desk) for p in ranked))


def _position(row: Position, desk: Desk) -> tuple[str, ...]:
    document = desk.library.documents.get(f"guidelines/{row.guideline}/statements", {})
    texts = [s.get("paraphrase", "") for s in document.get("statement", ()) if s.get("key") == row.statement]
    cites = "".join(f" [{n}]" for n in desk.cites(row.sources))
    return (
        desk.sentences.value(row.guideline) + cites,
        desk.sentences.value(row.position),
        row.level or "–",
        " ".join(texts) or "–",
    )


def definitions(consultation: Consultation, desk: Desk) -> Table | None:
    """The advice under each published definition of steroid failure; None where that was not asked."""
    rows = consultation.decision.by_definition
    if not rows:
        return None
    columns = tuple(Column(desk.say(f"column.{head}"), numeric=False) for head in ("definition", "met", "advice"))
    written = tuple(
        (
            desk.word("definition", row.definition) + "".join(f" [{n}]" for n in desk.cites(row.sources)),
            desk.say("word.unknown") if row.refractory is None else desk.sentences.value(row.refractory),
            desk.word("advice_name", row.advice),
        )
        for row in rows
    )
    return Table(desk.say("caption.definitions"), columns, written)


def depends(consultation: Consultation, desk: Desk) -> str:
    """Whether another published definition of steroid failure leads to another advice, in one sentence."""
    decision = consultation.decision
    if not decision.by_definition:
        return ""
    same = sum(row.advice is decision.advice for row in decision.by_definition)
    code = "argument.depends" if decision.depends_on_definition else "argument.independent"
    return desk.say(code, same=same, count=len(decision.by_definition))


def changes(consultation: Consultation, desk: Desk) -> tuple[Said, ...]:
    """The smallest changes of facts that lead to another advice, one line for each advice."""
    found = sorted(consultation.decision.changes, key=lambda c: c.advice.value)
    return tuple(
        Said("; ".join(_change(c, desk) for c in group), desk.title("advice_name", advice))
        for advice, group in groupby(found, key=lambda c: c.advice)
    )


def _change(change: Change, desk: Desk) -> str:
    return desk.say("argument.and").join(
        desk.say(
            "argument.change",
            fact=desk.word("fact", fact.name),
            value=desk.sentences.value(desk.named(fact.value)),
            now=desk.sentences.value(desk.named(was.value)),
        )
        for was, fact in zip(change.was, change.would_be, strict=True)
    )
