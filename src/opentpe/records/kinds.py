"""What is kept: one model per kind of record. `table` names its table, `columns` the fields that SQL can search."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, computed_field, model_validator

from opentpe.records.canonical import canonical
from opentpe.records.run_sheet import Amount, Count, Long, Part, RunSheet, Short, Signed, Vitals
from opentpe.records.times import FhirTime

Document = dict[str, Any]


class Body(Part):
    """What one version of a record says."""

    table: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ()
    unique: ClassVar[str] = ""  # the field that no two current records share
    of_patient: ClassVar[bool] = True

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        canonical(self.model_dump(mode="json"))
        return self

    @property
    def projected(self) -> dict[str, str | float | int | bool | None]:
        """The searchable columns, dates as ISO text."""
        said = self.model_dump(mode="json")
        return {name: said[name] for name in self.columns}


class Patient(Body):
    """Who it is about. `identifier` is the hospital's own number."""

    table: ClassVar[str] = "patients"
    columns: ClassVar[tuple[str, ...]] = ("identifier", "name", "sex", "birth")
    unique: ClassVar[str] = "identifier"
    of_patient: ClassVar[bool] = False
    identifier: Short
    name: Short = ""
    sex: Literal["female", "male", ""] = ""
    birth: FhirTime = ""
    language: Short = ""
    note: Long = ""


class Condition(Body):
    """A diagnosis; `kind` is a name of codes.toml."""

    table: ClassVar[str] = "conditions"
    columns: ClassVar[tuple[str, ...]] = ("kind", "active", "onset_on")
    kind: Short
    code: Short = ""
    text: Short = ""
    active: bool = True
    onset_on: FhirTime = ""
    abated_on: FhirTime = ""
    site: Short = ""
    severity: Literal["", "mild", "moderate", "severe"] = ""
    verified: bool = True


class Allergy(Body):
    """A recorded allergy or intolerance."""

    table: ClassVar[str] = "allergies"
    columns: ClassVar[tuple[str, ...]] = ("kind",)
    kind: Short
    text: Short = ""


class Relapse(Body):
    """One attack."""

    table: ClassVar[str] = "relapses"
    columns: ClassVar[tuple[str, ...]] = ("onset_on", "kind")
    onset_on: FhirTime = ""
    kind: Short = "ms_relapse"
    course: Literal["", "relapsing", "secondary_progressive", "primary_progressive", "cis"] = ""
    site: Short = ""
    severity: Literal["", "mild", "moderate", "severe"] = ""
    text: Long = ""
    target_deficit: Short = ""


class CourseStatus(StrEnum):
    """Where a course stands."""

    PLANNED = "planned"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"


class Course(Body):
    """The exchanges of one relapse in course words, with the plan's document."""

    table: ClassVar[str] = "courses"
    columns: ClassVar[tuple[str, ...]] = ("relapse_id", "words", "status", "first_on", "line_out_on")
    relapse_id: Short = ""
    words: Long
    status: CourseStatus = CourseStatus.PLANNED
    first_on: date | None = None
    line_out_on: date | None = None
    plan: Document = Field(default_factory=dict)
    stopped_because: Short = ""


class Basis(Part):
    """The values a signature rests on: a changed weight, haematocrit or volume voids it."""

    weight_kg: Amount
    haematocrit_fraction: Amount
    volume_ml: Amount


class Order(Body):
    """A signable order for one session, line by line."""

    table: ClassVar[str] = "orders"
    columns: ClassVar[tuple[str, ...]] = ("course_id", "session", "signed_by", "signed_at")
    course_id: Short
    session: Count
    lines: tuple[Long, ...] = ()
    basis: Basis
    signed_by: Short = ""
    signed_at: datetime | None = None

    def holds(self, now: Basis) -> bool:
        """True where the order is signed and still rests on the values of today."""
        return bool(self.signed_by) and self.basis == now


class Procedure(Body):
    """One session with its run sheet; or an exchange, adsorption or catheter of before, with a day and little else."""

    table: ClassVar[str] = "procedures"
    columns: ClassVar[tuple[str, ...]] = ("course_id", "session", "status", "started_at", "place")
    kind: Literal["plasma_exchange", "immunoadsorption", "catheter", "other"] = "plasma_exchange"
    course_id: Short = ""
    session: Count = 0
    status: Literal["planned", "running", "performed", "partial", "missed"] = "planned"
    started_at: FhirTime = ""
    place: Short = ""
    sheet: RunSheet = RunSheet()
    note: Long = ""


class RunRow(Body):
    """One row of the run log, written every 5 to 15 minutes."""

    table: ClassVar[str] = "run_rows"
    columns: ClassVar[tuple[str, ...]] = ("procedure_id", "read_at")
    procedure_id: Short
    read_at: datetime
    inlet_flow_ml_min: Amount | None = None
    ac_flow_ml_min: Amount | None = None
    plasma_flow_ml_min: Amount | None = None
    replacement_flow_ml_min: Amount | None = None
    return_flow_ml_min: Amount | None = None
    speed_rpm: Amount | None = None
    access_pressure_mmhg: Signed | None = None
    return_pressure_mmhg: Signed | None = None
    interface: Short = ""
    inlet_ac_ratio: Amount | None = None
    ac_infusion_ml_min_l: Amount | None = None
    inlet_ml: Amount | None = None
    blood_processed_ml: Amount | None = None
    ac_ml: Amount | None = None
    plasma_removed_ml: Amount | None = None
    replaced_ml: Amount | None = None
    saline_ml: Amount | None = None
    balance_ml: Signed | None = None
    vitals: Vitals = Vitals()
    symptoms: tuple[Short, ...] = ()
    ionised_calcium_mmol_l: Amount | None = None
    alarm: Short = ""
    alarm_priority: Literal["", "low", "medium", "high"] = ""
    alarm_acknowledged: bool | None = None


class Lab(Body):
    """A laboratory value in the unit it was reported in; `kind` is a name of codes.toml."""

    table: ClassVar[str] = "labs"
    columns: ClassVar[tuple[str, ...]] = ("course_id", "kind", "value", "unit", "answer", "taken_at")
    course_id: Short = ""
    kind: Short
    value: Signed | None = None
    unit: Short = ""
    answer: Short = ""
    taken_at: FhirTime = Field(min_length=4)
    below_detection: bool = False
    text: Long = ""


class Examination(Body):
    """A finding at the bedside: EDSS, functional system, veins, weight, the target deficit."""

    table: ClassVar[str] = "examinations"
    columns: ClassVar[tuple[str, ...]] = ("kind", "value", "unit", "answer", "seen_on")
    kind: Short
    value: Signed | None = None
    unit: Short = ""
    answer: Short = ""
    site: Literal["", "left", "right"] = ""
    seen_on: FhirTime = Field(min_length=4)
    examiner: Short = ""
    text: Long = ""


class Drug(Body):
    """A drug taken; one dose where `end_on` is empty and `doses_count` is 1."""

    table: ClassVar[str] = "drugs"
    columns: ClassVar[tuple[str, ...]] = ("kind", "drug_group", "start_on", "end_on", "dose_mg")
    kind: Short
    drug_group: Short = "other"
    name: Short = ""
    start_on: FhirTime = ""
    end_on: FhirTime = ""
    dose_mg: Amount | None = None
    route: Literal["", "iv", "oral", "sc", "im"] = ""
    doses_count: Count | None = None
    certainty: Literal["taken", "stated", "ordered"] = "taken"


class Decision(Body):
    """A decision as it was given, with the version of program and evidence that gave it."""

    table: ClassVar[str] = "decisions"
    columns: ClassVar[tuple[str, ...]] = ("relapse_id", "decided_on", "advice")
    relapse_id: Short = ""
    decided_on: date
    advice: Short
    program_version: Short = ""
    evidence_digest: Short = ""
    guideline: Short = ""
    document: Document = Field(default_factory=dict)


class Override(Body):
    """A physician decided otherwise: which decision or limit, what instead, and why."""

    table: ClassVar[str] = "overrides"
    columns: ClassVar[tuple[str, ...]] = ("decision_id", "code")
    decision_id: Short = ""
    code: Short
    instead: Short = ""
    reason: Long = Field(min_length=3)


class Grade(StrEnum):
    """Grades of the World Apheresis Association registry (moertzell2016, abstract), mildest first."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    DEATH = "death"


class AdverseEvent(Body):
    """Something that went wrong; the registry's grade follows from what was done about it."""

    table: ClassVar[str] = "adverse_events"
    columns: ClassVar[tuple[str, ...]] = ("procedure_id", "event", "grade", "happened_at")
    procedure_id: Short = ""
    event: Short
    happened_at: datetime
    medication_given: bool = False
    interrupted: bool = False
    death: bool = False
    ctcae_grade: Literal[1, 2, 3, 4, 5] | None = None
    action: Long = ""
    outcome: Long = ""

    @model_validator(mode="before")
    @classmethod
    def _grade_follows(cls, said: Any) -> Any:
        return {k: v for k, v in said.items() if k != "grade"} if isinstance(said, dict) else said

    @computed_field  # type: ignore[prop-decorator]
    @property
    def grade(self) -> Grade:
        """Moderate where medication was needed, severe where the run was interrupted, death due to the event."""
        if self.death:
            return Grade.DEATH
        if self.interrupted:
            return Grade.SEVERE
        return Grade.MODERATE if self.medication_given else Grade.MILD


class Paper(Body):
    """A document: a bundle that came in, a letter, a report, a device log. Text, or base64 for other media."""

    table: ClassVar[str] = "documents"
    columns: ClassVar[tuple[str, ...]] = ("title", "media_type", "sha256")
    title: Short
    media_type: Short = "text/plain"
    sha256: Short = ""
    content: str = Field(default="", max_length=16_000_000)


class Setting(Body):
    """One setting of the unit: modality, opening days, bottles, calcium protocol, thresholds."""

    table: ClassVar[str] = "settings"
    columns: ClassVar[tuple[str, ...]] = ("name",)
    unique: ClassVar[str] = "name"
    of_patient: ClassVar[bool] = False
    name: Short
    value: Any


class Role(StrEnum):
    """What an account may do."""

    PHYSICIAN = "physician"
    NURSE = "nurse"
    TRAINEE = "trainee"
    VIEWER = "viewer"
    ADMIN = "admin"


class Account(Body):
    """A person who may sign in. Secrets are kept elsewhere, hashed."""

    table: ClassVar[str] = "accounts"
    columns: ClassVar[tuple[str, ...]] = ("name", "role", "active", "subject")
    unique: ClassVar[str] = "name"
    of_patient: ClassVar[bool] = False
    name: Short = Field(min_length=1)
    full_name: Short = ""
    role: Role
    active: bool = True
    subject: Short = ""  # issuer and subject of an outside identity provider


class Feedback(Body):
    """What a clinician did with a card in the EHR."""

    table: ClassVar[str] = "feedback"
    columns: ClassVar[tuple[str, ...]] = ("service", "card", "outcome")
    of_patient: ClassVar[bool] = False
    service: Short
    card: Short
    outcome: Literal["accepted", "overridden"]
    suggestions: tuple[Short, ...] = ()
    reason_code: Short = ""
    reason_system: Short = ""
    reason_text: Long = ""
    outcome_at: Short = ""


KINDS: tuple[type[Body], ...] = (
    Patient, Condition, Allergy, Relapse, Course, Order, Procedure, RunRow, Lab, Examination, Drug,
    Decision, Override, AdverseEvent, Paper, Setting, Account, Feedback,
)  # fmt: skip


def of(table: str) -> type[Body]:
    """The kind kept in a table; KeyError where there is none."""
    return {kind.table: kind for kind in KINDS}[table]
