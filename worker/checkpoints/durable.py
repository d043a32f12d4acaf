"""Files that are there, whole, after a crash: created once, replaced as a whole, or appended to."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600


def create(path: Path, content: str, mode: int = PRIVATE) -> None:
    """Create ``path`` with ``content``; FileExistsError where there is one. Nobody sees it half written under that name."""
    waiting = _written(path, content, mode)
    try:
        os.link(waiting, path)
    finally:
        waiting.unlink()
    sync_folder(path.parent)


def replace(path: Path, content: str, mode: int = PRIVATE) -> None:
    """Replace ``path`` by ``content``, as one step."""
    os.replace(_written(path, content, mode), path)
    sync_folder(path.parent)


def rename(path: Path, to: Path) -> None:
    os.replace(path, to)
    sync_folder(to.parent)


def append(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Append ``content`` to ``path``, and return once it is on the disk."""
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A new name in a folder is on the disk once the folder is; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(path: Path, content: str, mode: int) -> Path:
    waiting = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as sink:
        sink.write(content.encode())
        sink.flush()
        os.fsync(sink.fileno())
    return waiting
