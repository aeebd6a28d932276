"""Cards for an EHR: the advice in one sentence under 140 characters, why, what is missing, and a draft order to accept.

Every sentence comes from `report/sentences`; here they are only put in their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from opentpe import __version__
from opentpe.domain.decision import Advice, Decision
from opentpe.errors import InputError
from opentpe.report import sentences
from opentpe.report.sentences import Sentences
from opentpe.web.cds_prefetch import Call

SUMMARY_CHARACTERS: Final = 139
CODES: Final = "urn:opentpe:codes"
OVERRIDES: Final = "urn:opentpe:override-reasons"
OVERRIDE_CODES: Final = (
    "declined",
    "contraindication",
    "improving",
    "not_available",
    "another_diagnosis",
    "other_plan",
)
_WARNING: Final = (Advice.CANNOT_DECIDE, Advice.SPECIALIST_REVIEW, Advice.TREAT_TRIGGER_FIRST, Advice.RECOMMENDED)
QUIET: Final = (Advice.NO_ATTACK_ON_RECORD, Advice.NOT_A_RELAPSE, Advice.NOT_INDICATED)
Card = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Desk:
    """What cards are made with: who made the decision on what evidence, and where the application is."""

    say: Sentences
    base_url: str
    digest: str
    unseen: tuple[str, ...] = ()


def indicator(advice: Advice) -> str:
    """How loud a card is: critical only where time is being lost."""
    if advice is Advice.URGENT:
        return "critical"
    return "warning" if advice in _WARNING else "info"


def advice_card(call: Call, decision: Decision, desk: Desk, order: Card | None) -> Card:
    """The card of a decision; with a draft order to accept where an exchange is advised."""
    card = _card(call, desk, decision.advice.value, _advice(decision, desk.say), indicator(decision.advice))
    card["detail"] = _detail(decision, desk)
    card["overrideReasons"] = _override_reasons(desk.say)
    if order is not None:
        label = desk.say.say("cds.suggestion.order")
        action = {"type": "create", "description": label, "resource": order}
        suggestion = {"label": label, "uuid": _uuid(call, "order"), "isRecommended": True, "actions": [action]}
        card["suggestions"] = [suggestion]
        card["selectionBehavior"] = "at-most-one"
    return card


def ordered_card(call: Call, decision: Decision, desk: Desk, order_ids: tuple[str, ...]) -> Card:
    """The card for an exchange that is being ordered: it agrees, or says what speaks against it."""
    agrees = decision.advice.exchange
    code = "agrees" if agrees else "against"
    summary = desk.say.say(f"cds.ordered.{code}", {"advice": _advice(decision, desk.say)})
    card = _card(call, desk, f"ordered {decision.advice.value}", summary, "info" if agrees else "warning")
    card["detail"] = _detail(decision, desk)
    if not agrees:
        card["overrideReasons"] = _override_reasons(desk.say)
        label = desk.say.say("cds.suggestion.remove")
        actions = [{"type": "delete", "description": label, "resourceId": i} for i in order_ids]
        if actions:
            card["suggestions"] = [{"label": label, "uuid": _uuid(call, "remove"), "actions": actions}]
            card["selectionBehavior"] = "any"
    return card


def unusable_card(call: Call, desk: Desk, error: InputError) -> Card:
    """The card for a record that cannot be used: where, what was found, what to do."""
    card = _card(call, desk, "unusable", desk.say.say("cds.unusable"), "warning")
    card["detail"] = "\n\n".join((str(error), desk.say.say("cds.notice")))
    return card


def _card(call: Call, desk: Desk, what: str, summary: str, how: str) -> Card:
    link = {"label": desk.say.say("cds.link"), "url": f"{desk.base_url}/smart/launch", "type": "smart"}
    return {
        "uuid": _uuid(call, what),
        "summary": short(summary),
        "indicator": how,
        "source": {
            "label": f"OpenTPE {__version__}, evidence {desk.digest[:8]}",
            "url": f"{desk.base_url}/evidence",
            "topic": {"system": CODES, "code": "plasma-exchange", "display": desk.say.say("cds.topic")},
        },
        "links": [link],
    }


def _override_reasons(say: Sentences) -> list[dict[str, str]]:
    return [
        {"system": OVERRIDES, "code": code.replace("_", "-"), "display": say.say(f"cds.override.{code}")}
        for code in OVERRIDE_CODES
    ]


def _advice(decision: Decision, say: Sentences) -> str:
    """The advice in one sentence, with the day it starts where there is one."""
    codes: tuple[str, ...] = (f"advice.{decision.advice.value}.plain",)
    if decision.start_on is not None:
        codes = (f"advice.{decision.advice.value}.dated", *codes)
    return say.first(codes, {"start_on": decision.start_on})


def _detail(decision: Decision, desk: Desk) -> str:
    say = desk.say
    parts = [say.say(f"strength.{decision.advice.value}")]
    parts += [f"- {_reason(say, reason)}" for reason in decision.reasons[:6]]
    if decision.missing:
        parts.append(f"**{say.say('cds.missing')}**")
        parts += [f"- {say.word('fact', m.fact)}" for m in decision.missing[:8]]
    if decision.alerts:
        parts.append(f"**{say.say('cds.alerts')}**")
        parts += [f"- {say.first((f'alert.{a.code}', a.code), _values(a.facts))}" for a in decision.alerts[:8]]
    dates = {"reassess": decision.reassess_on, "first_by": decision.first_exchange_by, "holds": decision.holds_until}
    parts += [say.say(f"cds.{name}", {"on": day}) for name, day in dates.items() if day is not None]
    if desk.unseen:
        parts.append(say.say("cds.unseen", {"keys": ", ".join(desk.unseen)}))
    parts.append(say.say("cds.notice"))
    return "\n\n".join(_blocks(parts))


def _reason(say: Sentences, reason: Any) -> str:
    text = say.first((f"reason.{reason.code}", reason.code), _values(reason.facts))
    return f"{text} ({reason.level})" if reason.level else text


def _blocks(parts: list[str]) -> list[str]:
    """Paragraphs, with the lines of a list kept together."""
    blocks: list[str] = []
    for part in parts:
        if part.startswith("- ") and blocks and blocks[-1].startswith("- "):
            blocks[-1] += f"\n{part}"
        else:
            blocks.append(part)
    return blocks


def _values(facts: tuple[Any, ...]) -> Mapping[str, Any]:
    return {fact.name: fact.value for fact in facts}


def short(text: str) -> str:
    """The text where it is short enough for a card's summary, else cut at a word.

    >>> len(short("word " * 40)) < 140
    True
    """
    if len(text) <= SUMMARY_CHARACTERS:
        return text
    return text[: SUMMARY_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"


def _uuid(call: Call, what: str) -> str:
    """The same call and content give the same identifier, so that feedback can be matched without keeping the call."""
    return str(uuid5(NAMESPACE_URL, f"urn:opentpe:card:{call.hook_instance}:{what}"))


def desk(language: str, base_url: str, digest: str, unseen: tuple[str, ...]) -> Desk:
    """The desk in a language."""
    return Desk(sentences.load(language), base_url, digest, unseen)
