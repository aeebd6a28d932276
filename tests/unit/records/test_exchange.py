"""Everything goes out as CSV and as FHIR and comes back the same."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opentpe.errors import ConflictError, InputError
from opentpe.evidence.load import Library
from opentpe.records import exchange_csv, exchange_fhir, kinds
from opentpe.records.run_sheet import End, Given, Issued, RunSheet
from opentpe.records.store import Store

AT = datetime(2026, 2, 20, 9, 0, tzinfo=UTC)
SHEET = RunSheet(
    issued=(Issued(product="albumin 5 %", lot="L1", volume_ml=500),),
    end=End(plasma_removed_ml=2510, replaced=(Given(fluid="albumin_5", volume_ml=2500),), signed_by=("nurse",)),
)
OF_ADA = (
    kinds.Condition(kind="ms_relapsing", onset_on="2019-05-01"),
    kinds.Allergy(kind="latex", text="rash"),
    kinds.Relapse(onset_on="2026-02-02", kind="ms_relapse", site="left", text="=HYPERLINK leg weak"),
    kinds.Course(words="5 x 1.0 PV every other day, albumin 5 %", first_on="2026-02-20", plan={"x": [1, 2]}),
    kinds.Order(
        course_id="c",
        session=1,
        lines=("replace 2500 mL",),
        basis=kinds.Basis(weight_kg=68, haematocrit_fraction=0.38, volume_ml=2500),
    ),
    kinds.Procedure(course_id="c", session=1, status="performed", started_at=AT, place="chair 1", sheet=SHEET),
    kinds.RunRow(procedure_id="p", read_at=AT, inlet_flow_ml_min=60, access_pressure_mmhg=-120, symptoms=("tingling",)),
    kinds.Lab(kind="fibrinogen", value=3.0, unit="g/L", taken_at=AT, text="'quoted"),
    kinds.Examination(kind="edss", value=4.0, unit="1", seen_on="2026-02-18"),
    kinds.Examination(kind="veins_left", answer="good", seen_on="2026-02-18"),
    kinds.Drug(kind="methylprednisolone", drug_group="glucocorticoid", start_on="2026-02-09", dose_mg=1000, route="iv"),
    kinds.Drug(kind="enalapril", drug_group="ace_inhibitor", certainty="stated", start_on="2024-01-01"),
    kinds.Drug(kind="natalizumab", drug_group="antibody", certainty="ordered"),
    kinds.Decision(decided_on="2026-02-18", advice="offer", document={"reasons": ["r"]}),
    kinds.Override(code="limit", reason="patient wish"),
    kinds.AdverseEvent(event="paraesthesia", happened_at=AT, medication_given=True, ctcae_grade=2),
    kinds.Paper(title="letter", content='two lines\nwith "quotes", commas'),
)


@pytest.fixture
def filled(store: Store, ada: str) -> Store:
    """A store with one record of every kind that is exchanged."""
    with store.writing("nurse", "test") as batch:
        for body in OF_ADA:
            batch.add(body, ada)
        batch.add(kinds.Setting(name="title", value="5"))
        batch.add(kinds.Setting(name="open_days", value=[0, 1, 2, 3, 4]))
    return store


@pytest.fixture
def empty(tmp_path: Path, clock: object) -> Store:
    made = Store(f"sqlite:///{tmp_path}/other.db", clock)
    made.prepare()
    return made


def everything(store: Store) -> dict[str, tuple]:
    """What each record in use says and whose it is."""
    return {
        kind.table: tuple((k.id, k.patient_id, k.body) for k in store.current(kind)) for kind in exchange_csv.EXCHANGED
    }


def test_csv_comes_back_the_same(filled: Store, empty: Store, tmp_path: Path) -> None:
    """Records of every kind survive the way through a folder of CSV files."""
    counts = exchange_csv.save(filled, tmp_path / "out", "admin")
    assert all(counts.values()), counts
    taken = exchange_csv.load(empty, tmp_path / "out", "admin", "move")
    assert taken.added_count == sum(counts.values())
    assert everything(empty) == everything(filled)
    assert exchange_csv.load(empty, tmp_path / "out", "admin", "again").same_count == taken.added_count


def test_fhir_comes_back_the_same(filled: Store, empty: Store, library: Library) -> None:
    """Records of every kind survive the way through a FHIR bundle."""
    data = exchange_fhir.bundle(filled, library, "admin")
    taken = exchange_fhir.take(empty, data, "admin", "move")
    assert taken.added_count == len(data["entry"])
    assert everything(empty) == everything(filled)


def test_the_bundle_is_valid_fhir(filled: Store, library: Library) -> None:
    """A strict R4 reader accepts every resource."""
    from fhir.resources.R4B.bundle import Bundle

    data = exchange_fhir.bundle(filled, library, "admin")
    read = Bundle.model_validate(data)
    assert {e.resource.get_resource_type() for e in read.entry} >= {"Patient", "Observation", "Procedure", "CarePlan"}


def test_one_patient_can_be_exported_alone(filled: Store, library: Library, ada: str) -> None:
    """The bundle of one patient holds nothing of another, and no settings."""
    other = filled.add(kinds.Patient(identifier="MRN-2"), "nurse")
    filled.add(kinds.Allergy(kind="plasma"), "nurse", "", other.id)
    data = exchange_fhir.bundle(filled, library, "dr", ada)
    assert len(data["entry"]) == 1 + len(OF_ADA)
    assert other.id not in str(data)


def test_a_spreadsheet_does_not_run_what_a_patient_wrote(filled: Store, tmp_path: Path) -> None:
    """Text that begins like a formula is marked as text."""
    exchange_csv.save(filled, tmp_path, "admin")
    with (tmp_path / "relapses.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["text"].startswith("'=")


def test_labs_from_a_spreadsheet_need_only_the_hospital_number(filled: Store, ada: str, tmp_path: Path) -> None:
    """A file written by hand, without identifiers of ours, is taken in."""
    (tmp_path / "labs.csv").write_text(
        "patient,kind,value,unit,taken_at\nMRN-1,igg,9.5,g/L,2026-02-18T08:00:00Z\nMRN-1,igg,1.6,g/L,2026-03-03T08:00:00Z\n"
    )
    assert exchange_csv.load(filled, tmp_path, "nurse", "laboratory list").added_count == 2
    values = [k.body.value for k in filled.current(kinds.Lab, ada, {"kind": "igg"})]
    assert sorted(values) == [1.6, 9.5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient,kind,value,unit,taken_at\nMRN-1,igg,many,g/L,2026-02-18T08:00:00Z\n", "line 2"),
        ("patient,kind,value,unit,taken_at\nMRN-9,igg,9,g/L,2026-02-18T08:00:00Z\n", "no such patient"),
        ("patient,kind,worth\nMRN-1,igg,9\n", "worth"),
        ("patient,kind,value,unit,taken_at\nMRN-1,igg,9,g/L,yesterday\n", "taken_at"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_taken(filled: Store, tmp_path: Path, text: str, told: str) -> None:
    """The message names file, line and field; the good lines are not half imported."""
    good = "patient,kind,value,unit,taken_at\nMRN-1,igg,9.5,g/L,2026-02-18T08:00:00Z\n"
    (tmp_path / "labs.csv").write_text(text)
    (tmp_path / "allergies.csv").write_text("patient,kind\nMRN-1,plasma\n")
    before = everything(filled)
    with pytest.raises(Exception, match=told):
        exchange_csv.load(filled, tmp_path, "nurse", "")
    assert everything(filled) == before
    assert good


def test_an_export_that_is_out_of_date_does_not_undo_a_later_change(filled: Store, ada: str, library: Library) -> None:
    """A record changed here after it was exported meets its import as a conflict."""
    data = exchange_fhir.bundle(filled, library, "admin")
    filled.change(ada, kinds.Patient(identifier="MRN-1", name="newer"), 1, "nurse")
    with pytest.raises(ConflictError):
        exchange_fhir.take(filled, data, "admin", "old export")
    assert filled.get(kinds.Patient, ada).body.name == "newer"


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"entry": {}}, {"entry": [1, None, {"resource": 3}, {"resource": {"extension": [{"url": 1}, 5]}}]}],
)
def test_a_foreign_bundle_is_refused_with_a_remedy(store: Store, data: object) -> None:
    """Nothing of ours in it: said so, not imported as an empty success."""
    with pytest.raises(InputError):
        exchange_fhir.take(store, data, "admin", "")


def test_accounts_do_not_come_in_with_records(store: Store) -> None:
    """An imported file cannot make an administrator."""
    said = {"kind": "accounts", "patient": "", "body": {"name": "eve", "role": "admin"}}
    import json

    extension = [{"url": exchange_fhir.RECORD, "valueString": json.dumps(said)}]
    resource = {"resourceType": "Basic", "id": "x", "meta": {"versionId": "1"}, "extension": extension}
    with pytest.raises(InputError, match="Accounts are not"):
        exchange_fhir.take(store, {"entry": [{"resource": resource}]}, "admin", "")
