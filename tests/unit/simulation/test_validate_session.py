"""Published studies of the session are run as they were done."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from opentpe.errors import InputError
from opentpe.simulation import validate, validate_session

FOLDER = Path(__file__).parents[3] / "validation"


def rows(library, name, part="calibration"):
    return {r.observed.key: r for r in validate.judge(validate.read(FOLDER / part / name), library)}


def test_a_tube_of_blood_and_plasma_has_no_spread(library):
    """The mixing study is chemistry alone: three hits with a band of no width."""
    found = rows(library, "ffp-mixing-2012")
    assert all(r.hit and r.p05 == r.p95 for r in found.values())


def test_the_known_misses_stay_misses(library):
    """Refill after a donation and calcium in high-rate donors are missed, shown and explained."""
    for name, key in (
        ("donation-450", ("donation", "drawn_450", "10min", "refill_ml")),
        ("bolan-2001", ("measured_clearance", "ionised_calcium", "90min", "change_percent")),
    ):
        row = rows(library, name)[key]
        assert row.hit is False
        assert len(row.explanation) > 40


def test_the_order_of_saline_is_met(library):
    """Saline last is worse than first, first worse than none, as in three patients."""
    found = rows(library, "crit-line-tpe")
    assert [r.hit for r in found.values()] == [True] * 5


def test_a_stiffer_vessel_leaves_the_measured_range(library):
    """A row can fail: with vessels and tissue four times as stiff the range of albumin 4 % is left."""
    documents = {k: dict(v) for k, v in library.documents.items()}
    law = dict(documents["equations/fluid"])
    for name in ("vascular_elastance_mm_hg_ml", "interstitial_elastance_mm_hg_ml"):
        entry = {k: v for k, v in law[name].items() if k != "prior"}
        law[name] = entry | {"value": 4 * law[name]["value"]}
    documents["equations/fluid"] = law
    stiff = dataclasses.replace(library, documents=documents)
    assert not rows(stiff, "crit-line-tpe")[("albumin", "relative_blood_volume", "lowest", "value")].hit


def test_an_unknown_time_is_named(library):
    """A time that means nothing is an error with an example."""
    curve = validate_session.Curve(np.zeros((1, 2)), np.zeros((1, 2, 26)), np.ones(1))
    with pytest.raises(InputError, match="45min"):
        curve.at("ph", "soon")
