"""The leaflet: two pages, plain words in three languages, this patient's days, and nothing that must not be printed."""

from dataclasses import replace

import pytest
from readability_formulas import fernandez_huerta_ease, flesch_kincaid_grade, syllables, wiener_sachtextformel

from opentpe.domain.consultation import Benefit, Line, Risk
from opentpe.domain.patient import Condition
from opentpe.report import leaflet, sentences


def told(view) -> str:
    """Everything that a reader reads in sentences."""
    parts = []
    for section in (*view.first_page, *view.second_page):
        parts += [section.title, *section.paragraphs, *section.items, *section.after]
    return "\n".join(p if p.endswith((".", "?")) else p + "." for p in parts)


@pytest.fixture(scope="module")
def pages(consultation, library):
    return {language: leaflet.view(consultation, library, language) for language in sentences.LANGUAGES}


def test_english_is_read_at_the_age_of_twelve(pages):
    """Flesch-Kincaid: school year 7 at most."""
    assert flesch_kincaid_grade(told(pages["en"])) <= 6.0


def test_german_is_read_at_the_age_of_twelve(pages):
    """First Vienna formula: school year 7 at most."""
    assert wiener_sachtextformel(told(pages["de"])) <= 7.0


def test_spanish_is_read_at_the_age_of_twelve(pages):
    """Fernandez-Huerta: 70 or easier."""
    assert fernandez_huerta_ease(told(pages["es"])) >= 70


def test_the_formula_tells_a_consent_form_from_a_leaflet():
    """A test that could not fail would prove nothing."""
    hard = "Therapeutic plasmapheresis necessitates extracorporeal anticoagulation with trisodium citrate preparations."
    assert flesch_kincaid_grade(hard) > 12


@pytest.mark.parametrize(
    ("word", "language", "count"),
    [("people", "en", 2), ("exchange", "en", 2), ("Eiweiße", "de", 3), ("leer", "es", 2), ("recambio", "es", 3)],
)
def test_syllables_are_counted(word, language, count):
    """Good enough to rank a text."""
    assert syllables(word, language) == count


def test_it_names_the_days_and_the_hours_of_this_course(pages):
    """Five days, about two and a half hours each."""
    text = told(pages["en"])
    assert "5 sessions planned: Fri 20 Feb, Mon 23 Feb, Wed 25 Feb, Fri 27 Feb, Mon 2 Mar" in text
    assert "about 2.5 hours" in text


def test_it_says_where_the_numbers_come_from_and_that_they_are_not_yours(pages):
    """Registries record fewer mild complaints than asking does."""
    text = told(pages["en"])
    assert "They are not your own numbers." in text
    assert "miss mild complaints" in text


def test_a_catheter_death_rate_is_never_printed(consultation, library):
    """It comes from long courses with plasma in other diseases."""
    band = consultation.forecast.risks[0].per_course
    risks = (*consultation.forecast.risks, Risk("catheter_death", None, band, condition=""))
    page = leaflet.html(replace(consultation, forecast=replace(consultation.forecast, risks=risks)), library)
    assert "catheter" not in page.lower()


def test_harms_of_a_choice_not_made_are_left_out(pages):
    """Two needles and albumin: neither neck tube nor the rash that plasma brings."""
    names = [name for s in pages["en"].second_page for name, _ in s.rows]
    assert "Itchy rash" not in names
    assert "Air beside the lung when the tube is placed" not in names


def test_pregnancy_has_its_own_box(consultation, library):
    """Left side, heart of the baby, clotting, doctors of the baby."""
    condition = Condition("pregnancy", "77386006", "Pregnant", active=True, source="Condition/p")
    pregnant = replace(consultation, patient=replace(consultation.patient, conditions=(condition,)))
    text = told(leaflet.view(pregnant, library))
    assert "left side" in text
    assert "heart of your baby" in text
    assert "left side" not in told(leaflet.view(consultation, library))


def test_without_benefit_numbers_it_says_so(consultation, library):
    """While another disease is open, no MS number is shown."""
    text = told(leaflet.view(replace(consultation, benefit=()), library))
    assert "no sound numbers" in text
    assert "of 100 people are much" not in text


def test_benefit_is_told_with_and_without_exchange_on_one_denominator(pages, consultation):
    """Two bars of 100 people each, and the range of what is hoped for."""
    section = next(s for s in pages["en"].first_page if s.bars)
    assert [sum(p.count for p in bar.parts) for bar in section.bars] == [100, 100]
    assert isinstance(consultation.benefit[0], Benefit)
    assert section.bars[0].summary == "Clearly or much better: 68 of 100 (47 to 83)"


def test_the_page_needs_nothing_else(consultation, library):
    """A file that can be mailed or printed at a bedside."""
    page = leaflet.html(consultation, library, "de")
    assert '<html lang="de">' in page
    assert "http" not in page
    assert "18. Februar 2026" in page


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_a_wish_and_what_it_did_stand_in_the_leaflet(consultation, library, language):
    """What the patient asked for is told back, with what the plan made of it, in every language."""
    wish = Line("preference_no_donor_plasma"), Line("preference_free", (("text", "Montag"),))
    told_us = replace(consultation, order=replace(consultation.order, lines=(*consultation.order.lines, *wish)))
    section = next(s for s in leaflet.view(told_us, library, language).second_page if s.key == "wish")
    assert len(section.items) == 2
    assert "Montag" in section.items[1]
    assert not [s for s in leaflet.view(consultation, library, language).second_page if s.key == "wish"]
