"""The patient's leaflet: two pages in plain words, with this course's days, risks and expected benefit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opentpe.domain.consultation import Benefit, Consultation, Risk
from opentpe.evidence.load import Library
from opentpe.report import build, render
from opentpe.report import words_of_numbers as words
from opentpe.report.desk import Desk
from opentpe.report.parts.choice import hundred
from opentpe.report.view import BenefitBar, Part

# In the order of the page; any other event of the table stays with the team. Catheter deaths come from long courses
# with plasma in other diseases and are not printed in a leaflet (practice 1.8).
EVENTS: Final = (
    "hypocalcaemia_symptoms",
    "hypocalcaemia_symptoms_asked",
    "hypotension",
    "nausea_or_vomiting",
    "fever_or_chills",
    "mild_allergy",
    "access_failure",
    "session_interrupted",
    "venous_thrombosis",
    "bleeding",
    "infection",
    "anaphylaxis",
    "severe_event",
    "death",
    "catheter_major",
    "catheter_infection",
    "catheter_pneumothorax",
)
_OPTIONS: Final = ("watchful", "immunoadsorption", "second_pulse", "ivig")
_GROUPS: Final = ("none", "mild", "moderate", "marked")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its short paragraphs; `items` are told as a list, `rows` as name and frequency."""

    key: str
    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    bars: tuple[BenefitBar, ...] = ()
    after: tuple[str, ...] = ()

    def told(self) -> str:
        """The section as one paragraph."""
        rows = [f"{name}: {often}." for name, often in self.rows]
        bars = [f"{bar.arm}: {bar.summary}." for bar in self.bars]
        return " ".join((f"{self.title}:", *self.paragraphs, *self.items, *rows, *bars, *self.after))


@dataclass(frozen=True, slots=True)
class LeafletView:
    """The leaflet, ready to be laid out."""

    language: str
    title: str
    subtitle: str
    first_page: tuple[Section, ...]
    second_page: tuple[Section, ...]
    footer: str


def html(consultation: Consultation, library: Library, language: str = "en") -> str:
    """The leaflet of a consultation as a page of its own, in English, German or Spanish."""
    leaf = view(consultation, library, language)
    return render.page("leaflet.html.j2", view=leaf, language=leaf.language)


def told(consultation: Consultation, library: Library, language: str = "en") -> str:
    """The leaflet as plain text, one paragraph a section: for a message instead of a page."""
    leaf = view(consultation, library, language)
    return "\n\n".join(section.told() for section in (*leaf.first_page, *leaf.second_page))


def view(consultation: Consultation, library: Library, language: str = "en") -> LeafletView:
    """The leaflet as plain data."""
    pen = build.desk(consultation, library, language)
    made = consultation.versions
    on = words.long_date(consultation.on, pen.sentences.numbers)
    name = consultation.patient.name or consultation.patient.identifier or "–"
    first = (
        _why(consultation, pen),
        _what(consultation, pen),
        _day(consultation, pen),
        _section(pen, "feel", tuple(pen.say(f"leaflet.feel.{part}") for part in ("tingling", "dizzy", "tired"))),
        _pregnancy(consultation, pen),
        _help(consultation, pen),
    )
    second = (
        _risk(consultation, pen),
        _section(pen, "else", items=tuple(pen.say(f"leaflet.option.{o}") for o in _OPTIONS)),
        _section(pen, "tell", items=tuple(pen.say(f"leaflet.tell.{m}") for m in ("before", "during", "after"))),
        _section(pen, "unknown", (pen.say("leaflet.unknown"),)),
        _wishes(consultation, pen),
        _choice(consultation, pen),
    )
    return LeafletView(
        language=pen.sentences.language,
        title=pen.say("leaflet.title"),
        subtitle=pen.say("leaflet.for", name=name, on=on),
        first_page=tuple(s for s in first if s is not None),
        second_page=tuple(s for s in second if s is not None),
        footer=pen.say("leaflet.footer", version=made.opentpe if made else "–", on=on),
    )


def _section(
    pen: Desk, key: str, paragraphs: tuple[str, ...] = (), items: tuple[str, ...] = (), after: tuple[str, ...] = ()
) -> Section:
    return Section(key, pen.say(f"leaflet.head.{key}"), paragraphs, items, after=after)


def pregnant(consultation: Consultation) -> bool:
    """True where the record says that the patient is pregnant."""
    found = consultation.patient.latest("pregnancy", consultation.on)
    return (found is not None and found.answer == "pregnant") or consultation.patient.has("pregnancy") is not None


def _why(consultation: Consultation, pen: Desk) -> Section:
    kind = consultation.relapse.kind if consultation.relapse else "ms_relapse"
    known = pen.sentences.has(f"leaflet.why.{kind}")
    advised = consultation.decision.advice.exchange
    lines = [pen.say(f"leaflet.why.{kind if known else 'attack'}")]
    if consultation.relapse and consultation.relapse.steroids:
        lines.append(pen.say("leaflet.steroids"))
    lines.append(pen.say("leaflet.advised" if advised else "leaflet.not_advised"))
    return _section(pen, "why", (" ".join(lines),))


def _what(consultation: Consultation, pen: Desk) -> Section:
    order = consultation.order
    lines = [pen.say("leaflet.what.albumin")]
    if _donor_plasma(consultation):
        lines.append(pen.say("leaflet.what.plasma_fluid"))
    if order and order.volume_ml:
        lines.append(pen.say("leaflet.what.volume", litres=order.volume_ml / 1000))
    about = " ".join(pen.say(f"leaflet.what.{part}") for part in ("plasma", "machine"))
    return _section(pen, "what", (about, " ".join(lines)))


def _donor_plasma(consultation: Consultation) -> bool:
    order = consultation.order
    return order is not None and any(part.fluid == "plasma" for part in order.course.prescription.fluids)


def _day(consultation: Consultation, pen: Desk) -> Section:
    order, forecast = consultation.order, consultation.forecast
    lines = [pen.say(f"leaflet.day.{_way_in(consultation)}")]
    usual = {end: pen.library.value(f"quoted.session_{end}_h") for end in ("low", "high")}
    if forecast and forecast.sessions:
        half_hours = round(forecast.sessions[0].chair_min / 30)
        lines.append(pen.say("leaflet.day.time", hours=half_hours / 2, **usual))
    else:
        lines.append(pen.say("leaflet.day.time_open", **usual))
    if order and order.dates:
        days = ", ".join(words.day(on, pen.sentences.numbers) for on in order.dates)
        lines.append(pen.say("leaflet.day.days", count=len(order.dates), days=days))
    return _section(pen, "day", tuple(lines))


def _way_in(consultation: Consultation) -> str:
    prescription = consultation.order.course.prescription if consultation.order else None
    access = (prescription.access or "") if prescription else ""
    if "central" in access:
        return "catheter"
    return "one_needle" if "single" in access or (prescription and prescription.single_needle) else "needles"


def _pregnancy(consultation: Consultation, pen: Desk) -> Section | None:
    if not pregnant(consultation):
        return None
    parts = ("can", "lie", "clotting", "baby")
    return _section(pen, "pregnancy", (" ".join(pen.say(f"leaflet.pregnancy.{part}") for part in parts),))


def _help(consultation: Consultation, pen: Desk) -> Section:
    told = consultation.benefit if consultation.decision.advice.exchange else ()
    rows = {(b.horizon, b.arm): b for b in told}
    now = [rows[k] for k in (("discharge", "exchange"), ("discharge", "no_exchange")) if k in rows]
    later = [rows[k] for k in (("six_months", "exchange"), ("six_months", "no_exchange")) if k in rows]
    felt = pen.library.value("limits.follow_up.assess_early_session")
    tail = [pen.say("leaflet.help.when", session=felt)]
    if consultation.relapse is None or consultation.relapse.kind == "ms_relapse":
        tail.append(pen.say("leaflet.help.not_cure"))
    title = pen.say("leaflet.head.help")
    if not now:
        return Section("help", title, (pen.say("leaflet.help.none"),), after=(" ".join(tail),))
    after = []
    if len(later) == 2:
        often = [pen.often(b.moderate_or_better, 100) for b in later]
        after.append(pen.say("leaflet.help.six_months", with_exchange=often[0], without_exchange=often[1]))
    after += [pen.say("leaflet.help.unsure"), " ".join(tail)]
    bars = tuple(_bar(b, pen) for b in now)
    return Section("help", title, (pen.say("leaflet.help.intro"),), bars=bars, after=tuple(after))


def _bar(row: Benefit, pen: Desk) -> BenefitBar:
    counts = hundred((row.none, row.mild, row.moderate, row.marked))
    parts = tuple(Part(k, pen.say(f"leaflet.response.{k}"), n) for k, n in zip(_GROUPS, counts, strict=True))
    share = row.moderate_or_better
    summary = pen.say("leaflet.summary", often=pen.often(share, 100))
    arm = pen.say(f"leaflet.arm.{row.arm}")
    return BenefitBar("", arm, parts, summary, 100 * share.p05, 100 * share.median, 100 * share.p95)


def _risk(consultation: Consultation, pen: Desk) -> Section | None:
    risks = consultation.forecast.risks if consultation.forecast else ()
    rows = tuple((pen.say(f"leaflet.event.{r.event}"), _often(r, pen)) for r in _listed(risks, consultation))
    if not rows:
        return None
    title = pen.say("leaflet.head.risk")
    after = (pen.say("leaflet.risk.origin"), pen.say("leaflet.risk.blood"))
    return Section("risk", title, (pen.say("leaflet.risk.intro"),), rows=rows, after=after)


def _listed(risks: tuple[Risk, ...], consultation: Consultation) -> list[Risk]:
    """The events of the page that this order can bring; those of a choice not made are left out."""
    here = {"": True, "central_catheter": _way_in(consultation) == "catheter", "plasma": _donor_plasma(consultation)}
    chosen = [r for r in risks if r.event in EVENTS and (r.per_course or r.per_session) and here.get(r.condition)]
    return sorted(chosen, key=lambda r: EVENTS.index(r.event))


def _often(risk: Risk, pen: Desk) -> str:
    share = risk.per_course or risk.per_session
    assert share
    return pen.often(share)


def _wishes(consultation: Consultation, pen: Desk) -> Section | None:
    """What the patient said they prefer, and what it did to the plan."""
    lines = consultation.order.lines if consultation.order else ()
    said = [line for line in lines if line.code.startswith("preference_")]
    items = tuple(pen.say(f"leaflet.wish.{x.code.removeprefix('preference_')}", **dict(x.values)) for x in said)
    return _section(pen, "wish", items=items) if items else None


def _choice(consultation: Consultation, pen: Desk) -> Section:
    decision = consultation.decision
    lines = [pen.say("leaflet.choice.free")]
    if decision.advice.exchange and decision.first_exchange_by:
        by = words.long_date(decision.first_exchange_by, pen.sentences.numbers)
        lines.append(pen.say("leaflet.choice.deadline", on=by))
    lines.append(pen.say("leaflet.choice.matters"))
    return _section(pen, "choice", (" ".join(lines),))
