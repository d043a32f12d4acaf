"""Files of a folder or bucket that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from worker.store.root import Root


@contextlib.contextmanager
def whole_file(root: Root, path: str, stored: Callable[[Path], None] = lambda here: None) -> Iterator[Any]:
    """A binary file to write to, moved to ``path`` at the end: a reader never sees half a file, and none stays behind a failure.

    In a folder it is written beside. For a bucket it is written on this machine first, and ``stored`` is given that file after it is uploaded.
    """
    with _beside(root, path) if root.local else _spooled(root, path, stored) as file:
        yield file


@contextlib.contextmanager
def _beside(root: Root, path: str) -> Iterator[Any]:
    beside = f"{path}.{uuid.uuid4().hex[:8]}"
    root.make_folder_of(path)
    try:
        with root.fs.open(beside, "wb") as file:
            yield file
        root.fs.mv(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):      # the disk was full, say
            root.fs.rm_file(beside)
        raise


@contextlib.contextmanager
def _spooled(root: Root, path: str, stored: Callable[[Path], None]) -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        here = Path(folder) / os.path.basename(path)
        with here.open("wb") as file:
            yield file
        root.upload(here, path)
        stored(here)
