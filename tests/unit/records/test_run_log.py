"""A run sheet or a log of a separator comes back as a run sheet of the records, or says what is wrong with it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from opentpe.errors import InputError
from opentpe.records import kinds, run_log
from opentpe.simulation import runsheet
from support import device

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SHEET = "time_min,plasma_removed_ml,access_pressure_mm_hg,notes\n0,0,-20,\n60,1500,-60,tingling\n118,3010.5,-60,\n"


def taken(text):
    """What is read of a CSV text."""
    return run_log.taken("sheet.csv", text.encode(), BEGAN)


@pytest.fixture(scope="module")
def done(library):
    return device.run(library, "at 20 min pause 2 min")


def test_a_hand_written_sheet_needs_a_time_and_the_plasma_removed():
    """Three rows, the last one ends the run."""
    found = taken(SHEET)
    assert [row.plasma_removed_ml for row in found.rows] == [0, 1500, 3010.5]
    assert found.sheet.end.run_min == 118
    assert found.sheet.end.ended_at == BEGAN + timedelta(minutes=118)
    assert found.status == "performed"


def test_semicolons_and_decimal_commas_are_read():
    """As a spreadsheet of the continent writes them."""
    assert taken("time_min;plasma_removed_ml\n0;0\n90;2750,5\n").sheet.end.plasma_removed_ml == 2750.5


@pytest.mark.parametrize("form", ["json", "csv", "parquet", "log"])
def test_what_the_separator_wrote_comes_back(done, library, tmp_path, form):
    """Volumes and minutes of the end are those of the run, whatever the file."""
    file = tmp_path / f"run.{form if form != 'log' else 'csv'}"
    if form == "json":
        file.write_text(json.dumps(runsheet.document(done, library)))
    elif form == "csv":
        file.write_text(runsheet.rows_csv(runsheet.sheet(done, library)))
    else:
        runsheet.write_log(done.log, file)
    found = run_log.read(file, BEGAN)
    end, said = found.sheet.end, done.summary
    assert end.plasma_removed_ml == pytest.approx(said.plasma_counted_ml, abs=0.01)
    assert (end.bag_ml, end.ac_used_ml) == pytest.approx((said.bag_ml, said.ac_used_ml), abs=0.01)
    assert end.run_min == pytest.approx(said.run_min, abs=0.02)
    assert end.rinseback_given
    assert 20 < len(found.rows) < 80


def test_rows_are_kept_beside_their_procedure(done, library):
    """Moments on the clock, pressures, vital signs; each row can be kept."""
    found = taken(runsheet.rows_csv(runsheet.sheet(done, library)))
    row = found.rows_of("p1")[4]
    assert isinstance(row, kinds.RunRow)
    assert row.procedure_id == "p1"
    assert BEGAN < row.read_at < BEGAN + timedelta(hours=3)
    assert row.access_pressure_mmhg < 0 < row.vitals.systolic_mmhg


def test_a_document_says_plan_products_and_why_it_stopped(library):
    """Target, ratio, separator; each fluid with its volume; a stop makes the session partial."""
    made = device.run(library, "at 40 min stop run")
    found = run_log.taken("run.json", json.dumps(runsheet.document(made, library)).encode(), BEGAN)
    assert found.sheet.planned.plasma_target_ml == pytest.approx(2991)
    assert found.sheet.planned.inlet_ac_ratio == 10
    assert found.sheet.machine.model == "centrifuge_continuous"
    assert [g.fluid for g in found.sheet.end.replaced] == ["albumin_5"]
    assert "stop run" in found.sheet.end.stopped_early_because
    assert found.status == "partial"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rows"),
        ("time_min,plasma_removed_ml\n", "no rows"),
        ("minutes,plasma\n1,2\n", "a column time_min or time_s"),
        ("time_min,bag_ml\n1,2\n", "no plasma removed"),
        ("time_min,plasma_removed_ml\n1,much\n", "row 1, plasma_removed_ml: found 'much'"),
        ("time_min,plasma_removed_ml\n5,1\n4,2\n", "before the row above"),
        ("time_min,plasma_removed_ml\n5,-1\n", "greater than or equal to 0"),
        ("time_min,plasma_removed_ml\n5,inf\n", "expected a number"),
        ("time_min,plasma_removed_ml\n5,1,2,3\n", "more cells than columns"),
        ('{"schema": "opentpe.course/1"}', "a document of kind opentpe.run"),
        ('{"schema": "opentpe.run/1", "sheet": {"rows": [1]}}', "no rows"),
        ("{nonsense", "not JSON"),
        ("PAR1 and no more", "Parquet"),
    ],
)
def test_what_cannot_be_used_is_named(text, said):
    """File, row, column, and what was expected."""
    with pytest.raises(InputError, match=said):
        taken(text)
