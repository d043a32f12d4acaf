"""Staged files, before their import: which paths may be opened, the quota, and the removal of refused files."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from domain.errors import BadRequest
from domain.market.readers.bi5_files import ENDING, holds_hours
from domain.parsing import shown
from worker.desk.packed import packed
from worker.settings import Settings
from worker.store.frames import Frames

T = TypeVar("T")
PART = 1 << 20          # bytes
LONGEST = 1_000         # letters of a name: its end may say what the bars are
DAY = 86_400.0          # seconds over which refused bytes count


@dataclass(frozen=True)
class Source:
    """A file on its way in: its name without folders, its size, and its bytes, part by part."""

    name: str
    size: int
    parts: Iterable[bytes]


class Quota:
    """Bytes that were refused in the last day: they count against the quota like staged ones."""

    def __init__(self) -> None:
        self._refused: deque[tuple[float, int]] = deque()

    def refuse(self, size: int) -> None:
        self._refused.append((time.monotonic(), size))

    @property
    def refused(self) -> int:
        while self._refused and self._refused[0][0] < time.monotonic() - DAY:
            self._refused.popleft()
        return sum(size for _, size in self._refused)


def stage(frames: Frames, settings: Settings, quota: Quota, source: Source, look: Callable[[Path], T], what: str = "bars") -> tuple[str, str, int, T]:
    """Stage a file: returns its key, its name as stored and shown, its size, and the result of ``look``.

    A file that ``look`` refuses is removed at once.
    """
    name, most = shown(source.name, LONGEST), settings.data.max_import_mb * 1_000_000
    if source.size > most:
        raise BadRequest(f"{name} is {source.size / 1e6:,.0f} MB; the most that may be imported is {most / 1e6:,.0f} MB. Split it, or raise [data] max_import_mb in config.toml")
    if source.size == 0:
        raise BadRequest(f"{name} is empty; choose a file that holds {what}")
    most = settings.data.staged_mb * 1_000_000
    if frames.incoming_bytes() + quota.refused + source.size > most:
        raise BadRequest(
            f"files that wait for their import, and those refused today, may take {most / 1e6:,.0f} MB together, and {name} is too much. Import or discard what waits; "
            "after a day it is removed. Or raise [data] staged_mb in config.toml"
        )
    try:
        key, size, seen = frames.take_file(source.parts, most, name, look)
    except BadRequest:
        quota.refuse(source.size)
        raise
    return key, name, size, seen


def uploaded(name: str, content: bytes | memoryview | IO[bytes]) -> Source:
    """A file from a browser, as bytes or as a file that is open for reading."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        view = memoryview(content)
        return Source(Path(name).name, len(view), (bytes(view[at : at + PART]) for at in range(0, len(view), PART)))
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    return Source(Path(name).name, size, iter(lambda: content.read(PART), b""))


def of_this_machine(text: str, settings: Settings, own_rights: bool = False) -> Source:
    """The file at a path of this machine, symbolic links and ".." resolved.

    A page opens any file where it is reached from this machine only, else those under ``[data] folders``; the terminal any file that the user may read
    (``own_rights``).
    """
    try:
        where = Path(text).expanduser().resolve()
    except (OSError, ValueError, RuntimeError):
        raise BadRequest(f"there is no file {shown(text)!r} that can be read: this is not a path. Give its full path on this machine") from None
    if not own_rights and not _may_open(where, settings):
        folders = allowed_folders(settings)
        what = f"files under {', '.join(map(str, folders))} may be opened by their path" if folders else "files are opened by their path only under the folders of [data] folders in config.toml, and there are none"
        raise BadRequest(f"{shown(text)} cannot be opened: this page is reached from other machines, where {what}. Upload the file")
    try:
        facts = where.stat()
    except OSError as error:
        raise BadRequest(f"there is no file {shown(text)!r} that can be read: {error.strerror}. Give its full path on this machine") from None
    if stat.S_ISDIR(facts.st_mode) or where.name.lower().endswith(ENDING):
        return _of_ticks(where, text, settings)
    if not stat.S_ISREG(facts.st_mode):
        raise BadRequest(f"{shown(text)} is a folder or a device, not a file; give the path of one file")
    return Source(where.name, facts.st_size, _parts(where))


def _of_ticks(where: Path, text: str, settings: Settings) -> Source:
    """A folder of Dukascopy's hours, or the file of one, as a .zip whose entries say which hours they are: the folders do, and are not staged."""
    if where.is_dir() and not holds_hours(where):
        raise BadRequest(f"{shown(text)} is a folder or a device, not a file; give the path of one file. A folder is imported where it holds Dukascopy's ticks (.bi5)")
    size, parts = packed(where, settings.data.max_import_mb * 1_000_000)
    return Source(f"{where.name}.zip", size, parts)


def allowed_folders(settings: Settings) -> list[Path]:
    """The folders whose files a page may open when other machines reach it."""
    return [(settings.folder / Path(name.strip()).expanduser()).resolve() for name in settings.data.folders.split(",") if name.strip()]


def may_open_paths(settings: Settings) -> bool:
    """Is there any file of this machine that a page may open?"""
    return settings.alone or bool(allowed_folders(settings))


def _may_open(where: Path, settings: Settings) -> bool:
    return settings.alone or any(where.is_relative_to(folder) for folder in allowed_folders(settings))


def _parts(where: Path) -> Iterator[bytes]:
    """The bytes of a file that is a file still when it is opened: no link that was put in its place, no pipe that would never end."""
    try:
        handle = os.open(where, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BadRequest(f"{shown(where)} is a folder or a device, not a file; give the path of one file")
            while part := file.read(PART):
                yield part
    except OSError as error:
        raise BadRequest(f"{shown(where)} cannot be read: {error.strerror}. Give the path of a file you may read") from None


def size_limited(look: Callable[..., Any], settings: Settings) -> Callable[[Path], Any]:
    """``look`` with the maximum size of a file, compressed or not."""
    return lambda path: look(path, settings.data.max_import_mb * 1_000_000)
