"""The cache folder of compiled code. Nothing is compiled here, and no compiler loaded."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir

HERE = Path(__file__).parent
HASHED = 12             # digits of the hash in a folder's name
HOW = ("compiled.py", "compiled_folder.py", "compiled_linking.py")
SOURCES = {     # sources of the compiled code, by package: an edit of one leaves the cache of the other valid
    "backtest": ("backtest/kernel/*.py", "backtest/memory.py", "backtest/state.py", "risk/limits.py", "trading/outcomes.py"),
    "sweeps": ("backtest/lane/record.py", "backtest/lane/kernel/*.py", "backtest/kernel/codes.py", "backtest/kernel/numbers.py", "backtest/kernel/places.py", "backtest/memory.py", "backtest/state.py", "risk/limits.py", "trading/outcomes.py"),
    "features": ("features/kernels/*.py", "rounding.py"),
    "models": ("models/kernels/*.py",),
}  # fmt: skip

APART = {"backtest/lane": "sweeps"}     # a folder inside a package that is compiled for itself, when it is first used


def package_of(module: str) -> str:
    """The package that a module's compiled functions belong to.

    >>> package_of("domain.backtest.kernel.clock"), package_of("domain.backtest.lane.kernel.walk")
    ('backtest', 'sweeps')
    """
    path = module.removeprefix("domain.").replace(".", "/")
    return next((name for folder, name in APART.items() if path.startswith(f"{folder}/")), path.split("/")[0])


@cache
def folder_of(package: str) -> Path:
    """Compiled code is cached under the hash of all its sources: numba itself checks only the file that defines a function,
    and would go on using a record whose fields have moved."""
    paths = [path for pattern in (*SOURCES.get(package, (f"{package}/**/*.py",)), *HOW) for path in sorted(HERE.glob(pattern))]
    made_of = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:HASHED]
    beside = HERE / "__pycache__"
    home = beside if os.access(beside if beside.is_dir() else HERE, os.W_OK) else Path(gettempdir()) / f"tidemark-{os.getuid() if hasattr(os, 'getuid') else 0}"
    return home / f"{package}-{made_of}"


def remove_old(unused_since: float) -> list[Path]:
    """Remove the code of earlier sources that was compiled before the instant ``unused_since`` (seconds since 1970); what was removed."""
    removed = []
    for package in SOURCES:
        present = folder_of(package)
        for folder in present.parent.glob(f"{package}-{'?' * HASHED}"):
            if folder != present and folder.is_dir() and folder.stat().st_mtime < unused_since:
                rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return removed


def is_compiled(package: str) -> bool:
    """Whether the package, with its present sources, has been compiled on this machine."""
    return any(folder_of(package).rglob("*.nbi"))
