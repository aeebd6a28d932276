"""The endpoints of virtual trials: name, unit, and whether it is an event (0 or 1) or a number."""

from __future__ import annotations

from typing import Final, NamedTuple


class Endpoint(NamedTuple):
    """What an endpoint is measured in; `event` is 0 or 1 per patient.

    `of_session` rests on what happens within sessions: by screened formulas, or by the session model where the trial's
    detail is full. `full_only` has no screened formula.
    """

    unit: str
    event: bool = False
    of_session: bool = False
    full_only: bool = False


ENDPOINTS: Final = {
    "igg_fall_percent": Endpoint("%"),
    "igg_day_14_g_l": Endpoint("g/L"),
    "fibrinogen_lowest_before_g_l": Endpoint("g/L"),
    "fibrinogen_lab_lowest_g_l": Endpoint("g/L"),
    "fibrinogen_below_1_before": Endpoint("1", event=True),
    "fibrinogen_after_last_g_l": Endpoint("g/L"),
    "drug_left_percent": Endpoint("%"),
    "drug_day_14_ug_ml": Endpoint("ug/mL"),
    "sessions_done": Endpoint("1"),
    "complete": Endpoint("1", event=True),
    "days_to_last_session": Endpoint("d"),
    "plasma_removed_l": Endpoint("L"),
    "chair_h": Endpoint("h"),
    "albumin_g": Endpoint("g"),
    "ionised_calcium_lowest_mmol_l": Endpoint("mmol/L", of_session=True),
    "blood_volume_loss_percent": Endpoint("%", of_session=True),
    "mean_pressure_lowest_mm_hg": Endpoint("mm[Hg]", of_session=True, full_only=True),
    "hypocalcaemia_symptoms": Endpoint("1", event=True, of_session=True),
    "hypotension": Endpoint("1", event=True, of_session=True),
    "bleeding": Endpoint("1", event=True),
    "mild_allergy": Endpoint("1", event=True),
    "response_moderate": Endpoint("1", event=True),
}

# What needs a drug that a share of the patients is on.
OF_DRUG: Final = ("drug_left_percent", "drug_day_14_ug_ml")

# What the kinetics alone give, so that its variance can be explained.
KINETIC: Final = ("igg_fall_percent", "igg_day_14_g_l", "fibrinogen_lowest_before_g_l", "fibrinogen_after_last_g_l")
