"""A training run that any worker can go on with: a sealed ticket says what was done; doing it again is the same run.

The separator is deterministic: exchange, seed and actions give the same second, bit for bit. So a run is its list of
steps. The ticket holds that list, encrypted with the server's key; a worker that does not know the run plays it again.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from fastapi import HTTPException

from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library
from opentpe.kernel.controller import Phase
from opentpe.simulation import procedure
from opentpe.web import seal
from opentpe.web.pages import scenes

LOOK_EVERY_S: Final = 5  # the debrief looks at the run on this grid, however the steps were cut
MOST_STEPS: Final = 2000
MOST_S: Final = 12 * 3600
MOST_RUNS: Final = 64  # played runs at hand; another is played again from its ticket
_GONE: Final = "This run cannot be gone on with: its ticket was changed, or the server has a new key. Start a new one."

Steps = tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its ticket tells it: whose it is, what was set up, and each step (actions first, then seconds)."""

    owner: str
    scenario: str
    seed: int
    key: str  # the line of runs it belongs to
    name: str = "main run"
    course: str = ""
    about: Subject | None = None
    words: str = ""
    steps: Steps = ()

    def after(self, seconds: int, actions: tuple[str, ...]) -> Run:
        """The run with one more step; time that just passes lengthens the last one."""
        if not actions and self.steps:
            last, did = self.steps[-1]
            return replace(self, steps=(*self.steps[:-1], (last + seconds, did)))
        return replace(self, steps=(*self.steps, (seconds, actions)))


@dataclass(frozen=True, slots=True)
class Live:
    """A run as it stands: the separator's state, what was done at which minute, and what the debrief asks for."""

    state: procedure.State
    done: tuple[tuple[float, str], ...] = ()
    lowest_calcium: float = math.inf
    lowest_pressure: float = math.inf
    alarm_s: int = 0


@dataclass(slots=True)
class Played:
    """Runs this process has played; the oldest gives way."""

    kept: OrderedDict[str, tuple[Steps, Live]] = field(default_factory=OrderedDict)

    def keep(self, run: Run, live: Live) -> None:
        """Remembers where a run stands."""
        self.kept[run.key] = (run.steps, live)
        self.kept.move_to_end(run.key)
        while len(self.kept) > MOST_RUNS:
            self.kept.popitem(last=False)

    def of(self, run: Run, library: Library) -> Live:
        """The run as its ticket tells it: from memory where it stood earlier, else from the start."""
        steps, live = self.kept.get(run.key, ((), None))
        rest = _beyond(steps, run.steps) if live is not None else None
        if live is None or rest is None:
            live, rest = Live(begin(run, library)), run.steps
        for seconds, actions in rest:
            live = passed(live, seconds, actions)
        self.keep(run, live)
        return live


def _beyond(known: Steps, wanted: Steps) -> Steps | None:
    """What is left to play when `known` was played; None where the runs part."""
    if not known:
        return wanted
    *before, (seconds, actions) = known
    n = len(before)
    if len(wanted) <= n or wanted[:n] != tuple(before):
        return None
    total, did = wanted[n]
    if did != actions or total < seconds:
        return None
    return ((total - seconds, ()), *wanted[n + 1 :])


def begin(run: Run, library: Library) -> procedure.State:
    """The procedure with its hidden events, the patient connected."""
    what, happenings = scenes.exchange(run.scenario, library, run.about, run.words)
    return procedure.start(what, library, seed=run.seed, happenings=happenings, connected=True)


def passed(live: Live, seconds: int, actions: tuple[str, ...]) -> Live:
    """The run some seconds later; each action is noted with its minute. `WordsError` for one not understood."""
    state = procedure.advance(live.state, 0, actions) if actions else live.state
    live = replace(live, state=state, done=(*live.done, *((state.run_s / 60, a) for a in actions)))
    left = seconds
    while left > 0 and not live.state.ended:
        step = min(left, LOOK_EVERY_S - live.state.run_s % LOOK_EVERY_S)
        state = procedure.advance(live.state, step)
        live = replace(live, state=state)
        live = _looked(live) if state.run_s % LOOK_EVERY_S == 0 else live
        left -= step
    return live


def _looked(live: Live) -> Live:
    vitals = live.state.vitals[0]
    calcium, pressure = float(vitals["ionised_calcium_mmol_l"]), float(vitals["mean_pressure_mm_hg"])
    standing = int(live.state.live.now[0]["phase"]) == int(Phase.ALARM)
    return replace(
        live,
        lowest_calcium=min(live.lowest_calcium, calcium or math.inf),
        lowest_pressure=min(live.lowest_pressure, pressure or math.inf),
        alarm_s=live.alarm_s + (LOOK_EVERY_S if standing else 0),
    )


def ticket(key: bytes, run: Run) -> str:
    """The run, sealed: only this server reads it, nobody changes it."""
    return seal.closed(key, asdict(run))


def opened(key: bytes, text: str, owner: str) -> Run:
    """The run of a ticket; 404 for another person's, a changed one, or one without end."""
    said = seal.opened(key, text)
    if not said or said.get("owner") != owner:
        raise HTTPException(404, _GONE)
    steps = tuple((int(seconds), tuple(actions)) for seconds, actions in said.pop("steps"))
    about = said.pop("about")
    if len(steps) > MOST_STEPS or sum(s for s, _ in steps) > MOST_S:
        raise HTTPException(422, "This run is too long. End it and start a new one.")
    return Run(**said, steps=steps, about=_subject(about) if about else None)


def _subject(said: dict[str, Any]) -> Subject:
    return Subject(**{**said, "measured": tuple((str(k), float(v)) for k, v in said["measured"])})
