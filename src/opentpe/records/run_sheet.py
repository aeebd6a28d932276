"""The run sheet of one session: what an apheresis unit writes down before, during and after a procedure.

Seven parts: order and identity, before, plan, device, fluids issued, run log (kept row by row as `RunRow`) and end.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=20_000)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Signed = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Part(BaseModel):
    """A frozen part of a record; a field that is not known is refused, not dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Vitals(Part):
    """Vital signs at one time."""

    systolic_mmhg: Amount | None = None
    diastolic_mmhg: Amount | None = None
    heart_rate_per_min: Amount | None = None
    oxygen_saturation_fraction: Fraction | None = None
    temperature_cel: Amount | None = None


class Identity(Part):
    """Order and identity: checked against two identifiers before the needle goes in."""

    identifiers_checked: bool = False
    height_cm: Amount | None = None
    weight_kg: Amount | None = None
    diagnosis: Short = ""
    asfa_category: Short = ""
    indication: Short = ""
    ordered_by: Short = ""
    apheresis_physician: Short = ""
    consent_on: date | None = None
    location: Short = ""


class Before(Part):
    """What was known before the start."""

    haematocrit_fraction: Fraction | None = None
    haemoglobin_g_l: Amount | None = None
    platelets_10_9_l: Amount | None = None
    inr_ratio: Amount | None = None
    fibrinogen_g_l: Amount | None = None
    ionised_calcium_mmol_l: Amount | None = None
    calcium_mmol_l: Amount | None = None
    magnesium_mmol_l: Amount | None = None
    potassium_mmol_l: Amount | None = None
    allergies: Short = ""
    ace_inhibitor_last_dose_at: datetime | None = None
    medicines: Long = ""
    vitals: Vitals = Vitals()
    assessment: Long = ""


class Planned(Part):
    """What was ordered for the separator."""

    total_blood_volume_ml: Amount | None = None
    plasma_volume_ml: Amount | None = None
    plasma_target_ml: Amount | None = None
    fluids: Short = ""
    balance_fraction: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    anticoagulant: Short = ""
    inlet_ac_ratio: Amount | None = None
    ac_infusion_limit_ml_min_l: Amount | None = None
    access: Short = ""
    gauge: Short = ""
    side: Literal["", "left", "right", "both"] = ""
    warmer: bool | None = None
    premedication: Short = ""
    calcium: Short = ""


class Lot(Part):
    """A product with its lot and expiry."""

    product: Short
    lot: Short = ""
    expires_on: date | None = None


class Machine(Part):
    """Device, disposables and who handled them."""

    model: Short = ""
    serial: Short = ""
    software: Short = ""
    set_lot: Lot | None = None
    anticoagulant_lot: Lot | None = None
    saline_lot: Lot | None = None
    maintained_on: date | None = None
    self_test_passed: bool | None = None
    primed_by: Short = ""
    connected_by: Short = ""


class Issued(Part):
    """One container of replacement fluid or blood product; donation number or lot as on the label."""

    product: Short
    product_code: Short = ""
    donation_number: Short = ""
    lot: Short = ""
    abo_rh: Short = ""
    volume_ml: Amount
    expires_on: date | None = None
    hung_at: datetime | None = None
    verified_by: Short = ""


class Given(Part):
    """Volume of one replacement fluid that reached the patient."""

    fluid: Short
    volume_ml: Amount


class End(Part):
    """What was done by the end, as read from the separator and the bags."""

    ended_at: datetime | None = None
    run_min: Amount | None = None
    plasma_removed_ml: Amount | None = None
    bag_ml: Amount | None = None
    blood_processed_ml: Amount | None = None
    ac_used_ml: Amount | None = None
    ac_to_patient_ml: Amount | None = None
    replaced: tuple[Given, ...] = ()
    saline_ml: Amount | None = None
    rinseback_given: bool | None = None
    rinseback_ml: Amount | None = None
    net_balance_ml: Signed | None = None
    platelets_10_9_l: Amount | None = None
    haematocrit_fraction: Fraction | None = None
    hypocalcaemia_treatment: Short = ""
    stopped_early_because: Short = ""
    disposition: Short = ""
    next_visit_on: date | None = None
    signed_by: tuple[Short, ...] = ()


class RunSheet(Part):
    """The sheet of one session, all but the run log."""

    identity: Identity = Identity()
    before: Before = Before()
    planned: Planned = Planned()
    machine: Machine = Machine()
    issued: tuple[Issued, ...] = ()
    end: End = End()
