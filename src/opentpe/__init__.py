"""OpenTPE plans and simulates therapeutic plasma exchange for an MS relapse that steroids did not stop.

Planning support, education and research; not a medical device. The public names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

__version__ = "0.1.0"

_PUBLIC: Final = {
    "consult": "opentpe.consultation",
    "decide": "opentpe.consultation",
    "simulate": "opentpe.consultation",
    "load": "opentpe.evidence.load",
    "parse": "opentpe.domain.words",
    "say": "opentpe.domain.words",
    "Advice": "opentpe.domain.decision",
    "Consultation": "opentpe.domain.consultation",
    "Course": "opentpe.domain.therapy",
    "Decision": "opentpe.domain.decision",
    "Forecast": "opentpe.domain.consultation",
    "InputError": "opentpe.errors",
    "Library": "opentpe.evidence.load",
    "OpenTPEError": "opentpe.errors",
    "Patient": "opentpe.domain.patient",
    "Prescription": "opentpe.domain.therapy",
    "Relapse": "opentpe.domain.relapse",
    "Subject": "opentpe.domain.subject",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 - the names of a literal table


def __getattr__(name: str) -> Any:
    """A public name, imported when first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'opentpe' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
