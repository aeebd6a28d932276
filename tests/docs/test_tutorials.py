"""The worked scripts of docs/tutorials run, and show what their first paragraph says."""

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "tutorials"


@pytest.fixture
def run(capsys):
    def tell(name):
        told = runpy.run_path(str(FOLDER / f"{name}.py"))["main"]()
        assert capsys.readouterr().out.strip()
        return told

    return tell


def test_daily_sessions_cost_fibrinogen_and_save_days(run):
    """Half the days, less fibrinogen."""
    told = run("daily_or_alternate")
    assert told["daily fibrinogen_lowest_before_g_l"] < told["alternate fibrinogen_lowest_before_g_l"]
    assert told["daily days_to_last_session"] == told["alternate days_to_last_session"] / 2


def test_half_a_volume_more_buys_less_over_a_course(run):
    """The gain in one session is larger than the gain in five."""
    told = run("dose_1_0_or_1_5")
    assert told["1 x 1.5"] - told["1 x 1.0"] > told["5 x 1.5"] - told["5 x 1.0"] > 0
    assert told["1 x 1.0"] == pytest.approx(63, abs=3)


def test_more_saline_more_hypotension(run):
    """The direction holds at every step."""
    told = run("saline_and_hypotension")
    assert list(told.values()) == sorted(told.values())
    assert told[30] > told[0]


def test_a_dose_after_the_last_session_stays(run):
    """More is left than of a dose given hours before it, and far more than without."""
    told = run("redose_natalizumab")
    assert told["after the last session"] > 1.3 * told["before the last session"] > 1.3 * told["no new dose"]


def test_seven_small_sessions_spare_fibrinogen(run):
    """The same plasma in smaller portions leaves more before the lowest session."""
    told = run("five_large_or_seven_small")
    assert told["seven fibrinogen_after_last_g_l"] > told["five fibrinogen_after_last_g_l"]


def test_no_script_is_left_out():
    """Each tutorial of the folder has its test above."""
    here = Path(__file__).read_text(encoding="utf-8")
    for script in FOLDER.glob("*.py"):
        assert f'run("{script.stem}")' in here, script.stem
