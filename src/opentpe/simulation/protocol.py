"""The specification of a virtual trial: read, checked and hashed before anything runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import tomli

from opentpe import __version__
from opentpe.domain import doses, words
from opentpe.domain.therapy import Course
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.simulation import cohort, endpoints, population
from opentpe.simulation import protocol_values as values

MOST_PATIENTS: Final = 100_000_000
_LEAST_PER_ARM: Final = 2
NO_EXCHANGE: Final = "no exchange"
SCREENED, FULL = "screened", "full"
_LISTS: Final = ("doses", "sizes", "endpoints")
SEPARATOR: Final = "|"  # between arm and endpoint in the name of a column
_TOP: Final = (
    "name", "seed", "patients", "population", "chunk", "detail", "endpoints", "arm", "conduct", "drug", "analysis",
    "sensitivity",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: its name and its course in words, or `no exchange`; `doses` in words are given on top.

    A dose of the trial's drug goes to the patients who are on it, any other to all.
    """

    name: str
    course: str
    doses: tuple[str, ...] = ()

    @property
    def parsed(self) -> Course | None:
        """The course, None for an arm without exchange."""
        return None if self.course == NO_EXCHANGE else words.parse(self.course)


@dataclass(frozen=True, slots=True)
class Conduct:
    """What goes otherwise than planned: shares of sessions and patients."""

    session_missed_fraction: float = 0.0
    access_failure_fraction: float = 0.0  # the session ends early, at any moment alike
    dropout_fraction: float = 0.0  # before each session after the first
    lab_noise: bool = True


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug that a share of the patients is on, with its doses before session 1."""

    doses: tuple[str, ...] = ()
    fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """Error of the first kind, power, and the sizes per arm at which power is told."""

    alpha: float = 0.05
    power: float = 0.80
    sizes: tuple[int, ...] = (50, 100, 200, 400)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Sobol indices: of which endpoints, with how many base samples (a power of 2); 0 leaves them out."""

    endpoints: tuple[str, ...] = ()
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Spec:
    """A virtual trial. `chunk` patients make one part; the results do not depend on it.

    `detail` says how what happens within sessions is found: "full" by the session model, "screened" by fast formulas.
    """

    name: str
    seed: int
    patients: int
    arms: tuple[Arm, ...]
    endpoints: tuple[str, ...]
    population: str = "ms_relapse"
    chunk: int = 1000
    detail: str = FULL
    conduct: Conduct = Conduct()
    drug: Drug = Drug()
    analysis: Analysis = Analysis()
    sensitivity: Sensitivity = Sensitivity()

    @property
    def chunks_count(self) -> int:
        """How many parts the trial has."""
        return -(-self.patients // self.chunk)


def read(path: Path, library: Library) -> Spec:
    """The specification in a TOML file; `InputError` names what is wrong with it."""
    try:
        data = tomli.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(path), f"no readable file ({error.strerror})", "a trial specification") from error
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"text that is not TOML ({error})", "a trial specification") from error
    return parse(data, library)


def parse(data: Mapping[str, Any], library: Library) -> Spec:
    """The specification in a table; `InputError` names what is wrong with it."""
    _only(data, _TOP, "trial")
    for name in ("name", "arm", "endpoints"):
        if name not in data:
            raise InputError("trial", f"no {name}", f"the entry {name}")
    spec = Spec(
        name=values.text(data["name"], "name"),
        seed=values.whole(data.get("seed", 1), "seed", 0, 2**63),
        patients=values.whole(data.get("patients", 1000), "patients", 1, MOST_PATIENTS),
        arms=tuple(_arm(row, i) for i, row in enumerate(values.tables(data["arm"], "arm"))),
        endpoints=values.names(data["endpoints"], "endpoints"),
        population=str(data.get("population", "ms_relapse")),
        chunk=values.whole(data.get("chunk", 1000), "chunk", 1, 100_000),
        detail=str(data.get("detail", FULL)),
        conduct=_record(Conduct, data.get("conduct", {}), "conduct"),
        drug=_record(Drug, data.get("drug", {}), "drug"),
        analysis=_record(Analysis, data.get("analysis", {}), "analysis"),
        sensitivity=_record(Sensitivity, data.get("sensitivity", {}), "sensitivity"),
    )
    return checked(spec, library)


def checked(spec: Spec, library: Library) -> Spec:
    """The specification itself where it can be run."""
    if not spec.arms:
        raise InputError("trial", "no arm", "at least one [[arm]]")
    if len({arm.name for arm in spec.arms}) < len(spec.arms):
        raise InputError("trial", "two arms of one name", "a name of its own for each arm")
    if spec.detail not in (SCREENED, FULL):
        raise InputError("detail", repr(spec.detail), f"{SCREENED} or {FULL}")
    for name in (*spec.endpoints, *spec.sensitivity.endpoints):
        _endpoint(name, spec)
    if spec.population not in population.names(library):
        raise InputError("population", repr(spec.population), ", ".join(population.names(library)))
    _numbers(spec)
    for arm in spec.arms:
        _runnable(arm, spec, library)
    _on_drug(spec)
    return spec


def _numbers(spec: Spec) -> None:
    """Every number and list below the top is of the kind its name says."""
    for name, share in asdict(spec.conduct).items():
        if name == "lab_noise":
            values.truth(share, f"conduct.{name}")
        else:
            values.share(share, f"conduct.{name}")
    values.share(spec.drug.fraction, "drug.fraction")
    values.between(spec.analysis.alpha, "analysis.alpha")
    values.between(spec.analysis.power, "analysis.power")
    for size in spec.analysis.sizes:
        values.whole(size, "analysis.sizes", _LEAST_PER_ARM, MOST_PATIENTS)
    asked = spec.sensitivity
    values.power_of_two(asked.samples, "sensitivity.samples")
    for name in asked.endpoints:
        if name not in endpoints.KINETIC:
            raise InputError("sensitivity.endpoints", repr(name), ", ".join(endpoints.KINETIC))
    if asked.samples and all(arm.parsed is None for arm in spec.arms):
        raise InputError("sensitivity", "no arm with an exchange", "at least one")


def _endpoint(name: str, spec: Spec) -> None:
    if name not in endpoints.ENDPOINTS:
        raise InputError("endpoints", repr(name), ", ".join(endpoints.ENDPOINTS))
    if endpoints.ENDPOINTS[name].full_only and spec.detail != FULL:
        raise InputError("endpoints", f"{name!r} with detail {spec.detail!r}", f'detail = "{FULL}"')


def screened(spec: Spec) -> tuple[str, ...]:
    """The endpoints of a trial that rest on screened formulas; none where the sessions are run in full."""
    if spec.detail == FULL:
        return ()
    return tuple(sorted(n for n in spec.endpoints if endpoints.ENDPOINTS[n].of_session))


def in_full(spec: Spec) -> bool:
    """True where the sessions have to be run: an endpoint rests on them and the detail is full."""
    return spec.detail == FULL and any(endpoints.ENDPOINTS[n].of_session for n in spec.endpoints)


def _runnable(arm: Arm, spec: Spec, library: Library) -> None:
    course = arm.parsed
    plasma = course is not None and any(
        library.folder("fluids").get(p.fluid, {}).get("donor_plasma") for p in course.prescription.fluids
    )
    if plasma and screened(spec):
        raise InputError(
            f"arm {arm.name!r}", f"donor plasma with detail {SCREENED!r}", f'detail = "{FULL}"',
            "The fast formulas know nothing of the citrate in plasma.",
        )  # fmt: skip
    for text in (*arm.doses, *spec.drug.doses):
        drug = doses.parse(text).drug
        if drug not in cohort.given(library):
            raise InputError("dose", repr(drug), ", ".join(sorted(cohort.given(library))))


def _on_drug(spec: Spec) -> None:
    """Endpoints of the drug need one that some patients are on and whose level is followed."""
    asked = [name for name in spec.endpoints if name in endpoints.OF_DRUG]
    if asked and not (spec.drug.doses and spec.drug.fraction > 0):
        raise InputError("endpoints", f"{asked[0]!r} without a drug", "a [drug] with doses and a fraction above 0")
    drugs = {doses.parse(text).drug for text in spec.drug.doses}
    if asked and (len(drugs) > 1 or drugs == {cohort.BLOCKER_DRUG}):
        raise InputError("drug.doses", ", ".join(sorted(drugs)), f"doses of one antibody, for {asked[0]!r}")


def _arm(row: Mapping[str, Any], i: int) -> Arm:
    where = f"arm {i + 1}"
    _only(row, ("name", "course", "doses"), where)
    if "course" not in row:
        raise InputError(where, "no course", f'course words, or "{NO_EXCHANGE}"')
    name, course = (values.text(row.get(k, row["course"]), f"{where}.{k}") for k in ("name", "course"))
    if SEPARATOR in name:
        raise InputError(f"{where}.name", repr(name), f"a name without {SEPARATOR}")
    return Arm(name, course, values.names(row.get("doses", ()), f"{where}.doses", least=0))


def _record(cls: Any, data: Any, where: str) -> Any:
    _only(values.table(data, where), tuple(cls.__dataclass_fields__), where)
    return cls(**{k: _listed(v, f"{where}.{k}") if k in _LISTS else v for k, v in data.items()})


def _listed(value: Any, where: str) -> tuple[Any, ...]:
    return values.entries(value, where) if where == "analysis.sizes" else values.names(value, where, least=0)


def _only(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    odd = sorted(set(data) - set(known))
    if odd:
        raise InputError(where, f"the entry {odd[0]!r}", ", ".join(known), "Correct the spelling or remove it.")


def digest(spec: Spec, library: Library, device: str = "cpu") -> str:
    """A hash of specification, program version, evidence and device; the name of what a folder of results belongs to.

    The chunk is left out: results do not depend on it. `code` is the hash of the simulation's own sources. Processor
    and graphics processor agree to 1e-9, not bit for bit: their parts never mix.
    """
    told = {k: v for k, v in asdict(spec).items() if k not in ("chunk", "analysis", "sensitivity")}
    text = json.dumps([told, __version__, code_digest(), library.digest, device], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def code_digest() -> str:
    """A hash of the kernel's and the simulation's sources."""
    found = hashlib.sha256()
    root = Path(__file__).parent.parent
    for folder in ("kernel", "simulation"):
        for file in sorted((root / folder).glob("*.py")):
            found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()
