"""Keep a folder of files under a limit: those that were read longest ago go first."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

LEFT = 0.9              # of the limit, after the oldest have gone
ABANDONED = 3_600.0     # seconds after which a partial file is deleted


def trim(folder: Path, limit: int, fresh: float = 0.0) -> None:
    """Over ``limit`` bytes the oldest go, but none that was read in the last ``fresh`` seconds; several processes may do it at once."""
    files, now = sorted(files_in(folder)), time.time()
    total = sum(size for _, size, _ in files)
    enough = LEFT * limit if total > limit else total
    for read_at, size, path in files:
        if (now - read_at > ABANDONED) if path.suffix == ".part" else (total > enough and now - read_at >= fresh):
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size


def files_in(folder: Path) -> list[tuple[float, int, Path]]:
    """When each file was last read, its bytes, and where it is."""
    files = []
    for path in folder.glob("*/*"):
        with contextlib.suppress(OSError):      # another worker let it go
            seen = path.stat()
            files.append((max(seen.st_mtime, seen.st_atime), seen.st_size, path))
    return files
