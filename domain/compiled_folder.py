"""Where compiled code is kept. Nothing is compiled here, and no compiler loaded."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from tempfile import gettempdir

HERE = Path(__file__).parent
HOW = ("compiled.py", "compiled_folder.py")
SOURCES = {     # what compiled code is made of, by the package that it belongs to: an edit of one leaves the other's as it is
    "backtest": ("backtest/kernel/*.py", "backtest/memory.py", "backtest/state.py", "risk/limits.py", "trading/outcomes.py"),
    "features": ("features/kernels/*.py", "rounding.py"),
}  # fmt: skip


@cache
def folder_of(package: str) -> Path:
    """Compiled code is kept under the hash of all it was made from: numba itself looks at the one file a function stands in,
    and would go on using a record whose fields have moved."""
    paths = [path for pattern in (*SOURCES.get(package, (f"{package}/**/*.py",)), *HOW) for path in sorted(HERE.glob(pattern))]
    made_of = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]
    beside = HERE / "__pycache__"
    home = beside if os.access(beside if beside.is_dir() else HERE, os.W_OK) else Path(gettempdir()) / f"tidemark-{os.getuid() if hasattr(os, 'getuid') else 0}"
    return home / f"{package}-{made_of}"


def is_kept(package: str) -> bool:
    """Has the package been compiled on this machine, as it stands now?"""
    return any(folder_of(package).rglob("*.nbi"))
