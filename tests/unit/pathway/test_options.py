"""The options side by side, and what a patient's facts add."""

import pytest

from opentpe.domain.decision import Fact
from opentpe.pathway.options import CELLS, option_notes, options

KEYS = (
    "exchange",
    "immunoadsorption",
    "second_pulse",
    "oral_steroid",
    "ivig",
    "acth",
    "cyclophosphamide",
    "fcrn_blocker",
    "dmt",
    "watchful",
)


def facts_of(answers):
    return [Fact(name, value) for name, value in answers.items()]


def table(library, **answers):
    return {row.key: dict(row.cells) for row in options(library, facts_of(answers))}


def notes(library, **answers):
    return option_notes(library, facts_of(answers))


def test_ten_options_stand_side_by_side(library):
    """Exchange first, waiting last; every cell is filled for every option."""
    rows = options(library)
    assert tuple(r.key for r in rows) == KEYS
    for row in rows:
        assert all(dict(row.cells)[cell] for cell in CELLS), row.key


def test_every_cited_source_exists_and_only_case_reports_have_none(library):
    """Each row names its sources."""
    for row in options(library):
        assert set(row.sources) <= set(library.citations)
        assert row.sources or row.key == "cyclophosphamide"


def test_effects_name_their_size_and_design(library):
    """A rate never stands without its number of patients."""
    for key in ("exchange", "immunoadsorption", "second_pulse", "ivig", "watchful"):
        assert "n = " in table(library)[key]["effect"] or " of " in table(library)[key]["effect"]


def test_without_facts_nothing_is_added(library):
    """No note and no option ruled out for a patient of whom nothing is known."""
    for cells in table(library).values():
        assert cells["here"] == ""


@pytest.mark.parametrize(
    ("fact", "value", "key", "code"),
    [
        ("plasma_intolerance", "iga_deficiency", "ivig", "option.note.ivig_iga_deficiency"),
        ("plasma_intolerance", "iga_low", "exchange", "option.note.exchange_without_plasma"),
        ("plasma_intolerance", "plasma", "ivig", "option.note.ivig_plasma_allergy"),
        ("ace_inhibitor", "enalapril", "exchange", "option.note.ace_inhibitor_hold"),
        ("ace_inhibitor", "enalapril", "immunoadsorption", "option.note.ace_inhibitor_firm"),
        ("pregnant", True, "immunoadsorption", "option.note.adsorption_in_pregnancy"),
        ("diabetes", True, "second_pulse", "option.note.steroids_diabetes"),
        ("response_to_steroids", "worse", "second_pulse", "option.note.worse_on_steroids"),
        ("steroid_status", "adequate", "oral_steroid", "option.note.steroids_done"),
        ("thrombosis", True, "ivig", "option.note.ivig_thrombosis"),
        ("drug_stopped", "fingolimod", "dmt", "option.note.rebound"),
        ("poor_veins", True, "exchange", "option.note.central_access"),
    ],
)
def test_a_fact_adds_its_note(library, fact, value, key, code):
    """What matters for this patient stands beside the option."""
    line = next(n for n in notes(library, **{fact: value}) if n.code == code)
    assert line.value("option") == key
    assert str(line.value("text")) in table(library, **{fact: value})[key]["here"]


@pytest.mark.parametrize(
    ("fact", "value", "excluded"),
    [
        ("steroids_contraindicated", "liver_injury", {"second_pulse", "oral_steroid", "acth"}),
        ("pregnant", True, {"cyclophosphamide"}),
        ("diabetes", True, set()),
    ],
)
def test_an_option_ruled_out_stays_in_the_table(library, fact, value, excluded):
    """It is marked, not removed: the patient may ask about it."""
    assert {n.value("option") for n in notes(library, **{fact: value}) if n.value("excludes")} == excluded
    assert tuple(table(library, **{fact: value})) == KEYS


@pytest.mark.parametrize("value", [False, None])
def test_a_no_and_an_unknown_add_nothing(library, value):
    """Neither a denied nor a missing fact brings a note."""
    assert all(cells["here"] == "" for cells in table(library, pregnant=value, ace_inhibitor=value).values())
