"""Timed events of a run in words or TOML: faults, interventions, complaints; parsed once, applied at their second.

    at 35 min access pressure fault for 3 min        at 50 min pause 4 min
    at 60 min calcium gluconate 1 g over 10 min      at 70 min replacement bag empty
    at 40 min patient reports tingling -> slow inlet 20 %

Times count from the connection of the patient. Grammar: docs/how-to/run.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tomli

from opentpe.errors import InputError, WordsError

_N: Final = r"(\d+(?:\.\d+)?)"
_FOR: Final = rf"(?:\s+for\s+{_N}\s*min)?"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens: `kind` with up to two numbers, at a second after connection; `said` is how it was put."""

    at_s: int
    kind: str
    a: float = 0.0
    b: float = 0.0
    text: str = ""
    said: str = ""


Build = Callable[[re.Match[str]], tuple[str, float, float, str]]


def _plain(kind: str) -> Build:
    return lambda _: (kind, 0.0, 0.0, "")


def _numbers(kind: str, a: float = 0.0, b: float = 0.0, scale: float = 1.0) -> Build:
    """One number (scaled) and perhaps a second; defaults where they are not said."""

    def build(m: re.Match[str]) -> tuple[str, float, float, str]:
        found = [float(g) if g else None for g in m.groups()]
        first = a if not found or found[0] is None else found[0] * scale
        second = b if len(found) < 2 or found[1] is None else found[1]
        return kind, first, second, ""

    return build


def _symptom(m: re.Match[str]) -> tuple[str, float, float, str]:
    return "symptom", 0.0, 0.0, m[1].strip()


# Pattern, what it says in the list of what is understood, and what it becomes.
GRAMMAR: Final[tuple[tuple[str, str, Build], ...]] = (
    (rf"access pressure fault{_FOR}", "access pressure fault [for N min]", _numbers("vein_fault")),
    (rf"vein carries {_N}\s*mL/min{_FOR}", "vein carries N mL/min [for N min]", _numbers("vein")),
    (r"return pressure fault", "return pressure fault", _plain("return_fault")),
    (rf"air in (?:the )?return line(?: {_N}\s*mL)?", "air in the return line [N mL]", _numbers("air", 0.5)),
    (r"return line disconnects", "return line disconnects", _plain("return_open")),
    (r"return pump stops", "return pump stops", _plain("return_pump")),
    (rf"interface (?:unstable|lost){_FOR}", "interface unstable [for N min]", _numbers("camera", 5.0)),
    (rf"turbulence{_FOR}", "turbulence [for N min]", _numbers("turbulence", 3.0)),
    (rf"inlet pump delivers {_N}\s*%", "inlet pump delivers N %", _numbers("delivery", scale=0.01)),
    (r"anticoagulant (?:bag )?empty", "anticoagulant empty", _plain("ac_empty")),
    (r"anticoagulant line wrong", "anticoagulant line wrong", _plain("ac_line")),
    (r"replacement (?:bag )?empty", "replacement bag empty", _plain("replacement_empty")),
    (r"plasma bag full", "plasma bag full", _plain("plasma_full")),
    (rf"power fails{_FOR}", "power fails [for N min]", _numbers("power", 2.0)),
    (r"centrifuge (?:fault|leak|imbalance)", "centrifuge fault", _plain("centrifuge")),
    (rf"membrane clots(?: to {_N}\s*%)?", "membrane clots [to N %]", _numbers("membrane", 0.4, scale=0.01)),
    (rf"fluid balance off by {_N}\s*mL", "fluid balance off by N mL", _numbers("balance_error")),
    (rf"pause {_N}\s*min", "pause N min", _numbers("pause")),
    (r"resume", "resume", _plain("resume")),
    (rf"slow inlet {_N}\s*%", "slow inlet N %", _numbers("slow", scale=0.01)),
    (rf"inlet {_N}\s*mL/min", "inlet N mL/min", _numbers("inlet")),
    (rf"inlet:AC {_N}\s*:\s*1", "inlet:AC N:1", _numbers("ratio")),
    (rf"balance {_N}\s*%", "balance N %", _numbers("balance", scale=0.01)),
    (rf"haematocrit entered {_N}", "haematocrit entered N", _numbers("hct_entered")),
    (rf"calcium gluconate {_N}\s*g(?: over {_N}\s*min)?", "calcium gluconate N g [over N min]",
     _numbers("calcium", 1.0, 10.0)),
    (rf"saline {_N}\s*mL", "saline N mL", _numbers("saline")),
    (r"antihistamine", "antihistamine", _plain("antihistamine")),
    (r"adrenaline", "adrenaline", _plain("adrenaline")),
    (r"allergic reaction", "allergic reaction", lambda _: ("symptom", 0.0, 0.0, "allergic reaction")),
    (r"patient reports ([a-z][a-z -]*)", "patient reports SYMPTOM", _symptom),
    (r"reposition(?: the)? needle", "reposition the needle", _plain("reposition")),
    (r"flush(?: the)? return", "flush the return", _plain("flush")),
    (r"purge(?: the)? air", "purge the air", _plain("purge")),
    (r"change(?: the)? replacement(?: bag)?", "change the replacement bag", _plain("change_replacement")),
    (r"change(?: the)? anticoagulant(?: bag)?", "change the anticoagulant", _plain("change_ac")),
    (r"change(?: the)? plasma bag", "change the plasma bag", _plain("change_plasma_bag")),
    (r"empty(?: the)? bowl", "empty the bowl", _plain("empty_bowl")),
    (r"reconnect(?: the)? return", "reconnect the return", _plain("reconnect")),
    (r"acknowledge", "acknowledge", _plain("acknowledge")),
    (r"rinseback", "rinseback", _plain("rinseback")),
    (r"stop run", "stop run", _plain("stop")),
    (r"stop without rinseback", "stop without rinseback", _plain("abandon")),
)  # fmt: skip
_COMPILED: Final = tuple((re.compile(p, re.IGNORECASE), build) for p, _, build in GRAMMAR)
_AT: Final = re.compile(r"at\s+(-?\d+(?:\.\d+)?)\s*(min|s)\s+(.+)", re.IGNORECASE)
_ARROW: Final = re.compile(r"\s*(?:->|→)\s*")


def understood() -> str:
    """Every event that is understood, as one line."""
    return "; ".join(says for _, says, _ in GRAMMAR)


def parse(text: str) -> tuple[Event, ...]:
    """The events of one line; a complaint may be followed by "->" and what is done about it, in the same second.

    Raises `WordsError` that lists what is understood, `InputError` for a time before the start.

    >>> [e.kind for e in parse("at 40 min patient reports tingling -> slow inlet 20 %")]
    ['symptom', 'slow']
    """
    match = _AT.fullmatch(text.strip())
    if match is None:
        raise WordsError("event", repr(text), f'"at N min" followed by one of: {understood()}')
    seconds = round(float(match[1]) * (60.0 if match[2].lower() == "min" else 1.0))
    if seconds < 0:
        raise InputError("event", f"{text.strip()!r}, before the start", "a time of 0 min or later",
                         "Times count from the connection of the patient.")  # fmt: skip
    return tuple(_one(part, seconds, text) for part in _ARROW.split(match[3]))


def _one(words: str, at_s: int, said: str) -> Event:
    part = words.strip().rstrip(".")
    for pattern, build in _COMPILED:
        match = pattern.fullmatch(part)
        if match:
            kind, a, b, text = build(match)
            return Event(at_s, kind, a, b, text, said.strip())
    raise WordsError("event", repr(part), f"one of: {understood()}")


def parse_all(lines: Iterable[str]) -> tuple[Event, ...]:
    """The events of many lines in order of time; those of one second keep their order."""
    found = [event for line in lines for event in parse(line)]
    return check(tuple(sorted(found, key=lambda e: e.at_s)))


def read(file: Path) -> tuple[Event, ...]:
    """The events of a TOML file: `events = ["at 35 min ...", ...]`; `InputError` where it cannot be used."""
    try:
        document = tomli.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(file), f"no readable file ({error.strerror})", "a TOML file of events") from error
    except (UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise InputError(str(file), f"text that is not TOML ({error})", "a TOML file of events") from error
    lines = document.get("events")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InputError(f"{file}: events", repr(lines), 'a list such as ["at 35 min access pressure fault"]')
    return parse_all(lines)


def check(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The events themselves where their order is possible; else `InputError` naming the one that cannot follow."""
    over, seen = "", set()
    for event in events:
        if over and event.kind not in ("rinseback", "acknowledge", "symptom"):
            raise InputError("event", repr(event.said), f"no further event after {over!r}",
                             "Remove it or set it earlier.")  # fmt: skip
        before = _NEEDS.get(event.kind)
        if before is not None and before not in seen:
            raise InputError("event", repr(event.said), f"an earlier event such as {_EXAMPLE[before]!r}",
                             "Put it first, or remove this one.")  # fmt: skip
        seen.add(event.kind)
        if event.kind in ("stop", "abandon"):
            over = event.said
    return events


def fit(events: Iterable[Event], principle: str) -> None:
    """Raises `InputError` for an event that cannot happen on a separator of this principle."""
    for event in events:
        fits = _ONLY.get(event.kind)
        if fits is not None and principle not in fits:
            raise InputError("event", repr(event.said), "a separator with one of: " + ", ".join(fits),
                             f"A {principle.replace('_', ' ')} cannot have it.")  # fmt: skip


# What must have happened before, with an example of it; and the principles an event belongs to.
_NEEDS: Final = {"resume": "pause", "reconnect": "return_open"}
_EXAMPLE: Final = {"pause": "at 30 min pause 4 min", "return_open": "at 30 min return line disconnects"}
_SPINNING: Final = ("centrifuge_continuous", "centrifuge_single_needle", "bowl")
_SEEN: Final = ("centrifuge_continuous", "centrifuge_single_needle")
_ONLY: Final = {
    "camera": _SEEN, "turbulence": _SEEN, "centrifuge": _SPINNING, "ac_empty": _SPINNING, "ac_line": _SPINNING,
    "change_ac": _SPINNING, "ratio": _SPINNING, "membrane": ("membrane",), "empty_bowl": ("bowl",),
}  # fmt: skip
