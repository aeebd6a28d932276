"""Equipment of a session: separator, access, anticoagulant, replacement fluid; filled from `evidence/`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplacementFluid:
    """What a replacement fluid contains, g/L and mmol/L; `solutes` as a fraction of normal plasma."""

    key: str
    name: str
    albumin_g_l: float
    globulin_g_l: float
    calcium_mmol_l: float
    magnesium_mmol_l: float
    citrate_mmol_l: float
    bicarbonate_mmol_l: float
    potassium_mmol_l: float
    donor_plasma: bool
    bottle_ml: float
    solutes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Anticoagulant:
    """Citrate content of an anticoagulant and the share given as citric acid."""

    key: str
    name: str
    citrate_mmol_l: float
    acid_fraction: float


@dataclass(frozen=True, slots=True)
class Separator:
    """The planning numbers of a separator; the second-by-second machine reads the rest of its file."""

    key: str
    name: str
    principle: str  # centrifuge_continuous | centrifuge_single_needle | bowl | membrane
    extracorporeal_volume_ml: float
    packed_hct_fraction: float
    inlet_flow_max_ml_min: float
    ac_infusion_limit_ml_min_l: float
    rinseback_ml: float
    residual_red_cells_ml: float
    platelet_loss_fraction: float


@dataclass(frozen=True, slots=True)
class Access:
    """A vascular access and the inlet flow it usually carries."""

    key: str
    name: str
    central: bool
    inlet_flow_ml_min: float
    sites: int = 2
