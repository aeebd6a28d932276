"""The first run on a machine compiles everything, once, and says how far it is."""

import subprocess

from opentpe.simulation import first_compile


class _Child:
    """A child process that is ready the second time it is asked."""

    def __init__(self, code):
        self.code, self.asked, self.returncode = code, 0, None

    def poll(self):
        self.asked += 1
        self.returncode = self.code if self.asked > 1 else None
        return self.returncode


def _started(monkeypatch, code=0):
    jobs = []

    def start(command, env):
        jobs.append(command[-1])
        return _Child(code)

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(first_compile, "_LOOK_S", 0.0)
    return jobs


def test_every_part_is_compiled_once_and_then_no_more(tmp_path, monkeypatch):
    """Separator, solutes and sessions: an empty folder needs them, a marked one does not."""
    jobs, said = _started(monkeypatch), []
    assert first_compile.needed(tmp_path)
    first_compile.ensure(said.append, tmp_path, workers=2)
    assert jobs == list(first_compile.JOBS)
    assert not first_compile.needed(tmp_path)
    first_compile.ensure(said.append, tmp_path)
    assert len(jobs) == 3


def test_it_says_what_is_compiled_and_how_far_it_is(tmp_path, monkeypatch):
    """One line, told again and again: parts ready, parts at work, seconds."""
    _started(monkeypatch)
    said = []
    first_compile.ensure(said.append, tmp_path, workers=2)
    assert "0 of 3 parts ready, now separator and sessions" in said[0]
    assert "2 of 3 parts ready, now solutes" in said[-1]


def test_a_part_that_fails_is_tried_again_next_time(tmp_path, monkeypatch):
    """No mark is left behind a broken compiler."""
    _started(monkeypatch, code=1)
    first_compile.ensure(lambda _: None, tmp_path, workers=3)
    assert first_compile.needed(tmp_path)
