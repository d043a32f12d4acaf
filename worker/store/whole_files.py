"""Files of a folder or bucket that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def whole_file(fs: Any, path: str) -> Iterator[Any]:
    """A binary file beside ``path`` to write to, moved into place at the end: a reader never sees half a file, and none stays behind a failure."""
    beside = f"{path}.{uuid.uuid4().hex[:8]}"
    fs.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with fs.open(beside, "wb") as file:
            yield file
        fs.mv(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):      # the disk was full, say
            fs.rm_file(beside)
        raise
