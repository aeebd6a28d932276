"""Virtual patients: correlated size, blood, attack and drugs, drawn by patient number and by nothing else."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from opentpe.domain.sourced import Sourced
from opentpe.domain.subject import Subject
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel import volumes
from opentpe.kernel.arrays import Floats, Integers
from opentpe.kernel.normal import ndtr
from opentpe.simulation.draws import Stream, normals, truncated_normal, uniforms

_AXES: Final = ("age", "height", "bmi", "hct", "igg", "fibrinogen", "delay")
_SIZE_DIGITS: Final = 1  # cm and kg are written with one decimal, as on a ward
_WINDOW: Final = {"height_cm": (140.0, 205.0), "weight_kg": (38.0, 160.0), "hct": (0.25, 0.55)}


class Group(NamedTuple):
    """A group of virtual patients, one entry a patient; also what `cohort.draw_people` takes for a subject."""

    rows: Integers  # patient numbers
    female: Floats  # 1 or 0
    age_years: Floats
    height_cm: Floats
    weight_kg: Floats
    hct: Floats
    igg_g_l: Floats
    fibrinogen_g_l: Floats
    cirrhosis: Floats  # 1 or 0
    severe: Floats  # 1 or 0
    delay_days: Floats
    plasma_volume_ml: Floats  # by the rule of the order, from size
    drug_u: Floats  # where a patient stands among those who might be on a drug, 0 to 1

    @property
    def liver(self) -> npt.NDArray[np.str_]:
        """The liver of every patient: normal or cirrhosis."""
        return np.where(self.cirrhosis > 0, "cirrhosis", "normal")

    def value(self, kind: str) -> Floats | None:
        """A measured value of every patient by kind."""
        return {"igg": self.igg_g_l, "fibrinogen": self.fibrinogen_g_l}.get(kind)


def names(library: Library) -> tuple[str, ...]:
    """The populations there are."""
    return tuple(library.folder("populations"))


def draw(name: str, library: Library, seed: int, rows: Integers) -> Group:
    """The virtual patients of these numbers; patient i is the same person in any batch and in every arm."""
    if name not in library.folder("populations"):
        raise InputError("population", repr(name), ", ".join(names(library)))

    def number(key: str) -> float:
        return sourced(name, key, library).value

    z = dict(zip(_AXES, (_correlated(name, library, normals(seed, rows, Stream.PERSON, len(_AXES)))).T, strict=True))
    u = uniforms(seed, rows, Stream.PERSON, 4, "choices")
    female = u[:, 0] < number("female_fraction")
    height = (
        np.where(female, number("height_female_cm"), number("height_male_cm")) + number("height_sd_cm") * z["height"]
    )
    height = np.round(np.clip(height, *_WINDOW["height_cm"]), _SIZE_DIGITS)
    bmi = number("bmi_kg_m2") * np.exp(number("bmi_log_sd") * z["bmi"])
    weight = np.round(np.clip(bmi * (height / 100) ** 2, *_WINDOW["weight_kg"]), _SIZE_DIGITS)
    hct = np.where(female, number("hct_female_fraction"), number("hct_male_fraction"))
    hct = np.round(np.clip(hct * np.exp(number("hct_log_sd") * z["hct"]), *_WINDOW["hct"]), 3)
    return Group(
        rows=np.asarray(rows),
        female=female.astype(float),
        age_years=truncated_normal(
            _rank(z["age"]),
            number("age_years"),
            number("age_sd_years"),
            number("age_low_years"),
            number("age_high_years"),
        ),
        height_cm=height,
        weight_kg=weight,
        hct=hct,
        igg_g_l=number("igg_g_l") * np.exp(number("igg_log_sd") * z["igg"]),
        fibrinogen_g_l=number("fibrinogen_g_l") * np.exp(number("fibrinogen_log_sd") * z["fibrinogen"]),
        cirrhosis=(u[:, 1] < number("cirrhosis_fraction")).astype(float),
        severe=(u[:, 2] < number("severe_fraction")).astype(float),
        delay_days=number("delay_days") * np.exp(number("delay_log_sd") * z["delay"]),
        plasma_volume_ml=plasma_volumes(female, weight, height, hct, library),
        drug_u=u[:, 3],
    )


def sourced(name: str, key: str, library: Library) -> Sourced:
    """A value of a population; what it does not say itself is that of the population it is like."""
    document = library.document(f"populations/{name}")
    own = key.partition(".")[0] in document
    return library.sourced(f"populations/{name}.{key}") if own else sourced(str(document["like"]), key, library)


def _rank(z: Floats) -> Floats:
    rank: Floats = np.clip(ndtr(z), 1e-12, 1 - 1e-12)
    return rank


def _correlated(name: str, library: Library, z: Floats) -> Floats:
    """Standard normal positions with the population's correlations; in a fixed order, so no row sees its batch."""
    matrix = np.eye(len(_AXES))
    for pair in _correlations(name, library):
        a, b = (_AXES.index(axis) for axis in pair.split("_"))
        matrix[a, b] = matrix[b, a] = sourced(name, f"correlation.{pair}", library).value
    lower = np.linalg.cholesky(matrix)
    mixed = np.zeros_like(z)
    for i in range(len(_AXES)):
        for j in range(i + 1):
            mixed[:, i] += lower[i, j] * z[:, j]
    return mixed


def _correlations(name: str, library: Library) -> tuple[str, ...]:
    document = library.document(f"populations/{name}")
    above = _correlations(str(document["like"]), library) if "like" in document else ()
    return tuple(dict.fromkeys((*above, *document.get("correlation", {}))))


def plasma_volumes(
    female: Floats | npt.NDArray[np.bool_], weight_kg: Floats, height_cm: Floats, hct: Floats, library: Library
) -> Floats:
    """Plasma volume of every patient by the rule of the order, mL: `formulas.estimators` for whole arrays."""
    table, height_m = "equations/volumes", height_cm / 100
    per = {n: _by_sex(female, f"{table}.nadler", n, library) for n in volumes.Nadler._fields}
    nadler = 1000 * (per["per_m3"] * height_m**3 + per["per_kg"] * weight_kg + per["constant_l"])
    bmi = weight_kg / height_m**2
    lean = {n: library.value(f"{table}.lemmens.{n}") for n in volumes.Lemmens._fields}
    lemmens = weight_kg * lean["lean_ml_kg"] / np.sqrt(bmi / lean["lean_bmi"])
    blood: Floats = np.where(bmi > library.value("order.lemmens_above_bmi"), lemmens, nadler)
    return blood * (1 - hct)


def _by_sex(female: Floats | npt.NDArray[np.bool_], table: str, name: str, library: Library) -> Floats:
    return np.where(female, library.value(f"{table}.female.{name}"), library.value(f"{table}.male.{name}"))


def person(group: Group, i: int) -> Subject:
    """One virtual patient as a subject, with the measured values a trial knows."""
    return Subject(
        female=bool(group.female[i]),
        height_cm=float(group.height_cm[i]),
        weight_kg=float(group.weight_kg[i]),
        hct=float(group.hct[i]),
        age_years=float(group.age_years[i]),
        liver="cirrhosis" if group.cirrhosis[i] else "normal",
        measured=(("igg", float(group.igg_g_l[i])), ("fibrinogen", float(group.fibrinogen_g_l[i]))),
    )
