"""Event words: what is understood, what is refused and how."""

import pytest

from opentpe.errors import InputError, WordsError
from opentpe.simulation import events
from support import device

SAID = {
    "at 35 min access pressure fault": ("vein_fault", 0, 0),
    "at 35 min access pressure fault for 3 min": ("vein_fault", 3, 0),
    "at 50 min pause 4 min": ("pause", 4, 0),
    "at 60 min calcium gluconate 1 g over 10 min": ("calcium", 1, 10),
    "at 60 min calcium gluconate 2 g": ("calcium", 2, 10),
    "at 70 min replacement bag empty": ("replacement_empty", 0, 0),
    "at 80 min power fails": ("power", 2, 0),
    "at 80 min power fails for 6 min": ("power", 6, 0),
    "at 30 min vein carries 40 mL/min for 5 min": ("vein", 40, 5),
    "at 90 s inlet 45 mL/min": ("inlet", 45, 0),
    "at 10 min slow inlet 20 %": ("slow", 0.2, 0),
    "at 10 min inlet:AC 12:1": ("ratio", 12, 0),
    "at 10 min haematocrit entered 0.36": ("hct_entered", 0.36, 0),
}


@pytest.mark.parametrize("words", SAID)
def test_the_words_become_the_event(words):
    """Kind and numbers."""
    (event,) = events.parse(words)
    assert (event.kind, event.a, event.b) == SAID[words]


def test_a_complaint_may_say_what_is_done_about_it():
    """Both happen in the same second, in order; an arrow may be typed either way."""
    for arrow in ("->", "→"):
        told, done = events.parse(f"at 40 min patient reports tingling {arrow} slow inlet 20 %")
        assert (told.kind, told.text, done.kind, done.at_s) == ("symptom", "tingling", "slow", 2400)


def test_every_event_that_is_listed_as_understood_is_understood():
    """The list is the grammar, with numbers for N."""
    for _, says, _ in events.GRAMMAR:
        words = says.replace("[", "").replace("]", "").replace("N:1", "12:1").replace("SYMPTOM", "nausea")
        assert events.parse("at 5 min " + words.replace("N", "10"))


def test_unknown_words_name_what_is_understood():
    """One error that lists the grammar."""
    with pytest.raises(WordsError, match=r"dance.*access pressure fault.*stop run"):
        events.parse("at 5 min dance")
    with pytest.raises(WordsError, match="at N min"):
        events.parse("pause 4 min")


def test_an_event_before_the_start_is_refused():
    """Times count from connection."""
    with pytest.raises(InputError, match="before the start"):
        events.parse("at -5 min pause 4 min")


def test_nothing_can_follow_the_end_of_the_run():
    """Impossible order."""
    with pytest.raises(InputError, match="no further event"):
        events.parse_all(["at 60 min pause 4 min", "at 50 min stop run"])


def test_events_are_read_from_a_file_in_order_of_time(tmp_path):
    """TOML list; a file without it is refused by name."""
    file = tmp_path / "day.toml"
    file.write_text('events = ["at 50 min pause 4 min", "at 20 min saline 100 mL"]\n')
    assert [e.at_s for e in events.read(file)] == [1200, 3000]
    file.write_text("steps = []\n")
    with pytest.raises(InputError, match=r"day\.toml: events"):
        events.read(file)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"inlet_flow_ml_min": 400.0}, "nearest is 142"),
        ({"separator": "washing_machine"}, "centrifuge_continuous"),
        ({"access": "straw"}, "peripheral_two_needles"),
        ({"hct_entered": 0.9}, "haematocrit entered"),
        ({"ratio": 30.0}, "nearest is 15"),
        ({"minutes": 90.0, "blood_ml": 3000.0}, "one target"),
        ({"ac_limit_ml_min_l": 2.0}, "nearest is 1.2"),
        ({"plasma_volumes": 0.0}, "plasma volume above 0"),
    ],
)
def test_what_no_machine_can_run_is_one_clear_error(library, given, says):
    """Named, with the nearest setting or what there is."""
    with pytest.raises(InputError, match=says):
        device.run(library, **given)


def test_an_inlet_outside_the_pump_range_as_an_event_is_refused_with_the_nearest(library):
    """As at the start."""
    with pytest.raises(InputError, match="nearest is 142"):
        device.run(library, "at 20 min inlet 300 mL/min")


def test_a_needle_that_cannot_carry_the_flow_is_a_warning_with_the_flow_it_carries(library):
    """The run goes on; less plasma is removed than the display counts."""
    done = device.run(library, access="peripheral_poor_veins", inlet_flow_ml_min=60.0)
    assert "The nearest inlet flow is" in done.state.ready.warnings[0]
    assert done.summary.plasma_removed_ml < 0.985 * done.summary.plasma_counted_ml


def test_plasma_under_a_tight_citrate_limit_warns_of_more_than_six_hours(library):
    """And says what would shorten it."""
    done = device.run(library, fluid="plasma", plasma_volumes=1.5, ac_limit_ml_min_l=0.35)
    assert any("more than 6 h" in w and "raise the anticoagulant limit" in w for w in done.state.ready.warnings)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("at 10 min resume",), "pause 4 min"),
        (("at 10 min reconnect the return",), "return line disconnects"),
        (("at 10 min stop run", "at 20 min pause 2 min"), "no further event"),
        (("at 10 min rinseback",), "reached its target or was stopped"),
        (("at 10 min membrane clots",), "a separator with one of: membrane"),
        (("at 10 min empty the bowl",), "a separator with one of: bowl"),
    ],
)
def test_an_event_that_cannot_happen_then_or_there_is_refused(library, lines, said):
    """Named with what must come before, or with the separators that can have it."""
    with pytest.raises(InputError, match=said):
        device.run(library, *lines)


def test_a_stop_may_be_followed_by_rinseback_in_the_same_breath(library):
    """The operator does not wait for the confirmation."""
    assert device.run(library, "at 30 min stop run -> rinseback").summary.rinsed_back


def test_an_event_after_the_end_of_the_run_is_told(library):
    """The run lasts two hours; four hours never come."""
    done = device.run(library, "at 240 min pause 2 min")
    assert "never came" in done.state.ready.warnings[-1]
