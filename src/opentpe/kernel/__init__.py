"""Equations on plain numbers and arrays; knows no patient, file, date or unit conversion.

Compiled kernels are cached on disk. Numba does not notice an edited callee in another file, so the cache folder carries
the hash of every kernel source, the Numba version and the machine: one edit, one fresh folder, no stale physics.
Numba's own index adds Python version and CPU features below it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from importlib import metadata
from pathlib import Path


def cache_key(folder: Path = Path(__file__).parent) -> str:
    """The fingerprint of the kernel sources in a folder with the Numba version and the CPU."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    digest.update(f"{metadata.version('numba')} {platform.machine()} {platform.processor()}".encode())
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    key = f"opentpe-{cache_key()}"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen) if Path(chosen).name == key else Path(chosen) / key
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "opentpe" / "numba" / key


CACHE_FOLDER = _cache_folder()
os.environ["NUMBA_CACHE_DIR"] = str(CACHE_FOLDER)
if "numba" in sys.modules:
    sys.modules["numba"].config.CACHE_DIR = str(CACHE_FOLDER)
