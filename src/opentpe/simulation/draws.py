"""Random numbers that depend on where they are used and on nothing else: counter-based samples (Philox 4x64).

A draw is addressed by seed, stream, name, row and position. Row *i* is the same number in a batch of one or a million,
on one thread or many, and `count` draws are the first `count` of any longer request. No generator is passed about.
A row is a patient of a virtual cohort, or a draw of one patient's posterior.

The address is laid out so that neighbouring rows are neighbouring Philox counters: key = (seed, stream and name),
counter = (row, position // 4). One call to NumPy then fills four positions of a whole run of rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from opentpe.domain.consultation import Band
from opentpe.domain.sourced import Sourced
from opentpe.errors import EvidenceError
from opentpe.kernel.normal import ndtr, ndtri

Array = npt.NDArray[np.float64]
Rows = int | npt.ArrayLike

_WORDS: Final = 4  # 64-bit numbers in one Philox block
_MASK: Final = (1 << 64) - 1
_BAND: Final = (5.0, 25.0, 50.0, 75.0, 95.0)


class Stream(IntEnum):
    """What the numbers are for. Streams never share numbers; a value once given to a stream is never reused."""

    PERSON = 1  # virtual patients: sex, age, height, weight, haematocrit, baseline laboratory values
    VOLUME = 2  # plasma volume about its estimate
    TURNOVER = 3  # solute parameters; give the solute as `name`, so that a new solute moves no other
    CITRATE = 4  # citrate, calcium, magnesium, parathyroid parameters
    FLUID = 5  # refill, lymph, colloid osmotic pressure
    CIRCULATION = 6  # heart, vessels, baroreflex
    CELLS = 7  # haematocrit, platelets
    DEVICE = 8  # separation, circuit, access
    DRUG = 9  # drug parameters; give the drug as `name`
    MEASUREMENT = 10  # laboratory error; give the solute as `name`
    BENEFIT = 11  # parameters of the benefit model and of one centre
    BENEFIT_PREDICTOR = 12  # predictor effects; give the predictor as `name`
    HARM = 13  # event rates; give the event as `name`
    HARM_CENTRE = 14  # what all events of one centre share
    HARM_MODIFIER = 15  # modifier sizes; give event and modifier as `name`
    THRESHOLD = 16  # a patient's own threshold for symptoms; give the symptom as `name`
    EVENT = 17  # whether and when an event happens in a session; give the event as `name`
    OUTCOME = 18  # which response a virtual patient has
    ARM = 19  # allocation in a virtual trial
    CONDUCT = 20  # sessions missed, cut short or delayed
    FIT = 21  # proposals when fitting to measurements
    RESAMPLE = 22  # choosing rows of a weighted cohort
    SEARCH = 23  # candidate courses


# Standard normal positions of every row, shaped (rows, count): by stream, name and count.
Normal = Callable[[Stream, str, int], Array]


def uniforms(seed: int, rows: Rows, stream: Stream, count: int, name: str = "") -> Array:
    """Numbers between 0 and 1, both excluded, shaped (rows, count); (count,) for a single row.

    >>> bool((uniforms(7, [0, 1, 2], Stream.HARM, 3)[2] == uniforms(7, 2, Stream.HARM, 5)[:3]).all())
    True
    """
    raw = _raw(seed, np.atleast_1d(np.asarray(rows, dtype=np.int64)), stream, count, name)
    unit: Array = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return unit[0] if np.ndim(rows) == 0 else unit


def normals(seed: int, rows: Rows, stream: Stream, count: int, name: str = "") -> Array:
    """Standard normal numbers, shaped (rows, count); (count,) for a single row."""
    return ndtri(uniforms(seed, rows, stream, count, name))


def truncated_normal(
    u: npt.ArrayLike, mean: float, sd: float, low: float = float("-inf"), high: float = float("inf")
) -> Array:
    """Uniform numbers as a normal distribution cut to `low` … `high`."""
    at_low, at_high = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
    value: Array = mean + sd * ndtri(at_low + np.asarray(u) * (at_high - at_low))
    return np.clip(value, low, high)


def half_normal(u: npt.ArrayLike, scale: float) -> Array:
    """Uniform numbers as the absolute value of a normal distribution of mean 0."""
    value: Array = scale * ndtri(0.5 + 0.5 * np.asarray(u))
    return value


def rank(z: npt.ArrayLike) -> Array:
    """Standard normal numbers as their ranks, 0 to 1."""
    return ndtr(z)


def sample(sourced: Sourced, z: npt.ArrayLike) -> Array:
    """A sourced value's prior at standard normal positions `z`; the value itself where it has no prior.

    The prior's `low` and `high` are its 95 % range (for `uniform`: its ends); the value in use is the median.
    """
    z = np.asarray(z, dtype=np.float64)
    prior = sourced.prior
    if prior is None:
        return np.full(z.shape, sourced.value)
    if prior.shape == "lognormal":
        return sourced.value * np.exp(prior.log_sd * z)
    if prior.shape == "normal":
        return sourced.value + (prior.high - prior.low) / (2 * 1.959964) * z
    if prior.shape == "uniform":
        return prior.low + (prior.high - prior.low) * ndtr(z)
    if prior.shape == "logitnormal":
        low, mid, high = (float(np.log(p / (1 - p))) for p in (prior.low, sourced.value, prior.high))
        value: Array = 1 / (1 + np.exp(-(mid + (high - low) / (2 * 1.959964) * z)))
        return value
    raise EvidenceError(f"evidence entry {sourced.key}: prior shape {prior.shape!r} is not known")


def band(values: npt.ArrayLike, unit: str = "1") -> Band:
    """Median of a sample with its 50 and 90 % band."""
    p05, p25, median, p75, p95 = (float(v) for v in np.percentile(np.asarray(values, dtype=np.float64), _BAND))
    return Band(median, p05, p25, p75, p95, unit)


def _raw(seed: int, rows: npt.NDArray[np.int64], stream: Stream, count: int, name: str) -> npt.NDArray[np.uint64]:
    """64 random bits at each address, shaped (rows, count)."""
    if rows.size == 0 or count == 0:
        return np.zeros((rows.size, count), dtype=np.uint64)
    key = np.array([seed & _MASK, int(stream) | _name_bits(name)], dtype=np.uint64)
    blocks = -(-count // _WORDS)
    rows, place = np.unique(rows, return_inverse=True)
    out = np.empty((rows.size, blocks, _WORDS), dtype=np.uint64)
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    for begin, end in zip((0, *breaks), (*breaks, rows.size), strict=True):
        for block in range(blocks):
            counter = np.array([rows[begin], block, 0, 0], dtype=np.uint64)
            philox = np.random.Philox(counter=counter, key=key)
            out[begin:end, block] = philox.random_raw(_WORDS * int(end - begin)).reshape(-1, _WORDS)
    return out.reshape(rows.size, blocks * _WORDS)[place, :count]


def _name_bits(name: str) -> int:
    """A name as 48 bits above the stream number; 0 for no name."""
    if not name:
        return 0
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "little") << 16
