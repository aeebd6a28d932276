"""Help and the pathway stay light: neither NumPy nor Numba is imported for them."""

import subprocess
import sys

import pytest

PROBE = """
import sys
sys.argv = ["opentpe", *{arguments!r}]
try:
    from opentpe.cli import main
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = [m for m in ("numpy", "numba", "scipy", "matplotlib", "fastapi", "sqlalchemy") if m in sys.modules]
assert not heavy, heavy
"""


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=arguments)], capture_output=True, encoding="utf-8", check=False
    )


def test_help_imports_no_numerics():
    """`opentpe --help` answers without NumPy, Numba or Matplotlib."""
    done = _run(["--help"])
    assert done.returncode == 0, done.stderr
    assert "consult" in done.stdout


@pytest.mark.parametrize("extra", [[], ["--explain"], ["--json"]])
def test_decide_imports_no_numerics(extra, examples):
    """The pathway walks with the standard library alone."""
    done = _run(["decide", str(examples / "scenario-a.json"), "--on", "2026-02-18", *extra])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
