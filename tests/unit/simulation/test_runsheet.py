"""The run sheet has the fields of the book, a row every five minutes and at every event; the log names its units."""

import csv
import io
from dataclasses import replace

import pytest

from opentpe.domain.therapy import FluidPart
from opentpe.simulation import events, procedure, runsheet
from support import device

# Fields of the run-sheet list of the device book, by the names they have here.
ASKED_BEFORE = {
    "identifier_1", "identifier_2", "date_of_birth", "sex", "height_cm", "weight_kg", "diagnosis_and_asfa_category",
    "indication", "ordering_physician", "apheresis_physician", "consent", "session_in_series", "date", "location",
    "haematocrit_fraction", "platelets_10_9_l", "haemoglobin_g_l", "inr_ratio", "fibrinogen_g_l",
    "ionised_calcium_mmol_l", "calcium_mmol_l", "magnesium_mmol_l", "potassium_mmol_l", "allergies",
    "ace_inhibitor_last_dose", "medicines", "systolic_pressure_mm_hg", "assessment", "blood_volume_ml",
    "plasma_volume_ml", "target_ml", "replacement", "balance_fraction", "anticoagulant", "inlet_ac",
    "ac_infusion_limit_ml_min_l", "access", "gauge", "side", "blood_warmer", "premedication", "calcium",
    "separator", "model_and_serial", "software", "set_lot_and_expiry", "anticoagulant_lot_and_expiry",
    "saline_lot_and_expiry", "last_maintenance", "self_test", "primed_by", "connected_by", "albumin_5_ml",
    "oxygen_saturation_fraction",
}  # fmt: skip
ASKED_AT_THE_END = {
    "plasma_removed_ml", "target_percent", "time_start", "time_end", "run_min", "plasma_volumes",
    "blood_volumes_processed", "ac_used_ml", "ac_to_patient_ml", "replaced_by_product", "saline_ml", "rinseback",
    "rinseback_ml", "net_to_patient_ml", "platelets_10_9_l", "haematocrit_fraction", "adverse_events",
    "adverse_event_grade", "actions", "stopped_early_because", "calcium_given", "disposition", "next_visit",
    "counts_as_session", "signatures",
}  # fmt: skip


@pytest.fixture(scope="module")
def done(library):
    return device.run(library, "at 22 min patient reports tingling -> slow inlet 20 %", "at 41 min pause 2 min")


@pytest.fixture(scope="module")
def made(done, library):
    return runsheet.sheet(done, library)


def test_there_is_a_row_every_five_minutes_and_at_every_event(done, made):
    """Times of the grid and of the journal."""
    times = {row["time_min"] for row in made.rows}
    assert {5.0 * k for k in range(1, int(done.summary.run_min / 5))} <= times
    assert {22.0, 41.0, 43.0} <= times


def test_a_row_says_what_happened(made):
    """Words of the event, of the operator and of the alarm."""
    notes = {row["time_min"]: row["notes"] for row in made.rows}
    assert "tingling" in notes[22.0]
    assert "operator: slow inlet" in notes[22.0]
    assert "pause" in notes[41.0]


def test_the_sheet_carries_the_fields_of_the_book(made):
    """Flows, speed, pressures, interface, ratio, volumes, balance, vital signs, calcium, notes."""
    assert {
        "inlet_flow_ml_min", "ac_flow_ml_min", "plasma_flow_ml_min", "replacement_flow_ml_min", "return_flow_ml_min",
        "speed_rpm", "access_pressure_mm_hg", "return_pressure_mm_hg", "interface", "inlet_ac_ratio",
        "ac_rate_ml_min_l", "inlet_total_ml", "blood_processed_ml", "ac_used_ml", "plasma_removed_ml", "replaced_ml",
        "saline_ml", "balance_ml", "systolic_mm_hg", "diastolic_mm_hg", "heart_rate_per_min", "temperature_cel",
        "ionised_calcium_mmol_l", "symptoms", "alarm", "alarm_priority", "alarm_acknowledged", "notes",
    } <= set(made.rows[0])  # fmt: skip
    assert {f.name for f in made.header} >= ASKED_BEFORE
    assert {f.name for f in made.end} >= ASKED_AT_THE_END


def test_the_end_names_products_calcium_and_why_a_run_was_stopped(library):
    """Two fluids in sequence with their volumes; the words that ended the run."""
    half = (FluidPart("albumin_5", 0.6), FluidPart("saline", 0.4))
    what = device.exchange()
    what = replace(what, prescription=replace(what.prescription, fluids=half))
    lines = ("at 60 min calcium gluconate 1 g over 10 min", "at 90 min stop run")
    made = runsheet.sheet(procedure.run(what, library, seed=1, happenings=events.parse_all(lines)), library)
    end = {f.name: f.value for f in made.end}
    assert end["replaced_by_product"].startswith("albumin_5 1794, saline ")
    assert end["stopped_early_because"] == "at 90 min stop run"
    assert end["next_step"] == "counts"
    assert float(end["calcium_given"].split()[2]) > 1


def test_an_alarm_row_names_alarm_priority_and_that_it_was_answered(library):
    """Air in the return line is high, and purged."""
    made = runsheet.sheet(device.run(library, "at 20 min air in the return line"), library)
    row = next(r for r in made.rows if r["alarm"] == "air_in_return")
    assert (row["alarm_priority"], row["alarm_acknowledged"]) == ("high", "yes")


def test_what_the_ward_must_fill_in_stays_open(made):
    """Identity, lots, signatures."""
    assert {f.group for f in made.header if f.value is None} >= {"identity", "fluids issued", "not modelled"}
    assert "______" in runsheet.markdown(made)


def test_the_csv_reads_back_as_the_same_rows(made):
    """One line a row."""
    rows = list(csv.DictReader(io.StringIO(runsheet.rows_csv(made))))
    assert len(rows) == len(made.rows)
    assert float(rows[3]["bag_ml"]) == made.rows[3]["bag_ml"]


def test_every_column_of_the_log_ends_in_its_unit(done):
    """Units, or count, code, flag, ratio, fraction."""
    ends = ("_ml", "_ml_min", "_mm_hg", "_mmol_l", "_mmol_min", "_g_l", "_percent", "_fraction", "_ratio", "_s",
            "_rpm", "_cel", "_per_min", "_ms", "_count", "_code", "_flag", "_10_9_l", "_ml_min_l",
            "_ml_min_m2_mm_hg", "ph")  # fmt: skip
    assert [c for c in runsheet.log_table(done.log) if not c.endswith(ends)] == []


def test_the_log_is_one_row_a_second_and_goes_to_parquet(done, tmp_path):
    """Written and read with the extra."""
    pq = pytest.importorskip("pyarrow.parquet")
    runsheet.write_log(done.log, tmp_path / "log.parquet")
    table = pq.read_table(tmp_path / "log.parquet")
    seconds = table["time_s"].to_pylist()
    assert seconds == list(range(seconds[0], seconds[0] + len(seconds)))


def test_the_document_is_of_kind_run_and_holds_no_foreign_types(done, library):
    """Plain JSON."""
    from opentpe.domain.documents import text

    document = runsheet.document(done, library)
    assert document["schema"] == "opentpe.run/1"
    assert text(document)
