import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from opentpe.errors import StoppedError, WordsError
from opentpe.kernel import session as kernel
from opentpe.simulation import bodies, cohort, endpoints, protocol, sensitivity, session, summary, trial, virtual
from opentpe.simulation import fit as fitting
from unit.simulation import learning
from unit.simulation.learning import InputError

BASE = {
    "name": "daily against every other day",
    "seed": 5,
    "patients": 90,
    "chunk": 20,
    "endpoints": ["igg_fall_percent", "fibrinogen_lowest_before_g_l", "hypotension", "response_moderate", "chair_h"],
    "arm": [
        {"name": "alternate", "course": "5 x 1.0 PV every other day, albumin 5 %"},
        {"name": "daily", "course": "5 x 1.0 PV daily, 20 % saline then 80 % albumin 5 %"},
        {"name": "none", "course": "no exchange"},
    ],
    "conduct": {"session_missed_fraction": 0.1, "access_failure_fraction": 0.05, "dropout_fraction": 0.02},
}


def spec(**changed):
    return protocol.parse({**BASE, **changed}, learning.library())


def run(one, folder, progress=None):
    return trial.run(one, folder, learning.library(), learning.unit(), progress)


def sums(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("part-*.parquet"))}


def columns(folder: Path, one) -> dict[str, np.ndarray]:
    names = [trial.column(a.name, e) for a in one.arms for e in one.endpoints]
    return {n: np.concatenate(list(trial.values(folder, one, n))) for n in names}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial")
    run(spec(), folder)
    return folder


@pytest.fixture(scope="module")
def told(finished):
    one = spec()
    return summary.summarise(finished, one, learning.library(), "x")


def result(told, arm, endpoint):
    return next(r for r in told.results if (r.arm, r.endpoint) == (arm, endpoint))


def contrast(told, arm, endpoint):
    return next(c for c in told.contrasts if (c.arm, c.endpoint) == (arm, endpoint))


def test_results_do_not_depend_on_the_size_of_the_parts(finished, tmp_path):
    """Parts of 20 and of 37 patients hold the same numbers, bit for bit."""
    other = spec(chunk=37)
    run(other, tmp_path)
    mine, theirs = columns(finished, spec()), columns(tmp_path, other)
    assert all(np.array_equal(mine[n], theirs[n], equal_nan=True) for n in mine)


def test_a_trial_that_lost_parts_is_completed_to_the_same_bytes(finished, tmp_path):
    """One part is missing, one is cut off in the middle: both are made again, the rest is left alone."""
    run(spec(), tmp_path)
    (tmp_path / "part-000001.parquet").unlink()
    broken = tmp_path / "part-000003.parquet"
    broken.write_bytes(broken.read_bytes()[:700])
    kept = (tmp_path / "part-000000.parquet").stat().st_mtime_ns
    run(spec(), tmp_path)
    assert sums(tmp_path) == sums(finished)
    assert (tmp_path / "part-000000.parquet").stat().st_mtime_ns == kept


def test_a_killed_trial_resumes_to_the_identical_result(tmp_path):
    """The process is killed with -9; the same command goes on, and every byte is that of a trial left alone."""
    one = spec(patients=80, chunk=5)
    code = (
        "import sys; from pathlib import Path; from opentpe.evidence.load import load\n"
        "from opentpe.pathway.unit import settings; from opentpe.simulation import protocol, trial\n"
        "import json; library = load(); one = protocol.parse(json.loads(sys.argv[1]), library)\n"
        "trial.run(one, Path(sys.argv[2]), library, settings(library))\n"
    )
    asked = json.dumps({**BASE, "patients": 80, "chunk": 5})
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen([sys.executable, "-c", code, asked, str(killed)])
    deadline = time.monotonic() + 60
    while len(list(killed.glob("part-*.parquet"))) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 3 <= len(sums(killed)) < 16
    run(one, killed)
    run(one, whole)
    assert sums(killed) == sums(whole)


def test_replay_gives_the_patient_of_the_trial_in_full(finished):
    """Patient 57 again: the same endpoints to the last bit, with what was done at each session."""
    one = spec()
    table = pq.read_table(finished / "part-000002.parquet").to_pydict()
    at = table["patient"].index(57)
    for arm in trial.replay(one, 57, learning.library(), learning.unit()):
        for name, value in arm.endpoints:
            assert value == table[trial.column(arm.arm, name)][at]
    assert {"igg", "fibrinogen"} <= set(dict(arm.before))
    assert len(dict(arm.within)["calcium_mmol_l"]) == len(arm.plasma_removed_ml)
    with pytest.raises(InputError, match="0 to 89"):
        trial.replay(one, 90, learning.library(), learning.unit())


def test_the_same_person_is_in_every_arm():
    """Common random numbers: size, resting levels and conduct are shared; two equal arms give equal results."""
    twice = spec(arm=[{"name": n, "course": "5 x 1.0 PV every other day"} for n in ("a", "b")])
    found = trial.simulate(twice, np.arange(30), learning.library(), learning.unit())
    for e in twice.endpoints:
        assert np.array_equal(found[trial.column("a", e)], found[trial.column("b", e)]), e


def test_a_virtual_patient_is_the_forecast_of_that_patient():
    """The crowd's schedule and kernel agree with a course run for one subject at the same positions."""
    plain = spec(conduct={}, arm=[{"name": "a", "course": "5 x 1.0 PV every other day, albumin 5 %"}])
    (one,) = trial.replay(plain, 3, learning.library(), learning.unit())
    course = plain.arms[0].parsed
    setup = fitting.prepare(one.subject, course, learning.library(), learning.unit())
    chosen = cohort.columns(learning.library(), ("igg", "fibrinogen"))
    people = cohort.people(one.subject, chosen, setup, learning.library(), plain.seed, np.array([3]))
    runs = fitting.problem.runs_of(setup, course.procedures())
    plan = fitting.problem.schedule(setup, chosen, one.subject, runs, (), np.zeros(1), learning.library())
    alone = fitting.march.course_all(people, plan)
    before = dict(one.before)
    for j, key in enumerate(chosen.keys):
        assert before[key] == pytest.approx(alone.before[0, j], rel=1e-9)


def test_daily_sessions_leave_less_fibrinogen_and_saline_more_hypotension(told):
    """What the arms must show: paired differences in the known direction, with intervals that exclude 0."""
    fibrinogen = contrast(told, "daily", "fibrinogen_lowest_before_g_l").difference
    assert fibrinogen.high < 0
    assert contrast(told, "daily", "hypotension").difference.value > 0
    assert contrast(told, "none", "response_moderate").difference.value < 0
    assert result(told, "none", "igg_fall_percent").mean.value == 0


def test_power_and_size_belong_together(told):
    """At the size that is said to be needed, power is what was asked for; more patients never mean less power."""
    one = contrast(told, "daily", "fibrinogen_lowest_before_g_l")
    powers = [p for _, p in one.power_at]
    assert powers == sorted(powers)
    assert one.patients_per_arm is not None
    pooled = abs(one.difference.value) / np.sqrt(
        np.mean([result(told, a, one.endpoint).sd ** 2 for a in ("daily", "alternate")])
    )
    assert summary.power(pooled, one.patients_per_arm, 0.05) >= 0.799
    assert summary.power(pooled, one.patients_per_arm - 1, 0.05) < 0.801


def test_the_power_formula_is_what_trials_of_strangers_show():
    """Two arms of 63, half a standard deviation apart, compared 2,000 times: about 80 of 100 are significant."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.5, 1, (2000, 63)), rng.normal(0, 1, (2000, 63))
    z = (a.mean(1) - b.mean(1)) / np.sqrt((a.var(1, ddof=1) + b.var(1, ddof=1)) / 63)
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(summary.power(0.5, 63, 0.05), abs=0.03)


def test_conduct_is_as_specified():
    """One session in ten is missed on average, and who drops out does not come back."""
    one = spec(endpoints=["sessions_done"], conduct={"session_missed_fraction": 0.1})
    found = trial.simulate(one, np.arange(2000), learning.library(), learning.unit())
    assert found["alternate|sessions_done"].mean() == pytest.approx(4.5, abs=0.05)
    gone = trial.replay(spec(conduct={"dropout_fraction": 0.9}), 1, learning.library(), learning.unit())[0]
    assert gone.delivered_fraction[0] == 1.0
    assert sorted(gone.delivered_fraction, reverse=True) == list(gone.delivered_fraction)


def test_a_drug_is_given_to_its_share_of_patients():
    """Two of ten are on natalizumab; for the others the endpoint does not apply."""
    one = spec(
        endpoints=["drug_left_percent"], arm=BASE["arm"][:1],
        drug={"doses": ["natalizumab 300 mg at -10 d"], "fraction": 0.2},
    )  # fmt: skip
    left = trial.simulate(one, np.arange(400), learning.library(), learning.unit())["alternate|drug_left_percent"]
    assert np.isfinite(left).mean() == pytest.approx(0.2, abs=0.06)
    assert 2 < np.nanmedian(left) < 25


def test_memory_holds_one_part(tmp_path, monkeypatch):
    """However many patients, never more rows than a part are simulated at once."""
    seen = []
    real = trial.simulate
    monkeypatch.setattr(trial, "simulate", lambda s, rows, *a: seen.append(len(rows)) or real(s, rows, *a))
    run(spec(), tmp_path)
    assert seen == [20, 20, 20, 20, 10]


def test_a_full_disk_is_named_and_leaves_valid_parts(tmp_path, monkeypatch):
    """The third part does not fit: the two before stay, and the trial resumes when there is room."""
    one, real, calls = spec(), Path.write_bytes, []

    def full(self, data):
        calls.append(self)
        if len(calls) == 4:  # manifest, two parts, then no room
            raise OSError(28, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoppedError, match="No space left"):
        run(one, tmp_path)
    monkeypatch.undo()
    assert len(sums(tmp_path)) == 2
    assert not list(tmp_path.glob(".*part"))
    run(one, tmp_path)
    assert len(sums(tmp_path)) == 5


def test_a_folder_of_another_trial_is_refused(finished):
    """Results of two specifications never mix."""
    with pytest.raises(InputError, match="another trial"):
        run(spec(seed=6), finished)


def test_a_summary_of_an_unfinished_trial_says_so(tmp_path):
    """A missing part is told, not skipped."""
    run(spec(), tmp_path)
    (tmp_path / "part-000002.parquet").unlink()
    with pytest.raises(StoppedError, match="part-000002"):
        summary.summarise(tmp_path, spec(), learning.library(), "x")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"endpoints": ["happiness"]}, "happiness"),
        ({"population": "martians"}, "martians"),
        ({"patients": 0}, "patients"),
        ({"patients": 2.5}, "whole number"),
        ({"arm": []}, "no arm"),
        ({"arm": [{"name": "a"}]}, "course"),
        ({"arm": [{"name": "a", "course": "no exchange"}] * 2}, "two arms"),
        ({"arms": []}, "arms"),
        ({"conduct": {"luck": 1}}, "luck"),
        ({"conduct": {"dropout_fraction": 2}}, "share"),
        ({"endpoints": ["drug_left_percent"]}, "drug"),
        ({"drug": {"doses": ["phlogiston 300 mg at -10 d"], "fraction": 0.1}}, "phlogiston"),
        ({"analysis": {"power": 1.5}}, "power"),
        ({"name": ["x"]}, "words"),
        ({"endpoints": []}, "at least one"),
        ({"endpoints": "igg_fall_percent"}, "a list in brackets"),
        ({"endpoints": ["chair_h", "chair_h"]}, "twice"),
        ({"arm": {"course": "no exchange"}}, r"\[\[arm"),
        ({"arm": ["daily"]}, "a table"),
        ({"arm": [{"name": "a|b", "course": "no exchange"}]}, "without [|]"),
        ({"conduct": [1]}, "a table"),
        ({"conduct": {"dropout_fraction": "few"}}, "share"),
        ({"conduct": {"lab_noise": "no"}}, "true or false"),
        ({"drug": {"doses": ["albumin 300 mg at -10 d"], "fraction": 0.1}}, "natalizumab"),
        ({"analysis": {"alpha": "x"}}, "alpha"),
        ({"analysis": {"sizes": [0]}}, "whole number"),
        ({"analysis": {"sizes": 50}}, "a list in brackets"),
        ({"sensitivity": {"endpoints": ["hypotension"], "samples": 64}}, "hypotension"),
        ({"sensitivity": {"endpoints": ["igg_fall_percent"], "samples": 100}}, "power of 2"),
        (
            {"sensitivity": {"samples": 64}, "arm": [{"name": "none", "course": "no exchange"}]},
            "no arm with an exchange",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_by_name(changed, said):
    """Every wrong entry of a specification has its own message, before anything runs."""
    with pytest.raises(InputError, match=said):
        spec(**changed)


def test_arms_are_refused_where_their_words_do_not_parse():
    """Course words of an arm are read before the trial starts."""
    with pytest.raises(WordsError):
        spec(arm=[{"course": "many large exchanges"}])


def test_the_indices_name_the_parameter_that_matters():
    """What is left of IgG rests on plasma volume first; what is left of fibrinogen on its resting level too."""
    one = spec(sensitivity={"endpoints": ["igg_fall_percent", "fibrinogen_after_last_g_l"], "samples": 128})
    found = sensitivity.sobol(one, learning.library(), learning.unit())
    top = {e: next(i.parameter for i in found if i.endpoint == e) for e in one.sensitivity.endpoints}
    assert top["igg_fall_percent"] in ("plasma_volume", "igg escape", "escape_shared", "igg catabolic_rate")
    assert top["fibrinogen_after_last_g_l"] in ("fibrinogen resting level", "plasma_volume", "fibrinogen escape_rate")
    assert all(-0.2 < i.first.value < 1.2 for i in found)


WITHIN = ["ionised_calcium_lowest_mmol_l", "blood_volume_loss_percent", "mean_pressure_lowest_mm_hg", "hypotension"]


def test_a_full_trial_holds_what_the_session_of_that_patient_shows():
    """Lowest calcium, volume and pressure of the first session are those of the session run for that one body."""
    one = spec(endpoints=WITHIN, conduct={}, arm=BASE["arm"][:1])
    (told,) = trial.replay(one, 4, learning.library(), learning.unit())
    plan = virtual.planned(one.arms[0], one, learning.library(), learning.unit())
    lived = virtual.live(plan, one, learning.library(), np.array([4]))
    people = bodies.people(
        lived.group, bodies.Known(lived.people.plasma_ml), learning.library(), one.seed, np.array([4])
    )
    order = session.order_of(plan.setup, learning.library())._replace(
        plasma_ml=float(lived.done.plasma_ml[0, 0]), hct=told.subject.hct,
        blood_ml=float(lived.group.plasma_volume_ml[0]) / (1 - told.subject.hct),
    )  # fmt: skip
    albumin = lived.trajectory.before[:, plan.columns.column("albumin"), 0]
    people = people._replace(standing=people.standing._replace(albumin=albumin))
    recipes = session.recipes(plan.setup, learning.library())[None]
    out = kernel.session_all(bodies.law(learning.library()), people, order, recipes, kernel.PLANNING)
    within = dict(told.within)
    assert within["calcium_mmol_l"][0] == pytest.approx(session.lowest(out, "ionised_calcium")[0], rel=1e-9)
    assert within["mean_pressure_mm_hg"][0] == pytest.approx(session.lowest(out, "mean_pressure")[0], rel=1e-9)
    assert dict(told.endpoints)["ionised_calcium_lowest_mmol_l"] == min(within["calcium_mmol_l"])


def test_full_and_screened_are_told_apart():
    """Screened endpoints are named in the summary; in full nothing is; what has no formula needs full."""
    assert protocol.screened(spec(endpoints=WITHIN)) == ()
    assert protocol.screened(spec(endpoints=["hypotension", "chair_h"], detail="screened")) == ("hypotension",)
    with pytest.raises(InputError, match="full"):
        spec(endpoints=WITHIN, detail="screened")
    with pytest.raises(InputError, match="screened or full"):
        spec(detail="sketchy")


def test_a_smaller_exchange_costs_less_blood_volume_in_full():
    """0.7 plasma volumes take less blood volume than 1.4; without calcium ionised calcium falls deeper."""
    arms = [
        {"name": "small", "course": "2 x 0.7 PV daily, albumin 5 %"},
        {"name": "large", "course": "2 x 1.4 PV daily, albumin 5 %, calcium gluconate 0 mL/L"},
    ]
    found = trial.simulate(spec(endpoints=WITHIN, arm=arms), np.arange(30), learning.library(), learning.unit())
    loss, calcium = ({a: found[f"{a}|{e}"] for a in ("small", "large")} for e in (WITHIN[1], WITHIN[0]))
    assert np.mean(loss["small"] < loss["large"]) > 0.9
    assert np.nanmedian(calcium["small"]) > np.nanmedian(calcium["large"]) + 0.1


def test_a_patient_of_a_full_trial_is_the_same_alone():
    """Patient 7 of thirty and patient 7 alone: bit for bit, sessions included."""
    one = spec(endpoints=WITHIN)
    many, alone = (
        trial.simulate(one, rows, learning.library(), learning.unit()) for rows in (np.arange(30), np.array([7]))
    )
    assert all(np.array_equal(many[name][7:8], alone[name], equal_nan=True) for name in alone)


def test_every_endpoint_can_be_asked_for():
    """Each name of the list gives one number per patient in every arm."""
    names = list(endpoints.ENDPOINTS)
    one = spec(endpoints=names, drug={"doses": ["natalizumab 300 mg at -10 d"], "fraction": 1.0})
    found = trial.simulate(one, np.arange(12), learning.library(), learning.unit())
    assert {len(v) for v in found.values()} == {12}
    assert len(found) == 1 + 3 * len(names)
