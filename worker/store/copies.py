"""Copies on this machine of what was read from a bucket, each verified against its name before it is used.

Any file may vanish at any time: it is fetched again. Several processes may share a folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from worker.store.oldest import trim

LOOK = 16           # the size of the folder is checked after each 1/16 of the limit written
FRESH = 300.0       # seconds after its last reading in which a copy stays, for somebody may be about to open it


class Altered(Exception):
    """What was fetched is not what its name says."""


class Copies:
    """Name -> file in ``folder``; over ``limit`` bytes those read longest ago go."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._written = limit       # so that the first copy looks

    def path(self, name: str, fetch: Callable[[Path], None], matches: Callable[[Path], bool]) -> Path:
        """The file on this machine, fetched unless an intact copy is here. Raises ``Altered`` where what came does not match, and what ``fetch`` raises."""
        here = self._path(name)
        if here.exists() and matches(here):
            self._read(here)
            return here
        beside = self._beside(here)
        try:
            fetch(beside)
            if not matches(beside):
                raise Altered(name)
            os.replace(beside, here)
        finally:
            beside.unlink(missing_ok=True)
        self._grown(here.stat().st_size)
        return here

    def keep(self, name: str, file: Path) -> Path | None:
        """A copy of ``file``, which was just stored under that name. A full disk costs the copy, not the job."""
        here = self._path(name)
        with contextlib.suppress(OSError):
            beside = self._beside(here)
            shutil.copyfile(file, beside)
            os.replace(beside, here)
            self._grown(here.stat().st_size)
            return here
        return None

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _beside(self, here: Path) -> Path:
        here.parent.mkdir(parents=True, exist_ok=True)
        return here.with_name(f"{uuid.uuid4().hex}.part")

    @staticmethod
    def _read(here: Path) -> None:
        """Young again; the time of its writing stays, by which it is recognised as verified."""
        with contextlib.suppress(OSError):
            os.utime(here, ns=(time.time_ns(), here.stat().st_mtime_ns))

    def _grown(self, size: int) -> None:
        self._written += size
        if self._written * LOOK >= self._limit:
            self._written = 0
            trim(self._folder, self._limit, FRESH)
