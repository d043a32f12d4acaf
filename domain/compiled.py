"""How functions are compiled, and where what was compiled is kept. Importing this loads numba: kernel files only."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import gettempdir

import numba
from numba import njit

HERE = Path(__file__).parent
BACKTEST, FEATURES = HERE / "backtest", HERE / "features"
SOURCES = (
    *sorted((BACKTEST / "kernel").glob("*.py")), BACKTEST / "memory.py", BACKTEST / "state.py", HERE / "trading" / "task.py",
    *sorted((FEATURES / "kernels").glob("*.py")), HERE / "compiled.py", HERE / "rounding.py",
)  # fmt: skip


def _cache_folder() -> str:
    """Compiled code is kept under the hash of all it was made from: numba itself looks at the one file a function stands in,
    and would go on using a record whose fields have moved."""
    made_of = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()[:12]
    beside = HERE / "__pycache__"
    home = beside if os.access(beside if beside.is_dir() else HERE, os.W_OK) else Path(gettempdir()) / f"tidemark-{os.getuid() if hasattr(os, 'getuid') else 0}"
    return str(home / f"kernel-{made_of}")


numba.config.CACHE_DIR = _cache_folder()      # type: ignore[attr-defined]
compiled = njit(cache=True, nogil=True, error_model="numpy")
