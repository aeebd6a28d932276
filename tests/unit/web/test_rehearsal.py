"""A training run that any worker can go on with: its ticket says what was done, and doing it again is the same run."""

import pytest

from opentpe.simulation import procedure
from opentpe.web.pages import rehearsal
from opentpe.web.pages.rehearsal import Played, Run

KEY = b"k" * 32
NEEDLE = Run("anna", "needle", 1, "line-1")


def played(library, run, steps):
    """One worker that steps through a run, and where it ends."""
    worker = Played()
    for seconds, actions in steps:
        run = run.after(seconds, actions)
        live = worker.of(run, library)
    return run, live


STEPS = ((30, ()), (61, ()), (0, ("slow inlet 20 %",)), (540, ()), (20, ("reposition the needle",)), (7, ()))


def test_another_worker_plays_the_same_run(library):
    """A worker that never saw the run stands at the same second with the same numbers and the same debrief."""
    run, here = played(library, NEEDLE, STEPS)
    there = Played().of(rehearsal.opened(KEY, rehearsal.ticket(KEY, run), "anna"), library)
    assert procedure.snapshot(there.state) == procedure.snapshot(here.state)
    assert (there.done, there.lowest_calcium, there.alarm_s) == (here.done, here.lowest_calcium, here.alarm_s)
    assert [a for _, a in there.done] == ["slow inlet 20 %", "reposition the needle"]


def test_workers_that_take_turns_agree_with_one_that_stays(library):
    """Steps that alternate between two workers end where one worker ends."""
    east, west, run = Played(), Played(), NEEDLE
    for i, (seconds, actions) in enumerate(STEPS):
        run = run.after(seconds, actions)
        live = (east, west)[i % 2].of(run, library)
    _, alone = played(library, NEEDLE, STEPS)
    assert procedure.snapshot(live.state) == procedure.snapshot(alone.state)


def test_a_branch_leaves_the_run_it_came_from(library):
    """Two futures from one second: what happens in one does not reach the other."""
    run, _ = played(library, NEEDLE, STEPS[:2])
    left, right = run.after(60, ("pause 5 min",)), run.after(60, ())
    worker = Played()
    assert worker.of(left, library).state.run_s == worker.of(right, library).state.run_s
    assert procedure.snapshot(worker.of(left, library).state) != procedure.snapshot(worker.of(right, library).state)


@pytest.mark.parametrize("owner", ["anna", "bert"])
def test_a_ticket_is_its_owners_and_unchanged(owner):
    """Another person's ticket, and one with a letter changed, lead nowhere."""
    ticket = rehearsal.ticket(KEY, NEEDLE)
    changed = ticket if owner == "bert" else ticket[:-8] + ("A" if ticket[-8] != "A" else "B") + ticket[-7:]
    with pytest.raises(Exception, match="cannot be gone on with"):
        rehearsal.opened(KEY, changed, owner)


def test_time_that_passes_makes_a_ticket_no_longer():
    """Two hours of half-second steps are one step: the ticket stays small."""
    run = NEEDLE
    for _ in range(14_400):
        run = run.after(1, ())
    assert run.steps == ((14_400, ()),)
