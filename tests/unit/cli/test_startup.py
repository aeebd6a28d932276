"""What a command loads: only what it uses."""

import subprocess
import sys

WOMAN = ["--sex", "F", "--age", "35", "--height-cm", "165", "--weight-kg", "60", "--hct", "0.39"]
COURSE = "1 x 1.0 PV daily, albumin 5 %"


def _loaded(*words: str) -> set[str]:
    code = (
        "import sys, opentpe.cli\n"
        "try: opentpe.cli.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "sys.stderr.write('\\n' + ' '.join(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, encoding="utf-8", check=True)
    return set(ran.stderr.splitlines()[-1].split())


def test_help_loads_no_numerics() -> None:
    """The list of commands appears at once."""
    assert not _loaded("--help") & {"numpy", "numba", "scipy", "pydantic", "jinja2", "rich.markdown"}


def test_a_forecast_loads_no_scipy_beyond_its_name() -> None:
    """Special functions and linear algebra take longer to load than a forecast to run."""
    loaded = _loaded("simulate", *WOMAN, "--course", COURSE, "--json")
    assert "opentpe.simulation.course" in loaded
    assert not loaded & {"scipy.special", "scipy.linalg", "scipy.stats"}
