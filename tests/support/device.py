"""Procedures for tests: the reference man of the device book, and runs with events in words."""

from dataclasses import replace

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Dose, FluidPart, Prescription
from opentpe.simulation import events, procedure
from opentpe.simulation.exchange import Exchange

MAN = Subject(female=False, height_cm=175, weight_kg=75, hct=0.40)
BLOOD_ML = 4985.0
NO_COMPLAINTS = {"tingling_percent": 90.0, "hypotension_percent": 90.0}


def exchange(plasma_volumes=1.0, fluid="albumin_5", *, ratio=None, **given):
    """The reference man with 1 PV of albumin, unless told otherwise; no complaints of his own."""
    order = Prescription(plasma_volumes, Dose.PLASMA_VOLUMES, (FluidPart(fluid, 1.0),), inlet_ac_ratio=ratio)
    return replace(Exchange(MAN, order, blood_volume_ml=BLOOD_ML, **NO_COMPLAINTS), **given)


def run(library, *lines, seed=1, plasma_volumes=1.0, fluid="albumin_5", ratio=None, **given):
    """A finished run with the given events."""
    what = exchange(plasma_volumes, fluid, ratio=ratio, **given)
    return procedure.run(what, library, seed=seed, happenings=events.parse_all(lines))


def started(library, *lines, seed=1, **given):
    """A procedure at the moment of connection."""
    return procedure.start(exchange(**given), library, seed=seed, happenings=events.parse_all(lines), connected=True)


def at_exchange(done):
    """Rows of the log in which the exchange runs."""
    return done.log.machine[(done.log.machine["phase"] == 5) | (done.log.machine["phase"] == 6)]
