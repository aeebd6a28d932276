"""Compiled kernels are never stale: an edited callee in another file gives a new result."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import opentpe
from opentpe import kernel

_CALLEE = "from numba import njit\n\n@njit(cache=True)\ndef inner(x):\n    return x + {}\n"
_CALLER = (
    "from numba import njit\nfrom opentpe.kernel.zz_callee import inner\n\n"
    "@njit(cache=True)\ndef outer(x):\n    return inner(x)\n"
)


def _copy(tmp_path: Path) -> Path:
    package = tmp_path / "opentpe"
    (package / "kernel").mkdir(parents=True)
    source = Path(opentpe.__file__).parent
    shutil.copy(source / "kernel" / "__init__.py", package / "kernel" / "__init__.py")
    (package / "__init__.py").write_text("")
    (package / "kernel" / "zz_caller.py").write_text(_CALLER)
    return package / "kernel" / "zz_callee.py"


def _run(tmp_path: Path) -> float:
    code = "from opentpe.kernel.zz_caller import outer; print(outer(1.0))"
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    return float(subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True).stdout)


def test_an_edited_callee_in_another_file_changes_the_result(tmp_path):
    """The caller's file is unchanged, so Numba alone would serve the old machine code."""
    callee = _copy(tmp_path)
    callee.write_text(_CALLEE.format("1.0"))
    assert _run(tmp_path) == 2.0
    callee.write_text(_CALLEE.format("5.0"))
    assert _run(tmp_path) == 6.0
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_the_cache_folder_carries_the_hash_of_all_sources(tmp_path):
    """One more source file is another key."""
    (tmp_path / "a.py").write_text("x = 1")
    before = kernel.cache_key(tmp_path)
    (tmp_path / "b.py").write_text("y = 2")
    assert kernel.cache_key(tmp_path) != before
    assert kernel.CACHE_FOLDER.name.startswith("opentpe-")
