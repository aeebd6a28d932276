"""Drug doses in words: "natalizumab 300 mg at -10 d", counted from the start of session 1."""

from __future__ import annotations

import re
from typing import Final

from opentpe.domain.therapy import DrugDose
from opentpe.errors import WordsError

_WORDS: Final = re.compile(
    r"(?P<drug>[a-z][\w-]*)\s+(?P<mg>\d+(?:\.\d+)?)\s*(?P<unit>mg|g)(?:\s+(?P<route>iv|sc))?"
    r"(?:\s+at)?\s+(?P<sign>[-+]?)(?P<time>\d+(?:\.\d+)?)\s*(?P<per>min|h|d)",
    re.IGNORECASE,
)
_MINUTES: Final = {"min": 1.0, "h": 60.0, "d": 1440.0}


def parse(text: str) -> DrugDose:
    """The dose the words describe; `WordsError` shows the form.

    >>> parse("natalizumab 300 mg at -10 d")
    DrugDose(drug='natalizumab', time_min=-14400.0, dose_mg=300.0, route='iv')
    """
    match = _WORDS.fullmatch(text.strip())
    if match is None:
        raise WordsError("dose", repr(text), 'such as "natalizumab 300 mg at -10 d" or "ofatumumab 20 mg sc at -2 d"')
    minutes = float(match["time"]) * _MINUTES[match["per"].lower()] * (-1 if match["sign"] == "-" else 1)
    milligrams = float(match["mg"]) * (1000 if match["unit"].lower() == "g" else 1)
    return DrugDose(match["drug"].lower(), minutes, milligrams, (match["route"] or "iv").lower())
