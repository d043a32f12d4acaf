"""Permissions of the workspace, independent of the umask: folders 0700, files 0600."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from domain.errors import BadRequest

OTHERS = 0o077
ENTRIES = (
    "audit-keys.txt", "audit-requests", "checkpoints.txt", "tidemark.db", "tidemark.db-wal", "tidemark.db-shm", "up.lock", "queue.sock", "frames", "columns", "copies", "logs", "queue",
)  # fmt: skip


def keep_private() -> None:
    """Set the umask so that new files are private to the user. For server processes; the terminal keeps its umask."""
    os.umask(OTHERS)


def close_off(home: Path) -> None:
    """Remove others' permissions from files that an earlier version, or a terminal with an open umask, created. Only files of known names are changed."""
    if os.name == "nt" or not home.is_dir():
        return
    mode = home.stat().st_mode
    if mode & stat.S_ISVTX and mode & stat.S_IWOTH:
        raise BadRequest(f"The workspace {home} is a folder that everyone may write into. Name one of your own in config.toml, [storage] home, or in TIDEMARK_STORAGE_HOME")
    for path in (home, *_inside(home)):
        with contextlib.suppress(FileNotFoundError, PermissionError):       # gone meanwhile, or another user's
            mode = path.lstat().st_mode
            if mode & OTHERS and not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def _inside(home: Path) -> Iterator[Path]:
    for name in ENTRIES:
        entry = home / name
        if not entry.is_symlink() and entry.exists():
            yield entry
            for folder, folders, files in os.walk(entry):
                yield from (Path(folder) / below for below in (*folders, *files))
