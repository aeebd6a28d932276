"""What the evidence names, the report can say: a name without words fails here and not at the bedside."""

import pytest

from opentpe.report import leaflet, sentences

ENGLISH = sentences.load("en")
# Told by other words in the leaflet, or kept for the team (practice 1.8 for the catheter's deaths).
NOT_IN_LEAFLET = {
    "any_event", "hypotension_severe", "dyspnoea", "arrhythmia", "haemorrhage", "catheter_death",
}  # fmt: skip


def unspoken(kind, names):
    return sorted(name for name in names if not ENGLISH.has(f"{kind}.{name}"))


def test_every_solute_and_drug_has_a_name(library):
    """A curve is never titled by a file name."""
    assert unspoken("solute", library.folder("solutes")) == []


def test_every_fluid_has_a_name(library):
    """What hangs on the pole is written as the ward writes it."""
    assert unspoken("fluid", library.folder("fluids")) == []


def test_every_harm_has_a_name_and_its_place_in_the_leaflet(library):
    """A new event is told to the patient, or kept back on purpose."""
    events = set(library.table("equations/harm.event"))
    assert unspoken("risk", events) == []
    assert events - NOT_IN_LEAFLET <= set(leaflet.EVENTS)
    assert [e for e in leaflet.EVENTS if not ENGLISH.has(f"leaflet.event.{e}")] == []


@pytest.mark.parametrize("file", ["studies/benefit_lines", "studies/harm_lines"])
def test_every_line_beside_benefit_and_harm_has_a_sentence_with_its_values(file, library):
    """A count without its sentence, or a blank without its count, is found here."""
    for line in library.document(file)["line"]:
        assert ENGLISH.has(line["code"]), line["code"]
        assert sentences.placeholders(ENGLISH.texts[line["code"]]) <= set(line["values"]), line["code"]


def test_every_limit_drawn_in_a_figure_has_a_label(library):
    """A dashed line says what it is, and its value stands in the library."""
    for quantity, lines in library.document("limits_shown").items():
        for name, entry in lines.items():
            assert ENGLISH.has(f"limit.{quantity}.{name}")
            assert library.value(entry["same_as"]) if "same_as" in entry else entry["value"]


def test_every_check_of_a_session_has_its_limit_and_its_words(library):
    """Stop and call point at values of the library."""
    for row in library.document("go_no_go")["row"]:
        assert ENGLISH.has(row["do"])
        assert ENGLISH.has(f"finding.{row['quantity']}")
        assert all(library.value(row[grade]) > 0 for grade in ("stop", "call") if grade in row)


def test_every_quantity_of_a_session_has_a_name():
    """What the body model computes minute by minute can be titled."""
    chair = pytest.importorskip("opentpe.kernel.chair")
    solutes = {"albumin"}
    assert [q for q in chair.QUANTITIES if q not in solutes and not ENGLISH.has(f"quantity.{q}")] == []
