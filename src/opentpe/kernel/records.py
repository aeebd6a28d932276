"""The machine on plain numbers: what is set (`PARAMETERS`) and what is now (`NOW`), one field a quantity with its unit.

Both are NumPy structured arrays of length one, so that a compiled step reads and writes fields by name, a saved state
is a copy of an array, and the one-second log has its columns ready.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

Array = Any

# Separator, access and order: constant during a run.
_PARAMETERS: Final = (
    "principle_code",
    "blood_volume_ml", "target_ml", "target_s", "target_blood_ml",
    "accounting_code",
    "inlet_flow_min_ml_min", "inlet_flow_warning_ml_min", "inlet_flow_max_ml_min", "inlet_flow_absolute_ml_min",
    "ac_infusion_safety_ml_min_l", "ac_infusion_absolute_ml_min_l", "inlet_ac_ratio_min", "inlet_ac_ratio_max",
    "inlet_line_ml", "channel_ml", "return_line_ml", "reservoir_set_ml", "reservoir_low_ml", "reservoir_high_ml",
    "residual_red_cells_fraction", "warmer_residual_red_cells_ml", "heat_loss_j_min_k", "room_temperature_cel",
    "blood_heat_j_ml_k", "warmer_outlet_cel", "warmer_flag",
    "suction_free_mm_hg", "suction_loss_per_mm_hg", "pressure_time_constant_s",
    "plasma_flow_max_ml_min", "replacement_flow_max_ml_min", "return_flow_max_ml_min", "return_flow_ml_min",
    "valve_s", "ramp_s", "ramp_start_fraction",
    "self_test_s", "load_s", "prime_s", "patient_data_s", "connect_flow_ml_min", "rinseback_flow_ml_min",
    "rinseback_ml", "disconnect_s",
    "interface_target_fraction", "interface_low_fraction", "interface_spill_fraction", "interface_gain",
    "interface_gain_per_min", "spill_hct_fraction", "platelet_spill_ratio", "platelet_leak_fraction",
    "packed_hct_fraction", "packed_hct_max_fraction", "packing_factor_scale", "packing_factor_target",
    "packing_constant", "centrifuge_speed_max_rpm", "channel_radius_cm",
    "cycle_ml", "dead_space_ml", "bowl_ml", "bowl_residual_ml", "rinse_plasma_fraction",
    "membrane_area_m2", "fouling_per_min", "transmembrane_warning_mm_hg",
    "draw_linear_mm_hg_min_ml", "draw_quadratic_mm_hg_min2_ml2",
    "return_linear_mm_hg_min_ml", "return_quadratic_mm_hg_min2_ml2",
    "vein_knee_fraction", "collapse_pressure_mm_hg", "vein_pressure_mm_hg", "recirculation_fraction",
    "calcium_mmol_min", "calcium_mmol_per_ml", "tingling_slow_fraction", "tingling_calcium_mmol",
    "tingling_calcium_min",
    "hypotension_pause_s", "hypotension_saline_ml",
    "replacement_direct_flag", "prime_to_patient_flag", "plasma_bag_ml", "ac_bag_ml", "saline_bag_ml", "operator_code",
    "manual_flag",
    "line_linear_mm_hg_min_ml",
    "return_line_linear_mm_hg_min_ml",
)  # fmt: skip

# What changes every second.
_NOW_COUNTS: Final = (
    "clock_s", "run_s", "phase", "phase_before", "phase_s", "since_start_s", "ramp_age_s", "still_s",
    "cycle", "cycle_s", "cycles_count", "bowl_stop_s", "bowl_overpacked_flag", "fluid_index",
    "journal_count",
    "camera_lost_until_s", "turbulence_until_s", "power_off_until_s", "pause_until_s", "vein_until_s",
    "ac_line_fault_flag", "centrifuge_fault_flag", "return_open_flag", "return_pump_fault_flag", "abandoned_flag",
    "ended_s", "held_mask",
)  # fmt: skip
_NOW_VALUES: Final = (
    "inlet_set_ml_min", "flow_factor", "inlet_ac_ratio", "balance_ratio", "hct_entered_fraction",
    "ac_limit_ml_min_l", "plasma_limit_factor", "filtration_fraction", "replacement_ac_fraction",
    "inlet_ml_min", "blood_ml_min", "ac_ml_min", "plasma_ml_min", "replacement_ml_min", "return_ml_min",
    "saline_ml_min", "speed_rpm",
    "access_mm_hg", "return_mm_hg", "transmembrane_mm_hg",
    "channel_hct_fraction", "packed_hct_fraction", "interface_fraction", "interface_integral",
    "plasma_line_hct_fraction", "efficiency_fraction", "permeability_ml_min_m2_mm_hg",
    "inlet_ml", "blood_ml", "ac_used_ml", "ac_to_patient_ml", "bag_ml", "plasma_counted_ml", "plasma_processed_ml",
    "replaced_ml", "rinsed_ml", "spilled_red_cells_ml", "recirculated_ml", "removed_due_ml",
    "ac_rate_ml_min_l", "balance_offset_ml", "drawn_ml", "given_ml",
    "pass_bag_ml", "pass_replaced_ml", "rinse_red_cells_ml", "rinse_fluid_ml",
    "vein_max_ml_min", "vein_healthy_ml_min", "return_obstruction", "air_ml", "turbulence_ratio", "delivery_ratio",
    "ac_limit_ratio",
    "plasma_bag_room_ml", "saline_due_ml", "saline_rate_ml_min",
    "platelet_loss_ml", "return_temperature_cel", "connected_ml", "held_ml", "redraw_due_ml",
    "expected_return_mm_hg", "saline_bolus_ml", "saline_allowed_ml",
)  # fmt: skip

PARAMETERS: Final = np.dtype([(name, np.float64) for name in _PARAMETERS])
NOW: Final = np.dtype([(n, np.int64) for n in _NOW_COUNTS] + [(n, np.float64) for n in _NOW_VALUES])


class Fluids(NamedTuple):
    """The replacement sequence and what the bags hold: parts in order, solutes per mL."""

    until_ml: Array  # [part] replaced volume at which the next part begins
    bag_ml: Array  # [part] volume hung
    ac_fraction: Array  # [part] anticoagulant in donor plasma
    replacement: Array  # [part, solute]
    anticoagulant: Array  # [solute]
    saline: Array  # [solute]
    sieving: Array  # [solute] membrane only


# The alarm table, one row an alarm. `stops` are pumps as bits, `stops_again` those once it has escalated,
# `clears` 0 self, 1 retry, 2 operator.
WATCH: Final = np.dtype([
    ("threshold", np.float64), ("connecting", np.float64), ("retry_flow", np.float64), ("persistence_s", np.int64),
    ("priority", np.int64), ("escalated", np.int64), ("escalates_after", np.int64), ("stops", np.int64),
    ("stops_again", np.int64), ("clears", np.int64), ("response_s", np.int64), ("action", np.int64),
    ("retry_after_s", np.int64), ("retries", np.int64),
])  # fmt: skip

# What the watch remembers, one row an alarm.
ALARMS: Final = np.dtype([(name, np.int64) for name in ("pending_s", "active", "age_s", "raised", "retried")])


class Machine(NamedTuple):
    """All that changes: the machine now, the fluid ledger, the watch and the journal of what happened."""

    now: Array
    volume: Array  # [Place, Kind] mL
    mass: Array  # [Place, solute]
    alarms: Array  # ALARMS
    journal: Array  # [row, (run_s, entry, subject, value)]
