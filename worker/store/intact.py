"""Verifies that a stored frame matches the hash in its name: once a process, and again when the file changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from worker.trouble import away

LARGE = 256 << 20       # bytes of values; a larger frame is hashed a column at a time


class Intact:
    """Caches which files were verified, by their file-system stamp."""

    def __init__(self, fs: Any, local: bool, hash_of: Callable[[Iterator[tuple[str, pd.Series]]], str]) -> None:
        self._fs, self._local, self._hash_of = fs, local, hash_of
        self._whole: dict[str, tuple[Any, ...]] = {}

    def fault(self, path: str, name: str) -> str:
        """``gone``, ``altered``, or empty where the content matches the name."""
        try:
            stamp = self._stamp(path)
            if self._whole.get(name) == stamp:
                return ""
            actual = self._hash_of(self._columns(path))
        except FileNotFoundError:
            return "gone"
        except (ValueError, TypeError, KeyError):       # Arrow's own errors of a file that is none are of these
            return "altered"
        except OSError as error:
            if error.errno is not None or away(error):      # the disk or the bucket, not the file
                raise
            return "altered"
        if actual != name:
            return "altered"
        self._whole[name] = stamp
        return ""

    def trust(self, path: str, name: str) -> None:
        """It was just written, or only its time was changed."""
        self._whole[name] = self._stamp(path)

    def _stamp(self, path: str) -> tuple[Any, ...]:
        if self._local:
            seen = os.stat(path)
            return seen.st_size, seen.st_mtime_ns, seen.st_ino
        info = self._fs.info(path)
        return tuple(str(info.get(key)) for key in ("size", "mtime", "created", "LastModified", "last_modified", "ETag", "etag"))

    def _columns(self, path: str) -> Iterator[tuple[str, pd.Series]]:
        import pyarrow.parquet as pq

        where: dict[str, Any] = dict(memory_map=True) if self._local else dict(filesystem=self._fs)
        about = pq.read_metadata(path, **where)
        names = about.schema.to_arrow_schema().names
        if about.num_rows * len(names) * 8 <= LARGE or any("." in name for name in names):
            frame = pq.read_table(path, **where).to_pandas()
            yield from ((name, frame[name]) for name in frame.columns)
        else:
            yield from ((name, pq.read_table(path, columns=[name], **where).to_pandas()[name]) for name in names)
