"""The run sheet has the fields of the book, a row every five minutes and at every event; the log names its units."""

import csv
import io

import pytest

from opentpe.simulation import runsheet
from support import device


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
        "ionised_calcium_mmol_l", "notes",
    } <= set(made.rows[0])  # fmt: skip
    names = {f.name for f in made.end}
    assert {"target_percent", "rinseback", "net_to_patient_ml", "counts_as_session", "signatures"} <= names


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
