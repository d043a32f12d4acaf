"""Frames by the hash of their content, as Parquet under one root: a folder, or a bucket that every worker sees."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from worker.store.copies import Altered, Copies
from worker.store.intact import Intact
from worker.store.root import Root
from worker.store.whole_files import whole_file
from worker.store.written import written_at

T = TypeVar("T")
DAY = 86_400            # seconds that a file waits to be imported
LONGEST = 240           # bytes of a file's name
ROW_GROUP = 65_536      # rows; a span of a long series reads only the groups it touches


def content_hash(frame: pd.DataFrame) -> str:
    """SHA-256 over names, types and values, whatever library wrote or will write them.

    >>> one = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    >>> content_hash(one) == content_hash(one.copy()), content_hash(one) == content_hash(one[["b", "a"]])
    (True, False)
    """
    return _hash_of((name, frame[name]) for name in frame.columns)


def _hash_of(columns: Iterable[tuple[str, pd.Series]]) -> str:
    hasher = hashlib.sha256(b"frame/v1\n")
    for name, column in columns:
        kind, data = _bytes(column)
        hasher.update(f"{name}\n{kind}\n{len(data)}\n".encode())
        hasher.update(data)
    return hasher.hexdigest()


def _bytes(column: pd.Series) -> tuple[str, bytes]:
    if isinstance(column.dtype, pd.DatetimeTZDtype) or np.issubdtype(getattr(column.dtype, "type", object), np.datetime64):
        return "time", column.dt.as_unit("ns").astype("int64").to_numpy().astype("<i8").tobytes()
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_integer_dtype(column):
        return "whole", column.to_numpy().astype("<i8").tobytes()
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy(np.float64) + 0.0      # one zero
        return "number", np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes()
    return "text", json.dumps([None if pd.isna(value) else str(value) for value in column]).encode()


class Lost(BadRequest):
    """A referenced table is missing, or its content no longer matches its name."""


class Frames:
    """``copies``: of a bucket's frames, on this machine; without them each reading goes to the bucket."""

    def __init__(self, url: str, copies: Copies | None = None) -> None:
        self.url, self._at = url, Root.of(url)
        self._fs, self._root, self._local = self._at.fs, self._at.path, self._at.local
        self._intact = Intact(self._fs, self._local, _hash_of)
        self._copies, self._intact_here = None if self._local else copies, Intact(None, True, _hash_of)

    def put(self, frame: pd.DataFrame) -> str:
        """Store ``frame`` unless its content is stored intact already; returns its name."""
        name = content_hash(frame)
        if self._local and not self.fault(name):
            os.utime(self._path(name))      # young again: a sweep that is under way leaves it
        else:
            self._write(frame, name)
        self._intact.trust(self._path(name), name)
        return name

    def get(self, name: str, columns: Sequence[str] | None = None, start: datetime | None = None, end: datetime | None = None) -> pd.DataFrame:
        """The frame, or those columns of it, with ``start <= ts < end`` where given. One that is gone or was altered is refused."""
        bounds = [("ts", ">=", pd.Timestamp(start))] if start else []
        bounds += [("ts", "<", pd.Timestamp(end))] if end else []
        here = self._here(name)
        return self._read(name, columns, bounds, here)

    def as_stored(self, name: str) -> pd.DataFrame:
        """The stored bytes under that name, altered or not, to find what was altered."""
        return self._read(name)

    def _read(self, name: str, columns: Sequence[str] | None = None, bounds: Sequence[tuple[str, str, Any]] = (), here: str = "") -> pd.DataFrame:
        import pyarrow.parquet as pq

        where: dict[str, Any] = dict(memory_map=True) if self._local or here else dict(filesystem=self._fs)
        return pq.read_table(here or self._path(name), columns=list(columns) if columns else None, filters=list(bounds) or None, **where).to_pandas()

    def fault(self, name: str) -> str:
        """``gone`` or ``altered``; empty where the frame is intact."""
        return self._intact.fault(self._path(name), name)

    def _here(self, name: str) -> str:
        """The copy of the frame on this machine; empty where it is read where it is stored. One that is gone or was altered is refused."""
        if self._copies is None:
            return self._refuse(name, self.fault(name))
        try:
            return str(self._copies.path(name, lambda here: self._at.download(self._path(name), here), lambda here: not self._intact_here.fault(str(here), name)))
        except (FileNotFoundError, Altered) as error:
            return self._refuse(name, "altered" if isinstance(error, Altered) else "gone")

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        here = self._here(name)
        with open(here, "rb") if here else self._fs.open(self._path(name), "rb") as file:
            yield file

    def _refuse(self, name: str, fault: str) -> str:
        if fault:
            what = "is no longer in the workspace" if fault == "gone" else "was altered since it was written"
            raise Lost(f"A stored table ({name[:8]}) {what}, so it is not used. Run the same again, or import the same file again: it is then stored again.")
        return ""

    def parts(self, name: str) -> Iterator[pd.DataFrame]:
        """The frame, some 65,000 rows at a time."""
        import pyarrow.parquet as pq

        with self._opened(name) as file, pq.ParquetFile(file) as stored:
            for batch in stored.iter_batches(ROW_GROUP):
                yield batch.to_pandas()

    def copy(self, name: str, path: Path) -> None:
        """The stored Parquet file as one of this machine."""
        with self._opened(name) as file, path.open("wb") as sink:
            shutil.copyfileobj(file, sink, 1 << 20)

    def put_stored(self, here: Path, name: str) -> None:
        """Store a Parquet file that ``copy`` wrote, under its name, which whoever calls has verified."""
        with whole_file(self._at, self._path(name)) as file, here.open("rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)

    def occupied(self) -> bool:
        """Whether anything is stored."""
        return bool(self._fs.exists(self._root) and self._fs.find(self._root))

    def silent(self) -> str:
        """Why the bucket does not answer; empty where it does, and where there is none."""
        return self._at.silent()

    def size(self, name: str) -> int:
        """Bytes as stored."""
        return int(self._fs.size(self._path(name)) or 0)

    def exists(self, name: str) -> bool:
        return bool(self._fs.exists(self._path(name)))

    # -- staged files, until their import

    def put_file(self, parts: Iterable[bytes], most: int) -> tuple[str, int]:
        """Store bytes under the hash of their content: its name and size. More than ``most`` bytes are refused."""
        return self.take_file(parts, most, "file", lambda path: None)[:2]

    def take_file(self, parts: Iterable[bytes], most: int, as_name: str, look: Callable[[Path], T]) -> tuple[str, int, T]:
        """The same, after ``look`` has seen the bytes as a file called ``as_name``; where it raises, nothing stays. Only the owner may read the stored file."""
        folder = self._incoming() if self._local else tempfile.gettempdir()
        hasher, size, beside = hashlib.sha256(), 0, f"{folder}/{uuid.uuid4().hex}.part"
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb") as file:
                for part in parts:
                    size += len(part)
                    if size > most:
                        raise BadRequest(f"the file is larger than {most / 1e6:,.0f} MB, the most that may be imported; split it, or raise [data] max_import_mb")
                    hasher.update(part)
                    file.write(part)
            with _called(beside, as_name) as here:
                seen = look(here)
            name = hasher.hexdigest()
            if self._local:
                os.replace(beside, self._waiting(name))
            else:
                self._at.upload(Path(beside), self._waiting(name))
        finally:
            if os.path.exists(beside):     # refused, broken off, or copied
                os.remove(beside)
        return name, size, seen

    def incoming_bytes(self) -> int:
        """Bytes of the files that wait to be imported."""
        folder = f"{self._root}/incoming"
        return sum(int(entry["size"] or 0) for entry in self._fs.ls(folder, detail=True)) if self._fs.exists(folder) else 0

    def discard(self, name: str) -> None:
        """Remove a file that will not be imported."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._waiting(name))

    @contextlib.contextmanager
    def open_file(self, name: str, as_name: str) -> Iterator[Path]:
        """The stored file as one on this machine, called ``as_name``: readers use file names too."""
        path = self._waiting(name)
        if not self._fs.exists(path):
            raise BadRequest(f"the file {as_name} is no longer here: files that are not imported are deleted after a day. Choose it again")
        if self._local:
            with _called(path, as_name) as here:
                yield here
        else:
            with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
                here = Path(folder) / called(as_name)
                self._fs.get_file(path, str(here))
                yield here

    def _waiting(self, name: str) -> str:
        return f"{self._root}/incoming/{name}.bin"

    def _incoming(self) -> str:
        """The folder of files that wait, for its owner only."""
        folder = f"{self._root}/incoming"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
        return folder

    def sweep(self, keep: Iterable[str], older_than: float) -> int:
        """Remove frames that nothing names any more and that were written before ``older_than`` (POSIX seconds). The files of ``Blobs`` beside them are not theirs."""
        used, removed, blobs = set(keep), 0, f"{self._root}/blobs/"
        for entry in self._fs.find(self._root, detail=True).values() if self._fs.exists(self._root) else ():
            if entry["name"].startswith(blobs):
                continue
            name = os.path.basename(entry["name"]).removesuffix(".parquet")
            old = older_than - (DAY if "/incoming/" in entry["name"] else 0)
            if name not in used and written_at(entry) < old:
                with contextlib.suppress(FileNotFoundError):
                    self._fs.rm_file(entry["name"])
                    removed += 1
        return removed

    def free(self) -> int | None:
        """Free bytes where the frames are stored; None where that has no meaning."""
        return shutil.disk_usage(self._root).free if self._local and os.path.isdir(self._root) else None

    def _path(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name}.parquet"

    def _write(self, frame: pd.DataFrame, name: str) -> None:
        with whole_file(self._at, self._path(name), lambda here: self._keep(name, here)) as file:
            frame.to_parquet(file, index=False, compression="zstd", row_group_size=ROW_GROUP)

    def _keep(self, name: str, stored: Path) -> None:
        if self._copies and (here := self._copies.keep(name, stored)):
            self._intact_here.trust(str(here), name)


@contextlib.contextmanager
def _called(path: str, as_name: str) -> Iterator[Path]:
    """A file of this machine under another name."""
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        here = Path(folder) / called(as_name)
        here.symlink_to(os.path.abspath(path))
        yield here


def called(name: str) -> str:
    """A name that came with a file, made fit for a folder of ours: readers use all of it, so only what no folder takes is cut, from its middle.

    >>> called("../../EURUSD M1.csv"), called(".."), called("a\\0b.csv")
    ('EURUSD M1.csv', 'file', 'a_b.csv')
    """
    letters = "".join(letter if letter.isprintable() and letter not in '\\:*?"<>|' else "_" for letter in Path(name).name)
    while len(letters.encode("utf-8", "replace")) > LONGEST:
        letters = letters[: len(letters) // 2 - 1] + letters[len(letters) // 2 + 1 :]
    return letters.lstrip(".") or "file"
