"""From a gathered record to cards: read, decide, say. The same decision that `opentpe decide` gives."""

from __future__ import annotations

from typing import Any

from opentpe.domain.decision import Decision
from opentpe.errors import InputError
from opentpe.fhir import codebook, read
from opentpe.fhir.read import Reading
from opentpe.pathway import engine, order
from opentpe.records import exchange_shapes
from opentpe.web import cds_cards
from opentpe.web.cds_cards import Card, Desk
from opentpe.web.cds_prefetch import Call, Gathered
from opentpe.web.clinic import Clinic
from opentpe.web.fhir_client import resources_of


def cards(here: Clinic, call: Call, gathered: Gathered) -> list[Card]:
    """The cards for a hook; none where there is nothing to say."""
    desk = cds_cards.desk(here.settings.language, here.settings.base_url, here.library.digest, gathered.unseen)
    ordered = _ordered(here, call) if call.hook != "patient-view" else {}
    if call.hook != "patient-view" and not ordered:
        return []
    try:
        reading = read.read(gathered.bundle, here.today(), here.library, sound=gathered.sound)
    except InputError as error:
        return [cds_cards.unusable_card(call, desk, error)]
    decision = engine.decide(
        reading.patient, reading.relapse, here.today(), here.pathway, here.unit, here.settings.guideline
    )
    if "exchange" in ordered:
        return [cds_cards.ordered_card(call, decision, desk, ordered["exchange"])]
    if decision.advice in cds_cards.QUIET or (ordered and not decision.advice.exchange):
        return []
    draft = _draft(here, call, reading, decision, desk) if decision.advice.exchange else None
    return [cds_cards.advice_card(call, decision, desk, draft)]


def _ordered(here: Clinic, call: Call) -> dict[str, tuple[str, ...]]:
    """Drafts that concern us: exchanges, and steroids, by their identifiers."""
    book = codebook.of(here.library)
    selected = call.context.get("selections")
    chosen = {str(s) for s in selected} if isinstance(selected, list) and call.hook == "order-select" else None
    found: dict[str, tuple[str, ...]] = {}
    for resource in resources_of(call.context.get("draftOrders")):
        name = f"{resource.get('resourceType')}/{resource.get('id')}"
        if chosen is not None and name not in chosen:
            continue
        what = ""
        if resource.get("resourceType") == "ServiceRequest":
            kind = book.concept("procedure", resource.get("code"))
            what = "exchange" if kind in ("plasma_exchange", "immunoadsorption") else ""
        elif resource.get("resourceType") == "MedicationRequest":
            kind = book.concept("medication", resource.get("medicationCodeableConcept"))
            what = "steroid" if book.row("medication", kind).get("group") == "glucocorticoid" else ""
        if what:
            found[what] = (*found.get(what, ()), name)
    return found


def _draft(here: Clinic, call: Call, reading: Reading, decision: Decision, desk: Desk) -> Card:
    """A ServiceRequest that the EHR may take over: always a draft, always a proposal."""
    written = order.build(reading.patient, decision, here.library, here.unit)
    notes = [] if written.needs else [written.words]
    concept = exchange_shapes.concept("plasma_exchange", exchange_shapes.public_codes(here.library))
    made: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "priority": "urgent" if decision.advice.value == "urgent" else "routine",
        "code": concept,
        "subject": {"reference": f"Patient/{call.patient_id}"},
        "authoredOn": here.today().isoformat(),
        "note": [{"text": text} for text in (*notes, desk.say.say("cds.order_note.draft"))],
    }
    if decision.start_on is not None:
        made["occurrenceDateTime"] = decision.start_on.isoformat()
    if reading.relapse is not None and reading.relapse.source.startswith("Condition/"):
        made["reasonReference"] = [{"reference": reading.relapse.source}]
    return made
