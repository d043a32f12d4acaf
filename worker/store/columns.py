"""Cache of computed columns on this machine, by the hash of everything that decides them.

Any file may vanish at any time: its column is computed again. Several workers may share a folder.
"""

from __future__ import annotations

import contextlib
import os
import uuid
import zlib
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import numpy as np

from worker.store.oldest import files_in, trim

HEAD = 16               # bytes: a mark, the checksum of the values, and how many bytes they are
MARK = b"TMC1"
LOOK = 64               # the size of the folder is checked after each 1/64 of the limit written


class Columns(MutableMapping[str, np.ndarray]):
    """Key -> float64 column, in ``folder``; over ``limit`` bytes the least recently read files are deleted.

    The last column read or written stays in memory, so that a key which was present a moment ago still is.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._written = limit       # so that the first write looks
        self._held: tuple[str, np.ndarray] | None = None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._read(key) is not None

    def __getitem__(self, key: str) -> np.ndarray:
        values = self._read(key)
        if values is None:
            raise KeyError(key)
        return values

    def __setitem__(self, key: str, values: np.ndarray) -> None:
        self._held = key, values
        if values.nbytes + HEAD > self._limit:
            return
        self._write(key, np.ascontiguousarray(values, "<f8"))
        self._written += values.nbytes + HEAD
        if self._written * LOOK >= self._limit:
            self._written = 0
            trim(self._folder, self._limit)

    def __delitem__(self, key: str) -> None:
        self._held = None
        try:
            self._path(key).unlink()
        except OSError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        return (path.name for path in self._folder.glob("*/*") if path.suffix != ".part")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def bytes(self) -> int:
        return sum(size for _, size, _ in files_in(self._folder))

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _read(self, key: str) -> np.ndarray | None:
        """The column; None where its file is missing or damaged."""
        if self._held and self._held[0] == key:
            return self._held[1]
        path = self._path(key)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        values = content[HEAD:]
        if content[:HEAD] != _head(values):
            return None
        self._held = key, np.frombuffer(values, "<f8").copy()
        return self._held[1]

    def _write(self, key: str, values: np.ndarray) -> None:
        """Beside, then moved into place: a reader never sees half a file. A full disk costs the copy, not the job."""
        path = self._path(key)
        beside, content = path.with_name(f"{uuid.uuid4().hex}.part"), values.tobytes()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(_head(content))
                file.write(content)
            os.replace(beside, path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def _head(values: bytes) -> bytes:
    return MARK + zlib.crc32(values).to_bytes(4, "little") + len(values).to_bytes(8, "little")
