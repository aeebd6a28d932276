"""The SBML export: sound for libSBML, and the same course in two other simulators."""

import numpy as np
import pytest

from opentpe.errors import InputError
from opentpe.kernel import march, timeline
from opentpe.kernel.arrays import SC
from support.solutes import BLOCKER, DAY, KEYS, cohort, index, schedule, sessions

pytest.importorskip("libsbml", reason="SKIPPED LOUDLY: python-libsbml is not here; the SBML export is not tested")
from opentpe.sbml import export

TIMES = np.array([0.5, 1, 2.01, 4.01, 4.5, 5, 6.5, 8, 12, 20, 30]) * DAY
COLUMNS = [
    export.Column(k, k, "%" if k == "ldl" else "g/L", ("https://identifiers.org/pubmed:27523073",)) for k in KEYS
]


@pytest.fixture(scope="module")
def course():
    """Three sessions, saline then albumin, a plasma volume that moves, a saturable drug, a depot and a blocker."""
    people = cohort()
    people.law[1] |= 4  # the antibody is also given under the skin
    people.absorption_rate[0, 1], people.available_fraction[0, 1] = 0.25 / DAY, 0.7
    content = np.zeros((2, len(KEYS)))
    content[1, index("albumin")] = 50.0
    doses = (
        timeline.Dose(2, -3 * DAY, 300.0),
        timeline.Dose(2, 4.2 * DAY, 300.0),
        timeline.Dose(1, 1.2 * DAY, 500.0, SC),
        timeline.Dose(BLOCKER, 6 * DAY, 1.0),
    )
    profile = [timeline.Volume(0.0, 1.0), timeline.Volume(106.0, 0.9), timeline.Volume(600.0, 1.0)]
    plan = schedule(sessions(3, fluids=((0, 0.25), (1, 0.75))), TIMES, doses, content, volume=profile)
    return people, plan, export.export(people, plan, COLUMNS, "three sessions")


def test_libsbml_finds_no_error_and_no_warning(course):
    """Consistency, units and modelling practice are all clean."""
    assert export.problems(course[2]) == []


def test_the_check_can_fail(course):
    """A flow declared as a mass is reported."""
    assert export.problems(course[2].replace('units="ml_per_minute"', 'units="mg"'))


def test_libroadrunner_reproduces_the_course(course):
    """Every concentration at every time within 1e-6 of ours."""
    roadrunner = pytest.importorskip("roadrunner", reason="SKIPPED LOUDLY: libRoadRunner is not here")
    people, plan, text = course
    runner = roadrunner.RoadRunner(text)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-10, 1e-10
    runner.integrator.maximum_num_steps = 100_000
    runner.timeCourseSelections = [f"{key}_concentration" for key in KEYS]
    found = np.asarray(runner.simulate(times=[0.0, *(TIMES - plan.start_min[0])]))[1:].T
    assert found == pytest.approx(march.course_all(people, plan).concentration[0], rel=1e-6)


def test_copasi_reproduces_the_course(course):
    """Every concentration at every time within 1e-6 of ours."""
    basico = pytest.importorskip("basico", reason="SKIPPED LOUDLY: COPASI is not here")
    people, plan, text = course
    model = basico.load_model_from_string(text)
    method = {"Relative Tolerance": 1e-10, "Absolute Tolerance": 1e-10, "Max Internal Steps": 1_000_000}
    basico.set_task_settings("Time-Course", {"method": method}, model=model)
    table = basico.run_time_course(values=[0.0, *(TIMES - plan.start_min[0])], start_time=0, model=model)
    found = np.array([table[f"Values[{key}_concentration]"].to_numpy()[1:] for key in KEYS])
    assert found == pytest.approx(march.course_all(people, plan).concentration[0], rel=1e-6)


def test_units_and_sources_are_declared(course):
    """Every parameter has a unit, and sources stand as resolvable addresses."""
    import libsbml

    model = libsbml.readSBMLFromString(course[2]).getModel()
    assert all(model.getParameter(i).isSetUnits() for i in range(model.getNumParameters()))
    assert "https://identifiers.org/pubmed:27523073" in course[2]
    assert "Counted in %" in course[2]


def test_a_cohort_is_refused():
    """The export is of one patient."""
    with pytest.raises(InputError):
        export.export(cohort(2), schedule(sessions(1)), COLUMNS, "two")
